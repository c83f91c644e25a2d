"""The real intake, journal, outbox and supervisor with a virtual clock, between scripted platforms that fail by a seeded plan.

Sends fail, hang or arrive unanswered; there are rate limits, lost connections, refused credentials, redelivered input, process
deaths, a full disk, a stepping clock. One seed is one history. The platforms know the truth: what people said (`said`), and
what was really posted where; `check` compares the two.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bridge.app import App
from bridge.contract import AdapterContext, Cursor, Intake, Manifest, Outbound, OutboundEdit, Receipt
from bridge.errors import AccountDown, ConnectionLost, OutcomeUnknown, Rejected, RetryLater, Scope
from bridge.events import ChatEvent, MessageCreated, MessageEdited
from bridge.journal.contract import JournalError
from bridge.journal.sqlite import SqliteJournal
from bridge.routing import Route
from bridge.text import text_of
from tests.bridge.machinery.scripted import Posted, ScriptedAdapter, ScriptedPlatform, bridge, end
from tests.faults.virtual_time import VirtualClock, VirtualLoop


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How bad the world is. Probabilities are per send, per batch or per minute."""

    seed: int
    chats: int = 3
    messages: int = 200
    platforms: tuple[tuple[str, bool], ...] = (("one", True), ("two", True), ("three", False))
    """Name, and whether it can be asked what became of a message."""
    duration_s: float = 3600.0
    send_fails: float = 0.05
    send_unknown: float = 0.03
    send_limited: float = 0.03
    send_refused: float = 0.005
    connection_lost: float = 0.02
    redelivered: float = 0.1
    account_down: float = 0.002
    disk_full: float = 0.005
    deaths: int = 3
    clock_steps: int = 2
    edits: float = 0.05


class Dead(BaseException):
    """The process died here."""


class MortalJournal(SqliteJournal):
    """The real journal, in a process that can die: from then on nothing that it is asked is ever answered."""

    def __init__(self, path: Path, simulation: Simulation) -> None:
        super().__init__(path)
        self._simulation = simulation

    async def _real(self, call: Any, *, mortal: bool = False) -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        if self._simulation.dying and not mortal:
            call.close()
            await asyncio.Event().wait()
        loop.threads_busy += 1
        try:
            return await call
        finally:
            loop.threads_busy -= 1

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        async def wrapped(*arguments: Any, **more: Any) -> Any:
            if name in ("accept", "record") and self._simulation.full():
                raise JournalError("the disk is full")
            return await self._real(found(*arguments, **more), mortal=name in ("open", "close"))

        return wrapped


@dataclass
class SimulatedPlatform(ScriptedPlatform):
    """Keeps its events until they are confirmed, like a server; fails by chance."""

    upstream: deque[ChatEvent] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    rng: random.Random = field(default_factory=random.Random)
    plan: Plan | None = None
    said: dict[str, list[str]] = field(default_factory=dict)
    last_confirmed: list[ChatEvent] = field(default_factory=list)
    down_until_s: float = 0.0

    def hear(self, *events: ChatEvent) -> None:
        self.upstream.extend(events)
        self.arrived.set()

    def manifest(self) -> Manifest:
        from msgspec.structs import replace

        return replace(super().manifest(), build=lambda context: SimulatedAdapter(self, context))


