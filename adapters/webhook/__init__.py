"""Webhooks: any system that can post, or be posted to, as an end of a route. The manifest only; see README.md."""

from __future__ import annotations

from bridge.model.platform import Manifest, SecretShape

MANIFEST = Manifest(
    platform="webhook",
    title="Webhook",
    package=__name__,
    credential_keys=("secret",),
    plain_options=True,
    takes_keys=True,
    secret_shapes=(SecretShape(pattern=r"\bwhs(?:ec|k)_[A-Za-z0-9+/=]{16,}"),),
    user_id=r"[^\s/]+",
    chat_id=r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
)
