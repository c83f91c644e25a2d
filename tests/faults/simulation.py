"""The real intake, journal, outbox and supervisor with a virtual clock, between simulated platforms that fail by a seeded plan.

Sends fail, hang or arrive unanswered; there are rate limits, lost connections, refused credentials, redelivered input, process
deaths, a full disk, a stepping clock, bugs, an admin who changes routes and accounts. One seed is one history, always the same one.
The platforms know the truth: what people said, and what was really posted where; `checks.check` compares the two.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bridge.app import App
from bridge.config.model import Config
from bridge.journal.contract import DeadLetter, JournalError
from bridge.model.capabilities import UNLIMITED, Rates
from bridge.policy.routing import Route
from tests.faults.life import InlineJournal, Life
from tests.faults.platform import KIND, WORD, Faults, Said, SimulatedPlatform
from tests.faults.settings import Settings
from tests.faults.virtual_time import START, VirtualClock, run_virtually
from tests.support.scripted import ScriptedAdapter, bridge, end

DAY_S = 86400.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One history: who talks how much, and how bad the world is."""

    seed: int
    chats: int = 3
    messages: int = 200
    platforms: tuple[tuple[str, bool], ...] = (("one", True), ("two", True), ("three", False))
    """Name, and whether it can be asked what became of a message."""
    duration_s: float = 3600.0
    office_hours: bool = False
    """Ten times as lively from 8 to 18 on working days."""
    deaths: int = 3
    reloads: float = 0.01
    """Per minute: the daemon is told to read its configuration again."""
    changes: float = 0.05
    """Per minute: something in it is another now."""
    clock_steps: int = 2
    furthest_step_s: float = 365 * DAY_S
    """A step of the clock is up to so large, in either direction; and so it may be between two lives."""
    retries: float = 0.05
    """Per minute: an admin has dead letters sent again, while people talk; and all of them in the end."""
    edits: float = 0.05
    deletions: float = 0.02
    reactions: float = 0.1
    pins: float = 0.02
    replies: float = 0.1
    long: float = 0.03
    files: float = 0.03
    faults: Faults = field(default_factory=Faults)
    rates: Mapping[str, Rates] = field(default_factory=dict)
    """How often the bridge may write, by platform: what has to wait may go out merged."""
    adapter: Callable[[SimulatedPlatform, Any], ScriptedAdapter] | None = None
    """Another adapter than the right one, to see that the checks see it."""


