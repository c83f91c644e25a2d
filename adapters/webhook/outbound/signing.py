"""Signatures of Standard Webhooks 1.0: `v1` (HMAC-SHA256, secrets `whsec_...`) and `v1a` (Ed25519, private keys `whsk_...`). Pure.

Several keys sign at the same time during a rotation. Source: standard-webhooks/standard-webhooks,
spec/standard-webhooks.md ("Signature scheme", "Secrets"), read 2026-11-26.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

SHARED, PRIVATE = "whsec_", "whsk_"

_FEWEST_BYTES, _MOST_BYTES = 24, 64


def headers_for(keys: Sequence[str], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of an attempt made at that moment. `keys` must be valid (see `key_fault`), the newest first."""
    signatures = [_signature(key, webhook_id, at, body) for key in keys]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _signature(key: str, webhook_id: str, at: datetime, body: bytes) -> str:
    if key.startswith(PRIVATE):
        # loaded only if Ed25519 is used, since it costs memory
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        private = Ed25519PrivateKey.from_private_bytes(_decoded(key.removeprefix(PRIVATE))[:32])
        signed = f"{webhook_id}.{int(at.timestamp())}.".encode() + body
        return f"v1a,{base64.b64encode(private.sign(signed)).decode()}"
    from standardwebhooks import Webhook

    return Webhook(key).sign(webhook_id, at, body.decode())


def key_fault(key: str) -> str:
    """Why the secret cannot sign, for an admin; empty if it can. The text does not contain the secret."""
    if key.startswith(PRIVATE):
        lengths, wanted = {32, 64}, "an Ed25519 private key of 32 bytes (or 64, with its public key)"
    elif key.startswith(SHARED):
        lengths, wanted = set(range(_FEWEST_BYTES, _MOST_BYTES + 1)), f"{_FEWEST_BYTES} to {_MOST_BYTES} random bytes"
    else:
        return f"a key begins with {SHARED} (shared secret) or {PRIVATE} (private key)"
    try:
        length = len(_decoded(key.partition("_")[2]))
    except (ValueError, binascii.Error):
        return "what follows the prefix is not base64"
    return "" if length in lengths else f"what follows the prefix is base64 of {length} bytes, and must be {wanted}"


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
