"""Discord: the manifest only. discord.py and pydantic are imported when an account is looked at, not before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bridge.model.adapter import Adapter, AdapterContext, LinkedMessage, Platform

if TYPE_CHECKING:
    from pydantic import BaseModel

    from adapters.common.emulation.contract import Emulator
    from bridge.model.capabilities import Capabilities
    from bridge.model.errors import ConfigFault

_CHANNEL_NAME = re.compile(r"#?[^\s/#@:`]{1,100}")


def _options() -> type[BaseModel]:
    from adapters.discord.config import DiscordOptions

    return DiscordOptions


def _capabilities(options: Any) -> Capabilities:
    from adapters.discord.capabilities import capabilities

    return capabilities(options)


def _check_options(options: Any) -> Sequence[ConfigFault]:
    from adapters.discord.config import check_options

    return check_options(options)


def _check_address(address: str) -> str | None:
    """A channel's id (Developer Mode, Copy Channel ID), or its name if it is unique among the bot's servers."""
    if address.isdecimal():
        return None if 15 <= len(address) <= 20 else "a Discord channel id has 17 to 20 digits"
    return None if _CHANNEL_NAME.fullmatch(address) else "a Discord channel is its id, or its name if only one has it"


def _check_thread(thread: str) -> str | None:
    return None if thread.isdecimal() and 15 <= len(thread) <= 20 else "a Discord thread is its id, 17 to 20 digits"


def _deaf_after_s(_: Any) -> float:
    """Heartbeats are due every 41.25 s, and answered."""
    return 120.0


def _message_of_link(_: Any, link: str) -> LinkedMessage | None:
    from adapters.discord.links import message_of_link

    return message_of_link(link)


def _build(context: AdapterContext) -> Adapter:
    from adapters.discord.adapter import DiscordAdapter

    return DiscordAdapter(context)


def _preload() -> None:
    import adapters.discord.adapter  # noqa: F401


def _emulator() -> Emulator:
    from adapters.discord.emulator import DiscordEmulator

    return DiscordEmulator()


MANIFEST = Platform(
    platform="discord",
    title="Discord",
    options=_options,
    capabilities=_capabilities,
    check_options=_check_options,
    check_address=_check_address,
    check_thread=_check_thread,
    build=_build,
    preload=_preload,
    emulator=_emulator,
    bare_options=True,
    message_of_link=_message_of_link,
    deaf_after_s=_deaf_after_s,
    credential_keys=("token",),
)
