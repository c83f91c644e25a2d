"""The live tail: what becomes of messages as it happens, by server-sent events whose ids are the journal's numbers of steps. A
browser that lost it says the last one that it has (`Last-Event-ID`), and gets what followed.

Source of the format: HTML, "Server-sent events": https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from bridge.dashboard.drawing import HEADERS, page
from bridge.dashboard.feed import Feed, Line, Page
from bridge.dashboard.parts import Parts, Visit
from bridge.journal.contract import JournalError
from bridge.journal.tracing import StepKind
from bridge.tracing.steps import Wanted, gaps

if TYPE_CHECKING:
    from aiohttp import web

MOST_TAILS = 8
"""At once, of all visitors: each takes one of the listener's connections."""
MOST_OF_ONE = 2
"""Of them, of one person: two pages."""
_LATEST = 50
_MOST_CAUGHT_UP = 5000
"""Steps that a browser gets afterwards, if it was away, or if more happen than are read."""
_BETWEEN_PAGES_S = 0.05
"""While it catches up: those who relay read the journal too."""
_ALIVE_S = 15.0
"""A proxy ends what is silent for a minute."""
_WRITE_S = 30.0
"""A reader that takes nothing for that long is gone."""
_RETRY_MS = 2000


class Tails:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._feed = Feed(parts)
        self._open: Counter[tuple[str, bool]] = Counter()
        """By who has them open."""
        self._ends = asyncio.Event()

    def close(self) -> None:
        """All of them end."""
        self._ends.set()

    async def show(self, parts: Parts, visit: Visit) -> web.Response:
        """The page, with the latest steps in it."""
        newest = (await parts.journal.steps(after=0, limit=1)).newest
        latest = await self._feed.behind(max(0, newest - _LATEST))
        values = {
            "lines": [*_Reader(visit).lines(latest)],
            "last": latest.found.last,
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
        reader, after = _Reader(visit), None
        await _send(answer, f"retry: {_RETRY_MS}\n\n")
        silent_s = 0.0
        while still() and not self._ends.is_set():
            text, found = "", None
            try:
                if after is None:
                    after, left_out = await self._begin(visit)
                    text = _gap(left_out)
                latest = await self._feed.behind(after)
                found = latest.found
                text += "".join(reader.events(latest, after))
            except JournalError as error:
                text += _gap(f"the journal cannot be asked: {error}")
            is_new = found is not None and found.last != after
            after = found.last if found is not None else after
            if found is not None and found.newest - found.last > _MOST_CAUGHT_UP:
                after, left_out = _skipped(found.last, found.newest - _LATEST)
                text += _gap(left_out)
            if is_new and not text:
                text = f"id: {after}\n\n"  # steps that nobody wanted to see: the browser begins behind them
            if text or silent_s >= _ALIVE_S:
                await _send(answer, text or ": still here\n\n")
                silent_s = 0.0
            is_behind = found is not None and after is not None and after < found.newest
            pause_s = _BETWEEN_PAGES_S if is_behind else self._feed.until_look_s()
            silent_s += pause_s
            await self._parts.clock.wait(self._ends, pause_s)

    async def _begin(self, visit: Visit) -> tuple[int, str]:
        """Behind which step: what the browser had last, or what the page said, or now; and what is left out since then."""
        newest = (await self._parts.journal.steps(after=0, limit=1)).newest
        for given in (visit.request.headers.get("Last-Event-ID", ""), visit.asked("after", 20)):
            if given.isascii() and given.isdecimal() and len(given) <= 18:
                first = newest - _MOST_CAUGHT_UP
                if int(given) >= first:
                    return int(given), ""
                return _skipped(int(given), first)
        return newest, ""


class _Reader:
    """Chooses the lines that one visitor sees."""

    def __init__(self, visit: Visit) -> None:
        self._is_known = visit.who.is_known
        route, outcome = visit.asked("route", 200), visit.asked("outcome", 20)
        kinds = frozenset(kind for kind in StepKind if kind.value == outcome)
        self._wanted = Wanted(routes=frozenset({route} if route else ()), kinds=kinds)

    def lines(self, page: Page) -> Iterator[Line]:
        return (page.line(step, is_known=self._is_known) for step in page.found.steps if self._wanted.shows(step))

    def events(self, page: Page, after: int) -> Iterator[str]:
        yield from map(_gap, gaps(page.found, after))
        yield from map(_event, self.lines(page))


def _skipped(last: int, first: int) -> tuple[int, str]:
    """Behind which step a tail goes on instead, and what it says of that."""
    return first, f"steps {last + 1} to {first} are left out; `trace --follow --from {last + 1}` shows what is kept of them"


def _gap(why: str) -> str:
    return _event({"gap": why}) if why else ""


def _event(line: Line) -> str:
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
