"""TeamSpirit, and other messengers that a dialect file describes (Mattermost is shipped). The manifest only; see README.md."""

from __future__ import annotations

from bridge.model.platform import Manifest, SecretShape

MANIFEST = Manifest(
    platform="teamspirit",
    title="TeamSpirit",
    package=__name__,
    credential_keys=("api_key",),
    plain_options=True,
    secret_shapes=(
        # incoming webhooks: /hooks/<key>; Rocket.Chat's are /hooks/<id>/<key>, Pachca's /webhooks/<key>
        SecretShape(pattern=r"(https?://[^\s\"'<>]*/(?:web)?hooks/)[A-Za-z0-9]{20,}(?:/[A-Za-z0-9]+)?\b", kept=r"\1"),
    ),
    # UUIDs, and Mattermost's ids
    mentions_by_username=True,
    user_id=r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-z]{26}|[\d-]+",
)
