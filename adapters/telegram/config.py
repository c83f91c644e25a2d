"""The options of a telegram account in bridge.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from adapters.common.options import HttpUrl, NetworkOptions, SecretStr, unsendable
from adapters.common.tls import ca_file_faults
from bridge.model.errors import ConfigFault

CLOUD_URL = "https://api.telegram.org"


class TelegramOptions(NetworkOptions):
    """One bot."""

    token: SecretStr = Field(description="bot token from @BotFather, like 123456:ABC-DEF...")
    base_url: HttpUrl = Field(CLOUD_URL, description="Bot API server, if it is not Telegram's own")
    local_server: bool = Field(
        False,
        description="base_url is a Bot API server run with --local: files up to 2000 MB, read from the disk we share with it",
    )
    poll_timeout_s: int = Field(50, ge=1, le=50, description="how long one getUpdates call waits for updates")
    album_wait_s: float = Field(
        0.8,
        ge=0.05,
        le=10,
        description="how long after its last file an album counts as complete; Telegram does not say when it is",
    )
    files_root: Path | None = Field(
        None, description="where the local server's file directory is mounted here, if its path differs (with local_server)"
    )
    take_over_webhook: bool = Field(
        False, description="delete a webhook that is set for this bot, instead of stopping with an explanation"
    )


Options = TelegramOptions


def check_options(options: TelegramOptions) -> Sequence[ConfigFault]:
    faults = ca_file_faults(options.ca_file) + unsendable("token", options.token)
    if options.files_root is not None and not options.local_server:
        faults.append(ConfigFault("is only for a local server", key="files_root", hint="set local_server: true as well"))
    return faults
