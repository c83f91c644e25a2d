"""ntfy as a platform of the messenger bridge: the manifest only. See README.md."""

from __future__ import annotations

from bridge.model.platform import Manifest, SecretShape

MANIFEST = Manifest(
    platform="ntfy",
    title="ntfy",
    package=__name__,
    credential_keys=("token",),
    secret_shapes=(SecretShape(pattern=r"\btk_[a-z0-9]{20,}"),),
)
