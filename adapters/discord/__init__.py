"""Discord: the manifest only. Nothing heavy is imported before an account is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.discord.capabilities import capabilities
from adapters.discord.config import DiscordOptions, check_address, check_options, check_thread
from bridge.contract import Adapter, AdapterContext, Manifest

if TYPE_CHECKING:
    from bridge.emulator import Emulator


def _build(context: AdapterContext) -> Adapter:
    from adapters.discord.adapter import DiscordAdapter

    return DiscordAdapter(context)


def _preload() -> None:
    import adapters.discord.adapter  # noqa: F401


def _emulator() -> Emulator:
    from adapters.discord.emulator import DiscordEmulator

    return DiscordEmulator()


def _options() -> type[Any]:
    return DiscordOptions


MANIFEST = Manifest(
    platform="discord",
    title="Discord",
    options=_options,
    capabilities=capabilities,
    check_options=check_options,
    check_address=check_address,
    check_thread=check_thread,
    build=_build,
    preload=_preload,
    emulator=_emulator,
    credential_keys=("token",),
)