class SimulatedAdapter(ScriptedAdapter):
    platform: SimulatedPlatform

    def __init__(self, platform: SimulatedPlatform, context: AdapterContext) -> None:
        super().__init__(platform, context)

    def _check_account(self) -> None:
        if asyncio.get_running_loop().time() < self.platform.down_until_s:
            raise AccountDown("the credential is refused", action="make a new one")

    async def run(self, intake: Intake) -> None:
        platform = self.platform
        assert platform.plan is not None
        await asyncio.sleep(platform.rng.uniform(0.01, 0.5))
        self._check_account()
        intake.connected()
        while True:
            if not platform.upstream:
                platform.arrived.clear()
                await platform.arrived.wait()
            if platform.rng.random() < platform.plan.connection_lost:
                raise ConnectionLost("the stream was cut")
            self._check_account()
            batch = [platform.upstream[index] for index in range(min(len(platform.upstream), platform.rng.randint(1, 20)))]
            again = platform.last_confirmed if platform.rng.random() < platform.plan.redelivered else []
            await intake.accept([*again, *batch], cursors=[Cursor(name="at", value=batch[-1].meta.event_key)])
            for event in batch:  # confirmed
                if platform.upstream and platform.upstream[0] is event:
                    platform.upstream.popleft()
            platform.last_confirmed = batch

    async def _meet_fault(self, post: Any) -> Any:
        platform, rng = self.platform, self.platform.rng
        assert platform.plan is not None
        platform.sends += 1
        await asyncio.sleep(rng.uniform(0.01, 0.3))
        self._check_account()
        plan, chance = platform.plan, rng.random()
        for probability, outcome in (
            (plan.send_fails, RetryLater("not now")),
            (
                plan.send_limited,
                RetryLater("too many", after_s=rng.uniform(1, 30), rate_limited=True, scope=rng.choice(list(Scope))),
            ),
            (plan.send_unknown, OutcomeUnknown("no answer")),
        ):
            if chance < probability:
                raise outcome
            chance -= probability
        result = post()
        await asyncio.sleep(rng.uniform(0.0, 0.05))
        if chance < plan.send_unknown:
            raise OutcomeUnknown("the answer was lost")
        return result

    async def send(self, outbound: Outbound) -> Receipt:
        text = text_of(outbound.text)
        assert self.platform.plan is not None
        if random.Random(f"{self.platform.name} {text}").random() < self.platform.plan.send_refused:
            raise Rejected("not wanted here")
        return await super().send(outbound)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await super().edit(outbound)


