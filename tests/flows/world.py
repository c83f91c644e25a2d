"""A whole bridge against the four platforms' emulators, with the real client libraries in between, for flow tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from adapters.common.emulation.contract import CallsBridge, EmulatedChat, Emulator, SeenMessage
from adapters.registry import load_emulator, load_platform
from bridge.accounts.back_off import BackOff
from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.config.load import load_config
from bridge.config.model import Config
from tests.support.patience import eventually

PLATFORMS = ("teamspirit", "telegram", "slack", "discord")
PAIRS = [(origin, target) for origin in PLATFORMS for target in PLATFORMS if origin != target]
QUICK = BackOff(first_s=0.1, most_s=0.5, parked_first_s=0.2, parked_most_s=0.5, healthy_after_s=5)

T = TypeVar("T")


class World:
    """Emulators of all platforms, one chat on each, one route between them, and a bridge that can be started and stopped."""

    def __init__(self, folder: Path, platforms: Sequence[str] = PLATFORMS) -> None:
        self.folder = folder
        self.emulators: dict[str, Emulator] = {name: load_emulator(name) for name in platforms}
        self.chats: dict[str, EmulatedChat] = {}
        self.settings: dict[str, Any] = {}
        self.route_options: dict[str, Any] = {}
        self.account_options: dict[str, dict[str, Any]] = {}
        """Further options of single accounts."""
        self.app_parts: dict[str, Any] = {}
        """Further arguments of the `App`."""
        self.app: App | None = None

    async def start_platforms(self) -> None:
        for name, emulator in self.emulators.items():
            await emulator.start()
            self.chats[name] = emulator.add_chat("lobby")

    async def stop_platforms(self) -> None:
        for emulator in self.emulators.values():
            await emulator.stop()

    def document(self) -> dict[str, Any]:
        """bridge.yaml as it is at this moment; accounts are named after their platforms."""
        accounts = {
            name: {"platform": name, **emulator.account_options(), **self.account_options.get(name, {})}
            for name, emulator in self.emulators.items()
        }
        ends = [f"{name}/{chat.address}" for name, chat in self.chats.items()]
        return {
            "accounts": accounts,
            "routes": [{"name": "lobby", "between": ends, **self.route_options}],
            "journal": {"path": str(self.folder / "bridge.journal")},
            "defaults": {"pace": "fast"},  # emulators limit nothing unless a test says so
            "media": {"convert": "off"},  # a busy machine would change whether a file comes with its words or behind them
            **self.settings,
        }

    def write_config(self) -> Path:
        path = self.folder / "bridge.yaml"
        path.write_text(yaml.safe_dump(self.document(), allow_unicode=True))
        return path

    def config(self) -> Config:
        loaded = load_config(self.write_config(), {}, manifests=load_platform)
        assert loaded.config is not None, "\n".join(map(str, loaded.faults))
        return loaded.config

    async def start_bridge(self, *, wait_up: bool = True) -> App:
        self.app = App(self.config(), manifests=load_platform, back_off=QUICK, **self.app_parts)
        await self.app.start()
        for name, emulator in self.emulators.items():
            if isinstance(emulator, CallsBridge):
                emulator.bridge_is_at(f"http://127.0.0.1:{self.app.public_port}", name)
        if wait_up:
            await self.all_up()
        return self.app

    async def stop_bridge(self) -> None:
        if self.app is not None:
            app, self.app = self.app, None
            await app.stop(drain_s=5)

    async def all_up(self, *names: str) -> None:
        for name in names or tuple(self.emulators):
            await self.until_state(name, AccountState.UP)

    async def until_state(self, name: str, *states: AccountState) -> None:
        assert self.app is not None
        app = self.app
        await eventually(
            lambda: app.account_states()[name].state in states,
            what=f"{name} in {[str(s) for s in states]}; it is {app.account_states()[name]}",
        )

    # what people do and see

    async def say(self, platform: str, text: str, **more: Any) -> str:
        return await self.emulators[platform].say(self.chats[platform].chat_id, more.pop("person", "Anna"), text, **more)

    def seen(self, platform: str) -> list[SeenMessage]:
        return list(self.emulators[platform].transcript(self.chats[platform].chat_id))

    def copies(self, platform: str, needle: str) -> list[SeenMessage]:
        """Messages of bots on that platform that contain the text."""
        return [message for message in self.seen(platform) if message.is_bot and needle in message.text and not message.deleted]

    async def copy(self, platform: str, needle: str) -> SeenMessage:
        """The only copy on that platform, once it is there."""
        found = await eventually(lambda: self.copies(platform, needle), what=f"{needle!r} on {platform}: {self.texts(platform)}")
        assert len(found) == 1, found
        return found[0]

    def texts(self, platform: str) -> list[str]:
        return [message.text for message in self.seen(platform)][-20:]
