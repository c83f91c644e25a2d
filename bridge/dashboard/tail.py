"""The live tail: what becomes of messages as it happens, by server-sent events whose ids are the journal's numbers of steps. A
browser that lost it says the last one that it has (`Last-Event-ID`), and gets what followed.

Source of the format: HTML, "Server-sent events": https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from bridge.config.model import Config
from bridge.dashboard.drawing import HEADERS, one_line, page
from bridge.dashboard.parts import Parts, Visit
from bridge.journal.contract import JournalError
from bridge.journal.tracing import Step, StepKind, Steps
from bridge.tracing import steps
from bridge.tracing.conditions import Conditions
from bridge.tracing.finding import known_of
from bridge.tracing.known import Known
from bridge.tracing.steps import Wanted, gaps

if TYPE_CHECKING:
    from aiohttp import web

MOST_TAILS = 8
"""At once, of all visitors: each takes one of the listener's connections, and asks the journal every second."""
MOST_OF_ONE = 2
"""Of them, of one person: two pages."""
_LATEST = 50
_PAGE = 50
_MOST_CAUGHT_UP = 5000
"""Steps that a browser gets afterwards, if it was away."""
_BETWEEN_PAGES_S = 0.05
"""While it catches up: those who relay read the journal too."""
_LOOK_S = 1.0
_ALIVE_S = 15.0
"""A proxy ends what is silent for a minute."""
_WRITE_S = 30.0
"""A reader that takes nothing for that long is gone."""
_RETRY_MS = 2000
_MOST_CHARS = 1000
_TONES = {
    StepKind.CAME: "off",
    StepKind.DELIVERED: "pass",
    StepKind.SKIPPED: "off",
    StepKind.WAITING: "warn",
    StepKind.DEAD: "fail",
}


class Tails:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open: Counter[tuple[str, bool]] = Counter()
        """By who has them open."""
        self._ends = asyncio.Event()

    def close(self) -> None:
        """All of them end."""
        self._ends.set()

    async def show(self, parts: Parts, visit: Visit) -> web.Response:
        """The page, with the latest steps in it."""
        reader = _Reader(parts, visit)
        newest = (await parts.journal.steps(after=0, limit=1)).newest
        found = await parts.journal.steps(after=max(0, newest - _LATEST), limit=_LATEST)
        values = {
            "lines": [*await reader.lines(found)],
            "last": found.last,
            "route": visit.asked("route", 200),
            "outcome": visit.asked("outcome", 20),
            "routes": [one.name for one in parts.config().routes][:500],
            "outcomes": [kind.value for kind in StepKind],
        }
        return page(visit, "tail", values)

    async def stream(self, visit: Visit, still: Callable[[], bool]) -> web.StreamResponse:
        """The events, until the visitor goes, is not who it was any more (`still`), or the bridge stops."""
        from aiohttp import web

        one = visit.who.name, visit.who.is_known
        if self._open.total() >= MOST_TAILS or self._open[one] >= MOST_OF_ONE:
            text = f"{self._open[one]} tails of yours, and {self._open.total()} in all, are open already\n"
            return web.Response(status=503, text=text, headers={"Retry-After": "10"})
        answer = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        answer.force_close()
        self._open[one] += 1
        try:
            await answer.prepare(visit.request)
            await self._follow(answer, visit, still)
        finally:
            self._open[one] -= 1
            self._open += Counter()  # without those who have none
        return answer

    async def _follow(self, answer: web.StreamResponse, visit: Visit, still: Callable[[], bool]) -> None:
        reader, after = _Reader(self._parts, visit), None
        await _send(answer, f"retry: {_RETRY_MS}\n\n")
        silent_s = 0.0
        while still() and not self._ends.is_set():
            text = ""
            try:
                if after is None:
                    after, left_out = await self._begin(visit)
                    text = _event({"gap": left_out}) if left_out else ""
                found = await self._parts.journal.steps(after=after, limit=_PAGE)
                text += "".join(await reader.events(found, after))
            except JournalError as error:
                text += _event({"gap": f"the journal cannot be asked: {error}"})
                found = None
            is_new = found is not None and found.last != after
            after = found.last if found is not None else after
            if is_new and not text:
                text = f"id: {after}\n\n"  # steps that nobody wanted to see: the browser begins behind them
            if text or silent_s >= _ALIVE_S:
                await _send(answer, text or ": still here\n\n")
                silent_s = 0.0
            if found is None or found.last >= found.newest:
                silent_s += _LOOK_S
                await self._parts.clock.wait(self._ends, _LOOK_S)
            else:
                await self._parts.clock.wait(self._ends, _BETWEEN_PAGES_S)

    async def _begin(self, visit: Visit) -> tuple[int, str]:
        """Behind which step: what the browser had last, or what the page said, or now; and what is left out since then."""
        newest = (await self._parts.journal.steps(after=0, limit=1)).newest
        for given in (visit.request.headers.get("Last-Event-ID", ""), visit.asked("after", 20)):
            if given.isascii() and given.isdecimal() and len(given) <= 18:
                first = newest - _MOST_CAUGHT_UP
                if int(given) >= first:
                    return int(given), ""
                said = f"steps {int(given) + 1} to {first} are left out; `trace --follow --from {given}` shows what is kept of them"
                return first, said
        return newest, ""


