"""Telegram bots. The manifest only: aiogram is imported when an adapter is built (see `lazy_aiogram`)."""

from __future__ import annotations

from bridge.model.platform import Manifest, SecretShape

MANIFEST = Manifest(
    platform="telegram",
    title="Telegram",
    package=__name__,
    credential_keys=("token",),
    plain_options=True,
    secret_shapes=(
        # <bot id>:<35 characters>, alone or in a URL (/bot<token>/ and /file/bot<token>/)
        SecretShape(pattern=r"(?<![A-Za-z0-9])(bot)?\d{6,14}(?::|%3[Aa])[\w-]{30,}", kept=r"\1"),
        SecretShape(pattern=r"(/bot)[^/\s\"'<>]*:[^/\s\"'<>]+(?=/)", kept=r"\1"),
    ),
)
