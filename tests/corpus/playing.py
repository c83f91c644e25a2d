"""Plays cases: their payloads on the wire of their platform, the real bridge in between, and what people elsewhere then see.

`play` gives what an expectation file holds: `events`, what the adapter made of the payloads, and `shown`, the messages of every
other platform as its stand-in displays them, the last state of each. One bridge plays all cases of an origin, one after the other:
a line of somebody's own separates them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from adapters.common.emulation.contract import CallsBridge
from adapters.registry import load_platform
from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.model.adapter import Adapter, Cursor, Intake
from bridge.model.errors import AccountDown
from bridge.model.events import ChatEvent
from bridge.model.platform import AdapterContext, Platform
from tests.corpus.case import Case
from tests.corpus.dialect_servers import server_of
from tests.corpus.origins import Origin, origin_of, own_part, sender_of
from tests.corpus.readable import plain, shown_event, shown_messages
from tests.flows.world import PLATFORMS, QUICK, World
from tests.support.network import free_port
from tests.support.patience import eventually

Json = dict[str, Any]

PATIENCE_S = 90.0
EVERYTHING = {
    **{"merge": False, "distinct_names": "off", "tally_every_s": 1},
    **{"membership": True, "renames": True, "pins": True, "statuses": True},
}
"""Options of the route: all is told that can be, each message by itself, soon, and cases have no people in common."""
_STATES = ("waiting", "sending", "held", "dead", "delivered", "skipped", "behind")
_OPEN = (0, 1, 6)
_READ_ALREADY = "already read from the history"
"""TeamSpirit's webhook and history tell the same; which of them is first is a matter of time."""
_MARK = "-- step"


class Told:
    """What one account's adapter told the core, in its order."""

    def __init__(self) -> None:
        self.lines: list[Json] = []
        self.events: list[ChatEvent] = []
        self.keys: set[str] = set()
        """Of what was told: what comes again is no news to the core either."""


class Listening:
    """An intake that passes everything on and remembers it."""

    def __init__(self, intake: Intake, told: Told) -> None:
        self._intake = intake
        self._told = told

    def __getattr__(self, name: str) -> Any:
        return getattr(self._intake, name)

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        new = [event for event in events if event.meta.event_key not in self._told.keys]
        self._told.keys.update(event.meta.event_key for event in new)
        self._told.events.extend(new)
        self._told.lines.extend(shown_event(event) for event in new if not event.meta.sent_by_us)
        await self._intake.accept(events, cursors=cursors)

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        self._told.lines.append({"undecodable": reason})
        await self._intake.undecodable(raw, reason, cursors=cursors)

    def ignored(self, reason: str) -> None:
        if reason != _READ_ALREADY:
            self._told.lines.append({"ignored": reason})
        self._intake.ignored(reason)

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        self._told.lines.append({"notice": f"{reason}; {action}"})
        self._intake.notice(reason, action, chat_id=chat_id)

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        self._told.lines.append({"moved": f"{old_chat_id} to {new_chat_id}"})
        await self._intake.chat_moved(old_chat_id, new_chat_id)


class CorpusWorld(World):
    """The world of the flow tests, for the cases of one origin; with a server of another messenger in the place of TeamSpirit where
    they come from one."""

    def __init__(self, folder: Path, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.origin = cases[0].origin
        self.server = server_of(self.origin)
        targets = [name for name in PLATFORMS if self.server is None or name != "teamspirit"]
        super().__init__(folder, [*targets, "webhook"] if self.origin == "webhook" else targets)
        self.told = Told()
        self.route_options = dict(cases[0].route)
        self.steps = 0
        """How many marks were said."""
        self.began = datetime.now(UTC)
        """What the moment of the payloads stands for."""
        if self.origin in ("teamspirit", "webhook", "pachca", "rocketchat") or any(case.public for case in cases):
            port = free_port()
            self.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}

    @property
    def targets(self) -> list[str]:
        return [name for name in self.emulators if name != self.origin]

    def document(self) -> Json:
        document = super().document()
        if self.server is not None:
            document["accounts"][self.origin] = {"platform": "teamspirit", **self.server.account()}
            document["routes"][0]["between"].append(f"{self.origin}/{self.server.chat}")
        if self.origin == "webhook":
            document["accounts"]["webhook"]["ends"] |= {sender_of(case): case.account for case in self.cases}
            (route,) = document["routes"]
            route["to"] = [end for end in route.pop("between") if not end.startswith("webhook/")]
            route["from"] = [
                f"webhook/{self.chats['webhook'].address}",
                *(f"webhook/{sender_of(case)}" for case in self.cases),
            ]
        else:
            for case in self.cases:
                document["accounts"][self.origin].update(case.account)
        return document

    async def start_bridge(self, *, wait_up: bool = True) -> App:
        self.app = App(self.config(), manifests=self._manifest, back_off=QUICK, **self.app_parts)
        await self.app.start()
        for name, emulator in self.emulators.items():
            if isinstance(emulator, CallsBridge):
                emulator.bridge_is_at(f"http://127.0.0.1:{self.app.public_port}", name)
        await self.all_up()
        await self.until_state(self.origin, AccountState.UP)
        return self.app

    def _manifest(self, platform: str) -> Platform:
        known = load_platform(platform)

        def build(context: AdapterContext) -> Adapter:
            adapter = known.build(context)
            if context.account == self.origin:
                run = adapter.run

                async def listening(intake: Intake) -> None:
                    try:
                        await run(Listening(intake, self.told))
                    except AccountDown as error:
                        self.told.lines.append({"account down": f"{error.reason}; {error.action}"})
                        raise

                adapter.run = listening  # type: ignore[method-assign]
            return adapter

        return msgspec.structs.replace(known, build=build)

    def deliveries(self, since: int = 0) -> list[tuple[int, str, int, str]]:
        return deliveries(self.folder / "bridge.journal", since)


