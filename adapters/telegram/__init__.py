"""Telegram bots. The manifest only: aiogram is imported when an adapter is built (see `lazy_aiogram`)."""

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


def _options() -> type[BaseModel]:
    from adapters.telegram.config import TelegramOptions

    return TelegramOptions


def _capabilities(options: Any) -> Capabilities:
    from adapters.telegram.capabilities import capabilities

    return capabilities(local_server=bool(options is not None and options.local_server))


def _check_options(options: Any) -> Sequence[ConfigFault]:
    from adapters.common.tls import ca_file_faults
    from bridge.model.errors import ConfigFault

    faults = ca_file_faults(options.ca_file)
    if options.files_root is not None and not options.local_server:
        faults.append(ConfigFault("is only for a local server", key="files_root", hint="set local_server: true as well"))
    return faults


def _check_address(address: str) -> str | None:
    if re.fullmatch(r"-?\d{1,19}", address) or re.fullmatch(r"@[A-Za-z]\w{3,31}", address, re.ASCII):
        return None
    return "a Telegram chat is a number like -1001234567890, or the @username of a public group or channel"


def _check_thread(thread: str) -> str | None:
    if thread == "1":
        return "the General topic has no number of its own: leave it out"
    return None if re.fullmatch(r"[1-9]\d{0,18}", thread) else "a Telegram topic is a number"


def _deaf_after_s(options: Any) -> float:
    """A poll comes back within `poll_timeout_s`; a failed one is repeated within the time of a request."""
    return float(options.poll_timeout_s + 2 * options.request_timeout_s)


def _message_of_link(_: Any, link: str) -> LinkedMessage | None:
    from adapters.telegram.links import message_of_link

    return message_of_link(link)


def _build(context: AdapterContext) -> Adapter:
    from adapters.telegram.adapter import TelegramAdapter

    return TelegramAdapter(context)


def _preload() -> None:
    import adapters.telegram.adapter  # noqa: F401


def _emulator() -> Emulator:
    from adapters.telegram.emulator import TelegramEmulator

    return TelegramEmulator()


MANIFEST = Platform(
    platform="telegram",
    title="Telegram",
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
