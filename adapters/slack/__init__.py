"""The Slack platform. Only the manifest: slack_sdk is imported when an adapter is built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bridge.model.adapter import Adapter, AdapterContext, LinkedMessage, Platform
from bridge.model.capabilities import Capabilities
from bridge.model.errors import ConfigFault

if TYPE_CHECKING:
    from pydantic import BaseModel

    from adapters.common.emulation.contract import Emulator


def _options() -> type[BaseModel]:
    from adapters.slack.config import SlackOptions

    return SlackOptions


def _capabilities(options: Any) -> Capabilities:
    from adapters.slack.capabilities import capabilities_for

    return capabilities_for(options)


def _check_options(options: Any) -> Sequence[ConfigFault]:
    from adapters.slack.config import check_options

    return check_options(options)


def _needs_public_web(options: Any) -> ConfigFault | None:
    from adapters.slack.config import needs_public_web

    return needs_public_web(options)


def _check_address(address: str) -> str | None:
    from adapters.slack.addresses import check_address

    return check_address(address)


def _check_thread(thread: str) -> str | None:
    from adapters.slack.addresses import check_thread

    return check_thread(thread)


def _preload() -> None:
    import adapters.slack.adapter  # noqa: F401


def _deaf_after_s(options: Any) -> float | None:
    """On a socket both sides send pings, Slack every few seconds; by HTTP nothing comes while nothing happens."""
    from adapters.slack.choices import Events

    return 120.0 if options.events is Events.SOCKET else None


def _message_of_link(options: Any, link: str) -> LinkedMessage | None:
    from adapters.slack.links import message_of_link

    return message_of_link(options, link)


def _build(context: AdapterContext) -> Adapter:
    from adapters.slack.adapter import SlackAdapter

    return SlackAdapter(context)


def _emulator() -> Emulator:
    from adapters.slack.emulator import SlackEmulator

    return SlackEmulator()


MANIFEST = Platform(
    platform="slack",
    title="Slack",
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
    credential_keys=("bot_token", "app_token"),
)
