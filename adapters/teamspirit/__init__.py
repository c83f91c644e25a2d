"""TeamSpirit, and other messengers that a dialect file describes (Mattermost is shipped). The manifest only; see README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.model.adapter import Adapter, AdapterContext, LinkedMessage, Platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from adapters.common.emulation.contract import Emulator
    from bridge.model.capabilities import Capabilities
    from bridge.model.errors import ConfigFault


def _options() -> type[BaseModel]:
    from adapters.teamspirit.config import TeamSpiritOptions

    return TeamSpiritOptions


def _capabilities(options: Any) -> Capabilities:
    from adapters.teamspirit.capabilities import capabilities

    return capabilities(options)


def _check_options(options: Any) -> Sequence[ConfigFault]:
    from adapters.teamspirit.config import check_options

    return check_options(options)


def _needs_public_web(options: Any) -> ConfigFault | None:
    from adapters.teamspirit.config import needs_public_web

    return needs_public_web(options)


def _check_address(address: str) -> str | None:
    from adapters.teamspirit.config import check_address

    return check_address(address)


def _check_thread(thread: str) -> str | None:
    from adapters.teamspirit.config import check_thread

    return check_thread(thread)


def _message_of_link(options: Any, link: str) -> LinkedMessage | None:
    from adapters.teamspirit.links import message_of_link

    return message_of_link(options, link)


def _deaf_after_s(options: Any) -> float | None:
    from adapters.teamspirit.receive import deaf_after_s

    return deaf_after_s(options)


def _build(context: AdapterContext) -> Adapter:
    from adapters.teamspirit.adapter import build

    return build(context)


def _preload() -> None:
    import adapters.teamspirit.adapter  # noqa: F401 - aiohttp, Jinja2 and markdown-it come with it


def _emulator() -> Emulator:
    from adapters.teamspirit.emulator import TeamSpiritEmulator

    return TeamSpiritEmulator()


MANIFEST = Platform(
    platform="teamspirit",
    title="TeamSpirit",
    options=_options,
    capabilities=_capabilities,
    check_options=_check_options,
    check_address=_check_address,
    check_thread=_check_thread,
    build=_build,
    preload=_preload,
    emulator=_emulator,
    bare_options=True,
    needs_public_web=_needs_public_web,
    message_of_link=_message_of_link,
    deaf_after_s=_deaf_after_s,
    credential_keys=("api_key",),
)
