"""The steps that live tails show, read once for all who look on: a page of steps, what explains it, and its lines are asked for and
put together once, however many tails are at that place. What that may cost those who relay is bounded: the more it takes, the rarer
it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from bridge.config.model import Config
from bridge.dashboard.parts import Parts
from bridge.journal.tracing import Step, StepKind, Steps
from bridge.model.one_line import one_line
from bridge.tracing import steps
from bridge.tracing.conditions import Conditions
from bridge.tracing.finding import known_of
from bridge.tracing.known import Known

PAGE = 50
LOOK_S = 1.0
"""Between two looks when nothing happened. All who are not behind look at the same moment."""
_TIMES_THE_WORK = 20.0
"""A page of steps is followed by a pause of so many times what it took: tails cost a twentieth at most."""
_LONGEST_PAUSE_S = 2.0
_MOST_KEPT = 16
"""Pages, of those that are read at different places."""
_MOST_CHARS = 1000
_TONES = {
    StepKind.CAME: "off",
    StepKind.DELIVERED: "pass",
    StepKind.SKIPPED: "off",
    StepKind.WAITING: "warn",
    StepKind.DEAD: "fail",
}

Line = dict[str, object]
Words = Callable[[Step], str]


class Page:
    """Steps behind one of them, with what explains them. `lines` are made when somebody wants them."""

    def __init__(self, found: Steps, known: Known | None, words: Words) -> None:
        self.found = found
        self._known = known
        self._words = words
        self._lines: dict[tuple[int, bool], Line] = {}

    def line(self, step: Step, *, is_known: bool) -> Line:
        """`is_known`: who looks is signed in, and so sees names, and words where the configuration wants them."""
        line = self._lines.get((step.number, is_known))
        if line is None:
            line = self._lines[step.number, is_known] = self._new_line(step, is_known)
        return line

    def _new_line(self, step: Step, is_known: bool) -> Line:
        assert self._known is not None
        shown = step if is_known else replace(step, author_name="")
        then = steps.at(step)
        words = self._words(step) if is_known else ""
        return {
            "number": step.number,
            "at": then.isoformat() if then is not None else "",
            "outcome": step.kind.value,
            "tone": _TONES[step.kind],
            "delivery": step.deliveries[0].delivery_id if step.deliveries else None,
            "text": one_line(steps.said(shown, self._known), _MOST_CHARS),
        } | ({"words": words} if words else {})


class Feed:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pages: dict[int, tuple[float, Page]] = {}
        self._known: Known | None = None
        self._known_at_s = float("-inf")
        self._config: Config | None = None
        self._next_s = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def behind(self, after: int, limit: int = PAGE) -> Page:
        """The next page of steps behind that one, of this moment or of less than half a look ago. Raises JournalError."""
        async with self._one_at_a_time:
            kept = self._pages.get(after)
            if kept is not None and self._now_s() - kept[0] < LOOK_S / 2:
                return kept[1]
            await self._parts.clock.sleep(max(0.0, self._next_s - self._now_s()))
            began_s = self._now_s()
            page = await self._read(after, limit)
            done_s = self._now_s()
            if page.found.steps:
                self._next_s = done_s + min(_TIMES_THE_WORK * (done_s - began_s), _LONGEST_PAUSE_S)
            self._pages = {at: one for at, one in self._pages.items() if done_s - one[0] < LOOK_S / 2 and at != after}
            while len(self._pages) >= _MOST_KEPT:
                del self._pages[next(iter(self._pages))]
            self._pages[after] = done_s, page
            return page

    def until_look_s(self) -> float:
        """Until the moment at which all look."""
        return LOOK_S - self._now_s() % LOOK_S

    async def _read(self, after: int, limit: int) -> Page:
        found = await self._parts.journal.steps(after=after, limit=limit)
        return Page(found, await self._explained() if found.steps else None, self._words)

    def _words(self, step: Step) -> str:
        return ""

    async def _explained(self) -> Known:
        """As of less than a look ago."""
        config = self._parts.config()
        if self._known is not None and self._config is config and self._now_s() - self._known_at_s < LOOK_S:
            return self._known
        now, status = self._parts.clock.now(), await self._parts.status()
        conditions = Conditions(lambda: status)
        if self._known is None or self._config is not config:
            self._known = await known_of(self._parts.journal, config, now=now, conditions=conditions)
            self._config = config
        else:
            waits = {name: wait.until for name, wait in (await self._parts.journal.waits()).items()}
            self._known = self._known.at(waits, now, conditions)
        self._known_at_s = self._now_s()
        return self._known

    def _now_s(self) -> float:
        return self._parts.clock.monotonic_s()
