"""What people do from the pages: one thing at a time, finished even if who asked has gone, and noted in the audit: when it begins,
and again with its result. A bridge that is killed in between leaves the first line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bridge.dashboard.access import Who
from bridge.dashboard.parts import Parts
from bridge.journal.contract import Audited
from bridge.model.one_line import one_line
from bridge.model.tasks import end

log = structlog.get_logger("dashboard")

T = TypeVar("T")

BEGUN = "begun"
_MOST_WAITING = 8
_END_S = 5.0
"""What is under way when the bridge stops has that long to be finished, and then as long to say how far it came."""
_MOST_CHARS = 300


class Busy(Exception):
    """Too many wait for their turn, or the bridge stops."""


async def whole(work: Awaitable[T], came: Callable[[T], object]) -> None:
    """All of `work`, although who waits for it may be cancelled meanwhile: `came` gets its result, then they are. Raises what it
    raises."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if task.cancelled() or task.exception() is not None:
            raise
        came(task.result())
        raise
    came(task.result())


class Actions:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()
        self._is_closing = False

    async def do(
        self,
        who: Who,
        action: str,
        subject: str,
        work: Callable[[], Awaitable[tuple[T, str]]],
        *,
        failed: Callable[[], str] = lambda: "failed",
    ) -> T:
        """`work` gives what it found, and its result in a few words; where it does not, `failed` says how far it came. Raises Busy,
        and what `work` raises."""
        if self._is_closing or len(self._tasks) >= _MOST_WAITING:
            raise Busy
        task = asyncio.create_task(self._do(who, action, subject, work, failed), name=f"dashboard {action}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _do(
        self, who: Who, action: str, subject: str, work: Callable[[], Awaitable[tuple[T, str]]], failed: Callable[[], str]
    ) -> T:
        async with self._one_at_a_time:
            if self._is_closing:
                raise Busy
            await self._note(who, action, subject, BEGUN)
            result = ""
            try:
                found, result = await work()
                return found
            finally:
                result = result or failed()
                by, what = one_line(who.name, _MOST_CHARS), one_line(subject, _MOST_CHARS)
                log.info("done from the dashboard", by=by, what=action, subject=what, result=one_line(result, _MOST_CHARS))
                await self._note(who, action, subject, result)

    async def _note(self, who: Who, action: str, subject: str, result: str) -> None:
        entry = Audited(
            at=self._parts.clock.now(),
            actor=f"dashboard {one_line(who.name, _MOST_CHARS)}",
            action=action,
            subject=one_line(subject, _MOST_CHARS),
            result=one_line(result, _MOST_CHARS),
        )
        await self._parts.journal.persons.audit(entry)

    async def close(self) -> None:
        """Nothing is begun any more; what is under way is finished, for a while."""
        self._is_closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_END_S)
        await end(self._tasks, within_s=_END_S)
