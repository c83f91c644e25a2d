"""Emulators with chats, a bridge.yaml that joins them, and the bridge itself. No page and no printing here.

Used by the command, the self-test, and tests that want the whole thing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from adapters.common.emulation.abilities import HasTopics
from adapters.common.emulation.contract import CallsBridge, EmulatedChat, Emulator
from adapters.registry import load_emulator
from bridge.accounts.back_off import BackOff
from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.config.load import load_config
from bridge.config.model import Config
from bridge.journal.contract import JournalError
from bridge.model.platform import Platform
from bridge.sandbox.rooms import LOBBY, RoomPlan

PEOPLE = ("Anna", "Boris", "Chiara", "Dmitri", "Elif")

_HOST = "127.0.0.1"
_QUICK = BackOff(first_s=0.5, most_s=3.0, parked_first_s=2.0, parked_most_s=4.0, healthy_after_s=5.0)
"""A user is watching: a repaired messenger must be found again within seconds."""
_STOP_LIMIT_S = 1.2


class SandboxError(Exception):
    """The sandbox cannot start; the text says why and what to do."""


class Sandbox:
    """`async with` starts everything. `manifests` and `platforms` are the registry's; each of the `rooms` (a name is
    a plain one) is one chat on every platform and a route that joins them."""

    def __init__(
        self,
        folder: Path,
        *,
        manifests: Callable[[str], Platform],
        platforms: Sequence[str],
        rooms: Sequence[str | RoomPlan] = (LOBBY,),
        log_level: str = "warning",
    ) -> None:
        self.folder = folder
        self.platforms = tuple(platforms)
        self.titles = {platform: manifests(platform).title for platform in platforms}
        self.emulators: dict[str, Emulator] = {}
        self.plans = tuple(room if isinstance(room, RoomPlan) else RoomPlan(name=room) for room in rooms)
        self.rooms: dict[str, dict[str, EmulatedChat]] = {plan.name: {} for plan in self.plans}
        self._manifests = manifests
        self._log_level = log_level
        self._app: App | None = None
        self._was_connected = False

    @property
    def config_path(self) -> Path:
        return self.folder / "bridge.yaml"

    def chats(self) -> Iterator[tuple[str, Emulator, EmulatedChat]]:
        """The chats of all rooms, with their platforms."""
        for chats in self.rooms.values():
            for platform, chat in chats.items():
                yield platform, self.emulators[platform], chat

    def relays(self, platform: str, chat_id: str) -> bool:
        """Whether a route takes what is said in that chat."""
        for plan in self.plans:
            chat = self.rooms[plan.name].get(platform)
            if chat is not None and chat.chat_id == chat_id:
                return not plan.one_way or platform == self.platforms[0]
        return False

    @property
    def app(self) -> App:
        """The running bridge; the accounts are named after their platforms."""
        assert self._app is not None, "the sandbox is not running"
        return self._app

    async def __aenter__(self) -> Sandbox:
        try:
            await self._start_emulators()
            self._app = App(self.write_config(), manifests=self._manifests, back_off=_QUICK)
            await self._app.start()
            for platform, emulator in self.emulators.items():
                if isinstance(emulator, CallsBridge):
                    emulator.bridge_is_at(f"http://{_HOST}:{self._app.public_port}", platform)
        except (JournalError, OSError) as error:
            await self.stop()
            raise SandboxError(str(error)) from error
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def was_connected(self) -> bool:
        """Whether all accounts were up at once, ever: what people say before that, some messengers do not tell the bridge later."""
        self._was_connected = self._was_connected or not self._not_up()
        return self._was_connected

    async def wait_connected(self, timeout_s: float) -> None:
        """Until every account is up. Raises SandboxError that names those that are not."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._not_up():  # noqa: ASYNC110 - account states are polled, as every outsider does
                    await asyncio.sleep(0.02)
        except TimeoutError:
            states = "; ".join(f"{name}: {health.state.value} {health.reason}" for name, health in self._not_up().items())
            raise SandboxError(f"not connected after {timeout_s:g} s: {states}") from None

    async def stop(self) -> None:
        """Ends within seconds, whatever the emulators are made to do; what is not delivered stays in the journal."""
        app, self._app = self._app, None
        try:
            if app is not None:
                async with asyncio.timeout(_STOP_LIMIT_S):
                    await app.stop(drain_s=0.2)
        except TimeoutError:
            pass  # an emulator that hangs on purpose must not keep the sandbox from ending
        finally:
            for emulator in self.emulators.values():
                await emulator.stop()

    # -- parts --------------------------------------------------------------------------------------------------------------

    async def _start_emulators(self) -> None:
        for platform in self.platforms:
            emulator = load_emulator(platform)
            self.emulators[platform] = emulator
            await emulator.start(_HOST)
            for plan in self.plans:
                self.rooms[plan.name][platform] = _new_chat(emulator, plan)
            for person in PEOPLE:
                emulator.add_person(person)

    def write_config(self) -> Config:
        """Write bridge.yaml for the running emulators and read it back, as the daemon does. Raises SandboxError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.config_path.touch(mode=0o600, exist_ok=False)
            self.config_path.write_text(self._yaml(), encoding="utf-8")
        except FileExistsError as error:
            # somebody's own, or another run's, whose journal knows messages that these emulators never saw
            raise SandboxError(f"{self.folder} is in use: {error.filename} is there already; choose a new folder") from error
        except OSError as error:
            raise SandboxError(f"cannot write {self.config_path}: {error.strerror or error}") from error
        loaded = load_config(self.config_path, {}, self._manifests, self.platforms)
        if loaded.config is None:
            raise SandboxError("\n".join(str(fault) for fault in loaded.faults))
        return loaded.config

    def _yaml(self) -> str:
        accounts = {platform: {"platform": platform, **emulator.account_options()} for platform, emulator in self.emulators.items()}
        routes = [self._route(plan) for plan in self.plans]
        people = [
            {"name": person, **{platform: emulator.handle(person) for platform, emulator in self.emulators.items()}}
            for person in PEOPLE
        ]
        port = _free_port()
        public = {"listen": f"{_HOST}:{port}", "url": f"http://{_HOST}:{port}"}
        return "\n".join(
            [
                "# Written by `messenger-bridge sandbox` for the stand-in servers it runs. A real one differs only in the",
                "# accounts: real tokens, and no base URLs. See bridge.yaml.example.",
                "",
                "# One bot or webhook identity per messenger. These tokens are worth nothing outside the sandbox.",
                _section("accounts", accounts),
                "# Which chats are one conversation: account/chat.",
                _section("routes", routes),
                "# These servers limit nothing; for real ones leave out the pace. The other three show more than is usual.",
                _section("defaults", {"pace": "fast", "pins": True, "typing": True, "renames": True}),
                "# Who is who, so that mentions and names are right everywhere.",
                _section("people", people, flow=True),
                "# Where messengers that call us (TeamSpirit's webhooks) reach the bridge.",
                _section("web", {"public": public}),
                "# Everything accepted and not yet delivered, and which copies belong together.",
                _section("journal", {"path": "bridge.journal"}),
                _section("log", {"level": self._log_level}),
            ]
        )

    def _route(self, plan: RoomPlan) -> dict[str, Any]:
        first, *others = [
            f"{platform}/{chat.address}" + ("/*" if plan.with_topics and (chat.names_threads or chat.threads_from_messages) else "")
            for platform, chat in self.rooms[plan.name].items()
        ]
        if plan.one_way:
            return {"name": plan.name, "from": first, "to": others}
        return {"name": plan.name, "between": [first, *others]}

    def _not_up(self) -> Mapping[str, Any]:
        states = self.app.account_states()
        return {name: health for name, health in states.items() if health.state is not AccountState.UP}


def _new_chat(emulator: Emulator, plan: RoomPlan) -> EmulatedChat:
    if plan.with_topics and isinstance(emulator, HasTopics):
        return emulator.add_chat_with_topics(plan.name)
    return emulator.add_chat(plan.name)


class _Indented(yaml.SafeDumper):
    """Lists stand further in than their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _section(name: str, content: object, *, flow: bool = False) -> str:
    def dump(value: object, style: bool) -> str:
        return str(yaml.dump(value, Dumper=_Indented, allow_unicode=True, sort_keys=False, width=110, default_flow_style=style))

    if flow and isinstance(content, list):
        return f"{name}:\n" + "".join(f"  - {dump(entry, True)}" for entry in content)
    return dump({name: content}, False)


def _free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