class Simulation:
    """One history. `run` plays it; afterwards `letters`, `platforms` and the journal's file tell what became of everything."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.rng = random.Random(plan.seed)
        self.clock = VirtualClock()
        self.full_until_s = 0.0
        self.deaths = 0
        self.most_queued = 0
        self.most_tasks = 0
        self.letters: list[DeadLetter] = []
        self.retried: set[tuple[str, str, str]] = set()
        """(target, message, kind of event) of each dead letter that was sent again."""
        self.lanes_left = 0
        self.app: App | None = None
        self.at: dict[float, Callable[[Simulation], None]] = {}
        self.life = Life(self.note)
        self.boundaries = 0
        self.settings = Settings(
            accounts=[name for name, _ in plan.platforms],
            routes=[f"route{number}" for number in range(plan.chats)],
            rng=random.Random(f"{plan.seed} settings"),
        )
        self.faults = plan.faults
        self._journal_rng = random.Random(f"{plan.seed} journal")
        self._digest = hashlib.blake2b(digest_size=16)
        self._held: list[asyncio.Task[Any]] = []
        self._starting: asyncio.Task[Any] | None = None
        self._under_way: asyncio.Task[Any] | None = None
        """What an admin began last."""
        self.trace: deque[str] = deque(maxlen=500)
        self.platforms = [
            SimulatedPlatform(
                name,
                reconciles=reconciles,
                text_length=400,
                rates=plan.rates.get(name, UNLIMITED),
                rng=random.Random(f"{plan.seed} {name}"),
                plan=plan.faults,
                clock=self.clock,
                adapter=plan.adapter,
            )
            for name, reconciles in plan.platforms
        ]
        self.routes = [
            Route(
                name=f"route{number}",
                ends=tuple(end(f"{platform.name}/c{number}", options={"pins": True}) for platform in self.platforms),
            )
            for number in range(plan.chats)
        ]

    @property
    def journal_path(self) -> Path:
        return self.folder / "bridge.journal"

    @property
    def digest(self) -> str:
        """Of everything that happened, with its time: two runs of one seed have the same."""
        return self._digest.hexdigest()

    @property
    def merged(self) -> int:
        """Posts that carry more than one message."""
        posts = (post for platform in self.platforms for chat in platform.chats.values() for post in chat)
        return sum(len({tuple(word.split(".")[:2]) for word in WORD.findall(post.text)}) > 1 for post in posts)

    def note(self, what: str) -> None:
        line = f"{asyncio.get_running_loop().time():.6f} {what}"
        self._digest.update(line.encode())
        self.trace.append(line)

    # -- the process --------------------------------------------------------------------------------------------------------

    async def start(self, *, dies_at: int | None = None) -> None:
        self.life = Life(self.note, dies_at=dies_at)
        for platform in self.platforms:
            platform.life = self.life
            platform.arrived = asyncio.Event()
        journal = InlineJournal(
            self.journal_path,
            self.life,
            is_full=lambda: self.now_s < self.full_until_s,
            late_s=self._late_s,
            has_bug=lambda: self._journal_rng.random() < self.faults.lane_breaks,
        )
        self.app = bridge(self.folder, self.platforms, self.routes, clock=self.clock, journal=journal, change=self._first_config)
        self.settings.applied()
        starting = asyncio.create_task(self.app.start(), name="start")
        dying = asyncio.create_task(self.life.over.wait(), name="dying")
        self._starting = starting
        self._held = [starting, dying]  # a dead process's start waits for what nobody else knows: it would be collected unfinished
        await asyncio.wait({starting, dying}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()

    def _first_config(self, config: Config) -> Config:
        self._first = config
        return self.settings.of(config)

    def _late_s(self) -> float:
        if self._journal_rng.random() >= self.faults.late_answers:
            return 0.0
        return self._journal_rng.choice((0.01, 0.1, 1.0, 4.0)) * self._journal_rng.random()

    async def die(self) -> None:
        """As SIGKILL: whatever runs stops where it stands; only what is on disk remains."""
        if self.app is None:
            return
        self.deaths += 1
        if not self.life.over.is_set():
            self.life.end()
        ours = {asyncio.current_task(), *(task for task in asyncio.all_tasks() if task.get_name().startswith("simulated "))}
        while doomed := sorted((task for task in asyncio.all_tasks() if task not in ours), key=lambda task: task.get_name()):
            for task in doomed:
                task.cancel()
            await asyncio.wait(doomed, timeout=60)
        self.boundaries += self.life.crossed
        app, self.app = self.app, None
        await app._journal.close()

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    # -- a history ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        for moment_s, happens in self.at.items():
            asyncio.get_running_loop().call_at(moment_s, happens, self)
        people = asyncio.create_task(self._people(), name="simulated people")
        trouble = asyncio.create_task(self._trouble(), name="simulated trouble")
        for moment in sorted(self.rng.uniform(0, self.plan.duration_s) for _ in range(self.plan.deaths)):
            await self.start()
            await asyncio.sleep(max(0.0, moment - self.now_s))
            await self.die()
            if self.rng.random() < 0.3 and self.plan.clock_steps:
                self._step_clock()
        await self.start()
        await people
        if trouble.done():
            trouble.result()
        trouble.cancel()
        if self._under_way is not None:
            await asyncio.wait({self._under_way})  # as the daemon: one reload after the other
        await self.settle()
        await self.finish()

    async def settle(self) -> None:
        """People are silent and the world is kind: everything must end, within a day."""
        self.full_until_s = 0.0
        self.faults = KIND
        for platform in self.platforms:
            platform.plan = KIND
            platform.down_until_s = 0.0
        self.settings.restore()
        await self._reload()
        await self._until_all_ended()
        if self.plan.retries:
            await self._retry(some=False)
            await self._until_all_ended()

    async def _until_all_ended(self) -> None:
        deadline = self.now_s + DAY_S
        assert self.app is not None
        while True:
            await asyncio.sleep(5)
            if not await self.app._journal.open_lanes() and not any(one.upstream or one.held_back for one in self.platforms):
                return
            assert self.now_s < deadline, f"never ended: {await self.app._journal.open_lanes()}"

    async def finish(self) -> None:
        assert self.app is not None
        assert self.app._outbox is not None
        self.letters = await self._all_letters(self.app)
        self.lanes_left = self.app._outbox.active_lanes
        await self.app.stop(drain_s=0)
        self.boundaries += self.life.crossed

    async def _all_letters(self, app: App) -> list[DeadLetter]:
        found: list[DeadLetter] = []
        while more := await app._journal.dead_letters(after=found[-1].delivery_id if found else 0, limit=100):
            found.extend(more)
        return found

    # -- people and trouble -------------------------------------------------------------------------------------------------

    async def _people(self) -> None:
        mean_s = self.plan.duration_s / self.plan.messages * (0.37 if self.plan.office_hours else 1.0)
        lately: dict[tuple[str, str], deque[Said]] = {}
        for number in range(self.plan.messages):
            await asyncio.sleep(self.rng.expovariate(1 / mean_s))
            if self.plan.office_hours:
                await self._business(mean_s)
            platform = self.rng.choice(self.platforms)
            chat = f"c{self.rng.randrange(self.plan.chats)}"
            recent = lately.setdefault((platform.name, chat), deque(maxlen=20))
            recent.append(self._speak(platform, chat, number, recent))
            self.note(f"{platform.name} {chat} {number}")
            self._change(platform, recent)

    async def _business(self, mean_s: float) -> None:
        while self.rng.random() > _liveliness(self.now_s):  # noqa: ASYNC110
            await asyncio.sleep(self.rng.expovariate(1 / mean_s))

    def _speak(self, platform: SimulatedPlatform, chat: str, number: int, recent: Sequence[Said]) -> Said:
        plan, rng = self.plan, self.rng
        words = rng.randint(40, 150) if rng.random() < plan.long else rng.randint(1, 5)
        file = rng.randbytes(rng.randint(1, 5000)) if rng.random() < plan.files else None
        answers = rng.choice(recent) if recent and rng.random() < plan.replies else None
        return platform.speak(number, chat, words=words, file=file, answers=answers)

    def _change(self, platform: SimulatedPlatform, recent: Sequence[Said]) -> None:
        """Somebody corrects, withdraws or reacts to something said lately."""
        for likely, change in (
            (self.plan.edits, platform.correct),
            (self.plan.deletions, platform.withdraw),
            (self.plan.reactions, lambda said: platform.react_to(said, self._emoji(), self.rng.choice(("Boris", "Carla")))),
            (self.plan.pins, platform.pin_or_unpin),
        ):
            said = self.rng.choice(recent)
            if self.rng.random() < likely and not said.deleted and not (said.edited and change == platform.correct):
                change(said)

    def _emoji(self) -> str:
        """Or none any more."""
        return self.rng.choice(("👍", "🎉", "😀", ""))

    async def _trouble(self) -> None:
        """Once a minute something may happen to the machine or an account, and it is looked at what the bridge holds in memory."""
        steps = self.plan.clock_steps
        while True:
            await asyncio.sleep(60)
            self._look()
            if self.rng.random() < self.plan.faults.disk_full:
                self.full_until_s = self.now_s + self.rng.uniform(5, 120)
            for platform in self.platforms:
                if self.rng.random() < self.plan.faults.account_down:
                    platform.down_until_s = self.now_s + self.rng.uniform(10, 3600)
            if self.rng.random() < self.plan.changes:
                self.note(self.settings.change())
                await self._reload()
            elif self.rng.random() < self.plan.reloads:
                self.note("reload")
                await self._reload()
            if steps and self.rng.random() < 0.05:
                steps -= 1
                self._step_clock()
            if self.rng.random() < self.plan.retries:
                await self._meanwhile(self._retry(some=True), "retry")

    def _step_clock(self) -> None:
        furthest_s = self.rng.choice((60.0, 7200.0, self.plan.furthest_step_s))
        self.clock.step(timedelta(seconds=self.rng.uniform(-furthest_s, furthest_s)))

    async def _retry(self, *, some: bool) -> None:
        """What an admin does with `dead retry`."""
        assert self.app is not None
        letters = await self._all_letters(self.app)
        if some:
            letters = self.rng.sample(letters, min(3, len(letters)))
        for letter in letters:
            assert letter.event is not None
            self.retried.add((str(letter.target), getattr(letter.event, "message_id", ""), type(letter.event).__name__))
        await self.app._journal.retry_dead([letter.delivery_id for letter in letters])

    async def _reload(self) -> None:
        """As the daemon does it: what fails is told and tried again by the next one."""
        app = self.app
        if app is None:
            return
        if await self._meanwhile(app.reload(self.settings.of(self._first)), "reload"):
            self.settings.applied()

    async def _meanwhile(self, doing: Coroutine[Any, Any, Any], name: str) -> bool:
        """Something that the process may die over. Whether it was done."""
        is_up = self._starting is not None and self._starting.done()  # the daemon hears nobody before
        if self.app is None or not is_up or self.life.over.is_set():
            doing.close()
            return False
        task = asyncio.create_task(doing, name=name)
        dying = asyncio.create_task(self.life.over.wait(), name="simulated wait for the end")
        self._held += [task]
        self._under_way = task
        await asyncio.wait({task, dying}, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if not task.done() or task.cancelled():
            return False
        error = task.exception()
        if error is not None and not isinstance(error, JournalError):
            raise error
        return error is None

    def _look(self) -> None:
        if self.app is None or self.app._outbox is None:
            return
        lanes = list(self.app._outbox._lanes.values())
        self.most_queued = max(self.most_queued, max((sum(1 for _ in lane._backlog) for lane in lanes), default=0))
        self.most_tasks = max(self.most_tasks, len(asyncio.all_tasks()))


def _liveliness(now_s: float) -> float:
    moment = START + timedelta(seconds=now_s)
    return 1.0 if moment.weekday() < 5 and 8 <= moment.hour < 18 else 0.1


def on_a_virtual_loop(seed: object, main: Any) -> Any:
    """Run a coroutine with everything it draws decided by the seed."""
    before = random.getstate()
    random.seed(f"{seed} bridge")
    try:
        return run_virtually(main)
    finally:
        random.setstate(before)


def play(plan: Plan, folder: Path, *, at: dict[float, Callable[[Simulation], None]] | None = None) -> Simulation:
    """One history from its beginning to its end, not yet checked. `at`: what else happens, by seconds since the beginning."""
    folder.mkdir(parents=True, exist_ok=True)
    simulation = Simulation(plan, folder)
    simulation.at = at or {}
    on_a_virtual_loop(plan.seed, simulation.run())
    return simulation


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
