"""The Slack platform. Only the manifest: slack_sdk is imported when an adapter is built."""

from __future__ import annotations

from bridge.model.platform import Manifest, SecretShape

MANIFEST = Manifest(
    platform="slack",
    title="Slack",
    package=__name__,
    credential_keys=("bot_token", "app_token"),
    plain_options=True,
    secret_shapes=(
        # xoxb-, xoxp-, xoxe.xoxp-, xapp-, and the path of incoming webhooks
        SecretShape(pattern=r"\bxo[a-z]{2,3}(?:\.xox[a-z])?-[\w-]{6,}"),
        SecretShape(pattern=r"\bxapp-[\w-]{6,}"),
        SecretShape(pattern=r"(/services/T[A-Z0-9]+/B[A-Z0-9]+/)[A-Za-z0-9]{8,}", kept=r"\1"),
    ),
    user_id=r"[UW](?=.*\d)[A-Z0-9]{7,}",
    chat_id=r"[A-Z](?=.*\d)[A-Z0-9]{7,}",
)
