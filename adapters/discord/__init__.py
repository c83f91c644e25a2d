"""Discord: the manifest only. discord.py and pydantic are imported only when an account is used."""

from __future__ import annotations

from bridge.model.platform import Manifest, SecretShape

MANIFEST = Manifest(
    platform="discord",
    title="Discord",
    package=__name__,
    credential_keys=("token",),
    plain_options=True,
    secret_shapes=(
        # bot tokens, and those of webhooks (/webhooks/<id>/<token>) and interactions
        SecretShape(pattern=r"\b[MNO][A-Za-z\d_-]{22,}\.[\w-]{6}\.[\w-]{27,}"),
        SecretShape(pattern=r"(/webhooks/\d{5,}/)[\w-]{8,}", kept=r"\1"),
    ),
)