class _Reader:
    """Puts steps into words, for one visitor."""

    def __init__(self, parts: Parts, visit: Visit) -> None:
        self._parts = parts
        self._with_author = visit.who.is_known
        route, outcome = visit.asked("route", 200), visit.asked("outcome", 20)
        kinds = frozenset(kind for kind in StepKind if kind.value == outcome)
        self._wanted = Wanted(routes=frozenset({route} if route else ()), kinds=kinds)
        self._known: Known | None = None
        self._config: Config | None = None

    async def lines(self, found: Steps) -> list[dict[str, object]]:
        if not found.steps:
            return []
        known = await self._explained()
        return [self._line(step, known) for step in found.steps if self._wanted.shows(step)]

    async def events(self, found: Steps, after: int) -> Iterator[str]:
        told = [_event({"gap": line}) for line in gaps(found, after)]
        return iter([*told, *(_event(line) for line in await self.lines(found))])

    def _line(self, step: Step, known: Known) -> dict[str, object]:
        shown = step if self._with_author else replace(step, author_name="")
        then = steps.at(step)
        return {
            "number": step.number,
            "at": then.isoformat() if then is not None else "",
            "outcome": step.kind.value,
            "tone": _TONES[step.kind],
            "delivery": step.deliveries[0].delivery_id if step.deliveries else None,
            "text": one_line(steps.said(shown, known), _MOST_CHARS),
        }

    async def _explained(self) -> Known:
        config, now, status = self._parts.config(), self._parts.clock.now(), await self._parts.status()
        conditions = Conditions(lambda: status)
        if self._known is None or self._config is not config:
            self._known, self._config = await self._first(config, conditions), config
        else:
            waits = {name: wait.until for name, wait in (await self._parts.journal.waits()).items()}
            self._known = self._known.at(waits, now, conditions)
        return self._known

    async def _first(self, config: Config, conditions: Conditions) -> Known:
        return await known_of(self._parts.journal, config, now=self._parts.clock.now(), conditions=conditions)


def _event(line: dict[str, object]) -> str:
    """JSON has no line break, so each event is one line of data."""
    number = f"id: {line['number']}\n" if "number" in line else ""
    return f"{number}data: {msgspec.json.encode(line).decode()}\n\n"


async def _send(answer: web.StreamResponse, text: str) -> None:
    """Raises ConnectionError: the reader has gone, or takes nothing."""
    try:
        async with asyncio.timeout(_WRITE_S):
            await answer.write(text.encode())
    except TimeoutError:
        raise ConnectionError("the reader takes nothing") from None