class Simulation:
    """One history. `run` plays it and returns what went through the machinery."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.rng = random.Random(plan.seed)
        self.dying = False
        self.full_until_s = 0.0
        self.clock = VirtualClock()
        self.platforms = [
            SimulatedPlatform(name, reconciles=reconciles, rng=random.Random(f"{plan.seed} {name}"), plan=plan)
            for name, reconciles in plan.platforms
        ]
        self.routes = [
            Route(name=f"route{number}", ends=tuple(end(f"{platform.name}/c{number}") for platform in self.platforms))
            for number in range(plan.chats)
        ]
        self.edited: dict[str, str] = {}
        self.deaths = 0
        self.app: App | None = None

    def full(self) -> bool:
        return asyncio.get_running_loop().time() < self.full_until_s

    async def run(self) -> None:
        for platform in self.platforms:
            platform.arrived = asyncio.Event()
        people = asyncio.create_task(self._people(), name="people")
        trouble = asyncio.create_task(self._trouble(), name="trouble")
        for moment in sorted(self.rng.uniform(0, self.plan.duration_s) for _ in range(self.plan.deaths)):
            await self._live(until_s=moment)
            await self._die()
        await self._start()
        await people
        trouble.cancel()
        self.full_until_s = 0.0
        await self._settle()
        assert self.app is not None
        self.letters = [*await self._all_letters()]
        assert self.app._outbox is not None
        self.lanes_left = self.app._outbox.active_lanes
        await self.app.stop(drain_s=0)

    async def _all_letters(self) -> Sequence[Any]:
        assert self.app is not None
        found: list[Any] = []
        while True:
            more = await self.app._journal.dead_letters(after=found[-1].delivery_id if found else 0, limit=100)
            found.extend(more)
            if len(more) < 100:
                return found

    async def _live(self, *, until_s: float) -> None:
        loop = asyncio.get_running_loop()
        if until_s <= loop.time():
            return
        await self._start()
        await asyncio.sleep(until_s - loop.time())

    async def _start(self) -> None:
        self.dying = False
        journal = MortalJournal(self.folder / "bridge.journal", self)
        self.app = bridge(self.folder, self.platforms, self.routes, clock=self.clock, journal=journal)
        await self.app.start()

    async def _die(self) -> None:
        """As SIGKILL: whatever runs stops where it stands; only what is on disk remains."""
        if self.app is None:
            return
        self.deaths += 1
        self.dying = True
        app, self.app = self.app, None
        doomed = [*app._running.values(), *app._services]
        for task in doomed:
            task.cancel()
        await asyncio.gather(*doomed, return_exceptions=True)
        await app._journal.close()

    async def _people(self) -> None:
        mean_s = self.plan.duration_s / self.plan.messages
        for number in range(self.plan.messages):
            await asyncio.sleep(self.rng.expovariate(1 / mean_s))
            platform = self.rng.choice(self.platforms)
            chat = f"c{self.rng.randrange(self.plan.chats)}"
            text = f"{platform.name} {number}"
            message_id = platform.say(text, chat=chat, number=1_000_000 + number)
            platform.said.setdefault(chat, []).append(text)
            if self.rng.random() < self.plan.edits:
                platform.edit(message_id, f"{text} edited", chat=chat)
                self.edited[text] = f"{text} edited"

    async def _trouble(self) -> None:
        """Once a minute something may happen to the machine or an account."""
        steps = self.plan.clock_steps
        while True:
            await asyncio.sleep(60)
            if self.rng.random() < self.plan.disk_full:
                self.full_until_s = asyncio.get_running_loop().time() + self.rng.uniform(5, 120)
            for platform in self.platforms:
                if self.rng.random() < self.plan.account_down:
                    platform.down_until_s = asyncio.get_running_loop().time() + self.rng.uniform(10, 3600)
            if steps and self.rng.random() < 0.05:
                steps -= 1
                self.clock.step(timedelta(seconds=self.rng.uniform(-7200, 7200)))

    async def _settle(self) -> None:
        """People are silent and the world is kind: everything must end, within a day."""
        kind = Plan(
            seed=0, send_fails=0, send_unknown=0, send_limited=0, send_refused=0, connection_lost=0, redelivered=0, account_down=0
        )
        for platform in self.platforms:
            platform.plan = kind
            platform.down_until_s = 0.0
        deadline = asyncio.get_running_loop().time() + 86400
        assert self.app is not None
        while True:
            await asyncio.sleep(30)
            open_lanes = await self.app._journal.open_lanes()
            if not open_lanes and not any(platform.upstream for platform in self.platforms):
                return
            assert asyncio.get_running_loop().time() < deadline, f"never ended: {open_lanes}"

    # -- the invariants -----------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every message is in every other chat of its route, or a dead letter with a reason; never twice where the platform can be
        asked; in order; edits in place; nothing is left in memory."""
        assert self.lanes_left == 0
        dead = Counter((str(letter.target), _first(letter.event)) for letter in self.letters)
        assert all(letter.reason for letter in self.letters)
        for number in range(self.plan.chats):
            for target in self.platforms:
                posted = target.posted(f"c{number}")
                for origin in self.platforms:
                    if origin is not target:
                        self._check_pair(origin, target, f"c{number}", posted, dead)

    def _check_pair(
        self, origin: SimulatedPlatform, target: SimulatedPlatform, chat: str, posted: Sequence[Posted], dead: Counter[Any]
    ) -> None:
        where = f"seed {self.plan.seed}: {origin.name} -> {target.name}/{chat}"
        arrived = [message.text.removesuffix(" edited") for message in posted if message.text.startswith(origin.name + " ")]
        expected = [text for text in origin.said.get(chat, []) if not dead[f"{target.name}/{chat}", text]]
        once = list(dict.fromkeys(arrived))
        missing = [text for text in expected if text not in set(arrived)]
        assert not missing, f"{where}: lost {missing}"
        assert once == [text for text in origin.said.get(chat, []) if text in set(once)], f"{where}: out of order"
        if target.reconciles:
            doubled = [text for text, count in Counter(arrived).items() if count > 1]
            assert not doubled, f"{where}: doubled {doubled}"
        shown = {message.text.removesuffix(" edited"): message.text for message in posted}
        for text in once:
            if text in self.edited and not dead[f"{target.name}/{chat}", self.edited[text]]:
                assert shown[text] == self.edited[text], f"{where}: edit of {text!r} is missing"


def _first(event: ChatEvent) -> str:
    assert isinstance(event, MessageCreated | MessageEdited)
    return text_of(event.content.text)
