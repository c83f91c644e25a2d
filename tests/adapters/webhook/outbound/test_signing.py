"""Signatures: vectors of the specification and of other implementations, and keys that are none."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapters.webhook.outbound.signing import headers_for, key_fault

AT = datetime.fromtimestamp(1614265330, tz=UTC)
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SEED = bytes(range(32))
PRIVATE = "whsk_" + base64.b64encode(SEED).decode()


def signatures(*keys: str) -> list[str]:
    return headers_for(keys, ID, AT, BODY)["webhook-signature"].split(" ")


def test_the_known_answer_of_svix_and_of_standard_webhooks() -> None:
    """The vector that the test suites of svix-webhooks and of the standardwebhooks libraries share (`test_sign_function`)."""
    headers = headers_for([SECRET], ID, AT, BODY)
    assert headers == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    ("secret", "webhook_id", "at", "body", "signature"),
    [
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "mb-1f-17-0",
            1795700000,
            '{"type":"message.created","data":{"text":"Привет, 世界 👋 \\"x\\" \\n"}}',
            "v1,ngwnOWjH2zOx/Pda8y/SSk4HmILom5lUWtDvKoF+upU=",
        ),
        (
            "whsec_eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==",
            "a",
            1,
            "",
            "v1,5GyAcICbvyRbR9bG9dkgeAnjVoiTiUxKbViYLLDc6Ec=",
        ),
    ],
)
def test_what_npm_svix_signs(secret: str, webhook_id: str, at: int, body: str, signature: str) -> None:
    """Recorded from `new Webhook(secret).sign(id, date, body)` of npm svix 1.99.1, with which npm standardwebhooks 1.0.0 agrees;
    both took our headers with two secrets and a `v1a` signature between them. 2026-11-26."""
    made = headers_for([secret], webhook_id, datetime.fromtimestamp(at, tz=UTC), body.encode())
    assert made["webhook-signature"] == signature


def test_a_private_key_signs_v1a_and_its_public_key_proves_it() -> None:
    (signature,) = signatures(PRIVATE)
    version, _, encoded = signature.partition(",")
    assert version == "v1a"
    public = Ed25519PublicKey.from_public_bytes(Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw())
    public.verify(base64.b64decode(encoded), f"{ID}.1614265330.".encode() + BODY)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(encoded), f"{ID}.1614265331.".encode() + BODY)


def test_a_private_key_may_carry_its_public_one() -> None:
    with_public = (
        "whsk_" + base64.b64encode(SEED + Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()).decode()
    )
    assert key_fault(with_public) == ""
    assert signatures(with_public) == signatures(PRIVATE)


def test_all_keys_sign_in_their_order() -> None:
    assert [one.split(",")[0] for one in signatures(SECRET, PRIVATE)] == ["v1", "v1a"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("secret", "whsec_"),
        ("whsec_", "24 to 64"),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), "23 bytes"),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), "65 bytes"),
        ("whsec_not*base64", "not base64"),
        ("whsk_" + base64.b64encode(b"x" * 33).decode(), "Ed25519"),
        ("whpk_" + base64.b64encode(b"x" * 32).decode(), "begins with"),
    ],
)
def test_what_cannot_sign_is_said_without_repeating_it(key: str, says: str) -> None:
    fault = key_fault(key)
    assert says in fault
    assert len(key) < 10 or key not in fault


@pytest.mark.parametrize("length", [24, 25, 32, 64])
def test_keys_of_every_allowed_length(length: int) -> None:
    assert key_fault("whsec_" + base64.b64encode(b"x" * length).decode()) == ""
    assert key_fault("whsec_" + base64.b64encode(b"x" * length).decode().rstrip("=")) == ""