@asynccontextmanager
async def started(folder: Path, *cases: Case) -> AsyncIterator[CorpusWorld]:
    """The world for these cases, all of one origin. The route has the options of the first."""
    world = CorpusWorld(folder, cases)
    if world.server is not None:
        await world.server.start()
    await world.start_platforms()
    try:
        await world.start_bridge()
        world.began = datetime.now(UTC)
        yield world
    finally:
        await world.stop_bridge()
        await world.stop_platforms()
        if world.server is not None:
            await world.server.stop()


async def play(case: Case, world: CorpusWorld) -> Json:
    """What came of the case. Raises AssertionError if something does not arrive; the world is of no use then."""
    origin = world.server.origin(case, world, world.began) if world.server else origin_of(case, world, world.began)
    await arrived(world, origin, world.targets, world.steps)
    old = {name: {message.message_id for message in world.seen(name)} for name in world.targets}
    since = max((delivery[0] for delivery in world.deliveries()), default=0)
    world.told.lines.clear()
    for number, payload in enumerate(case.payloads):
        if number and origin.is_change(payload):
            await settled(world, origin, since)
        await origin.deliver(payload)
    await settled(world, origin, since)
    told = [line for line in world.told.lines if _MARK not in str(line)]
    shown = {
        name: [seen for seen in world.seen(name) if _MARK not in seen.text and seen.message_id not in old[name]]
        for name in world.targets
    }
    # events are handed over in batches, what comes of nothing at once: their order among each other is a matter of time
    played: Json = {"events": [line for line in told if "kind" in line]}
    if others := [line for line in told if "kind" not in line]:
        played["left out"] = others
    played["shown"] = {name: shown_messages(seen) for name, seen in shown.items()}
    if fates := other_fates(world.folder / "bridge.journal", since):
        played["not delivered"] = fates
    here = {world.server.url: f"http://{world.origin}.example"} if world.server is not None else {}
    own = {own_part(case): ""} if world.origin in ("teamspirit", "mattermost") else {}
    return plain(played, world, shown, here | own | {sender_of(case): "sender"})


async def settled(world: CorpusWorld, origin: Origin, since: int) -> None:
    """Everything before is at every target, also what needs no place in the line: reactions, changes of threads."""
    await arrived(world, origin, world.targets, world.steps)
    await eventually(
        lambda: not any(state in _OPEN for _, _, state, _ in world.deliveries(since)),
        what=f"all of it is delivered or given up: {world.deliveries(since)}",
        within_s=PATIENCE_S,
    )


async def arrived(world: CorpusWorld, origin: Origin, targets: Sequence[str], number: int) -> None:
    """Everything before is at every target: what somebody says now is there."""
    mark = f"{_MARK} {number} --"
    world.steps = number + 1
    await origin.say(mark)
    for target in targets:
        await eventually(
            lambda target=target: world.copies(target, mark),
            what=f"{mark} on {target}, behind the payloads of {world.origin}; it shows {world.texts(target)}",
            within_s=PATIENCE_S,
        )


def deliveries(journal: Path, since: int = 0) -> list[tuple[int, str, int, str]]:
    """Of everything accepted later than the delivery `since`: its number, the target, the state and the note on it."""
    query = "SELECT delivery.id, account, state, note FROM delivery JOIN lane ON lane.id = delivery.lane WHERE delivery.id > ?"
    with closing(sqlite3.connect(journal)) as connection:
        return connection.execute(f"{query} ORDER BY delivery.id", (since,)).fetchall()


def other_fates(journal: Path, since: int = 0) -> list[str]:
    """What became of the deliveries that did not simply arrive: skipped by which rule, dead for which reason."""
    return [
        f"{account}: {_STATES[state]}{f': {note}' if note else ''}"
        for _, account, state, note in deliveries(journal, since)
        if _STATES[state] != "delivered"
    ]
