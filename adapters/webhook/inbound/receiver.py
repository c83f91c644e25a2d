"""Turns requests into events, in order of arrival, and answers them once the core has stored them on disk."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Sequence

from adapters.webhook.inbound.body import Body, Kind
from adapters.webhook.inbound.downloads import Downloads
from adapters.webhook.inbound.events_of import Job, events_of
from adapters.webhook.inbound.incidents import Incidents
from bridge.model.adapter import Intake
from bridge.model.events import ChatEvent
from bridge.model.platform import AdapterContext
from bridge.model.tasks import end

MOST_WAITING = 500
_MOST_AT_ONCE = 64
_TIDY_S = 600.0
AGAIN_S = 10
"""`Retry-After` for a sender that is refused now."""


class Busy(Exception):
    """Nothing can be accepted now: the account is not up, or too many requests wait."""


class Receiver:
    """Stores the requests of one account. Requests that arrive together are accepted together, with one write to disk."""

    def __init__(self, context: AdapterContext, downloads: Downloads) -> None:
        self._account = context.account
        self._clock = context.clock
        self._downloads = downloads
        self._waiting: deque[tuple[Job, asyncio.Future[str]]] = deque()
        self._came = asyncio.Event()
        self._intake: Intake | None = None
        self._last_intake: Intake | None = None
        """Stays when the account is not up any more: what is only kept can still be."""

    async def run(self, intake: Intake) -> None:
        """Runs until cancelled."""
        incidents = Incidents(intake.cursor, intake.is_known)
        await intake.set_own_names([])
        self._intake = self._last_intake = intake
        await self._tidy()
        intake.connected()
        tidying = asyncio.create_task(self._tidy_now_and_then(), name=f"tidy {self._account}")
        try:
            while True:
                await self._came.wait()
                self._came.clear()
                while batch := await self._batch():
                    await self._accept(batch, incidents, intake)
        finally:
            self._intake = None
            left = list(self._waiting)
            self._waiting.clear()
            for _, done in left:
                _fail(done)
            await end([tidying])
            await self._forget(job for job, _ in left)

    @property
    def intake(self) -> Intake:
        """Raises Busy while the account is not up."""
        if self._intake is None:
            raise Busy
        return self._intake

    def ignored(self, reason: str) -> None:
        """Count a request that is understood and is not a message."""
        if self._intake is not None:
            self._intake.ignored(reason)

    def _notice(self, reason: str, action: str) -> None:
        if self._intake is not None:
            self._intake.notice(reason, action)

    async def keep(self, end: str, body: Body, reason: str) -> None:
        """Keep a body that could not be decoded, for an admin who writes a template. Raises StoreDown."""
        if self._last_intake is not None:
            text = json.dumps(body.data if body.kind is Kind.JSON else dict(body.fields) or body.text)
            await self._last_intake.undecodable(text.encode(), f"{end}: {reason}")

    async def take(self, job: Job) -> str:
        """Returns the message's id once it is on disk. Raises Busy. If it becomes no message, its files are removed. If the caller
        is cancelled, it becomes none unless it is already being stored."""
        if self._intake is None or len(self._waiting) >= MOST_WAITING:
            await self._forget([job])
            raise Busy
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, done))
        self._came.set()
        return await done

    async def _batch(self) -> list[tuple[Job, asyncio.Future[str]]]:
        """The next requests whose senders still wait. A sender that closed the connection sends again."""
        batch: list[tuple[Job, asyncio.Future[str]]] = []
        gone: list[Job] = []
        while self._waiting and len(batch) < _MOST_AT_ONCE:
            job, done = self._waiting.popleft()
            if done.done():
                gone.append(job)
            else:
                batch.append((job, done))
        await self._forget(gone)
        return batch

    async def _forget(self, jobs: Iterable[Job]) -> None:
        """Remove their files."""
        for job in jobs:
            await self._downloads.forget(job.said.content.attachments)

    async def _accept(self, batch: Sequence[tuple[Job, asyncio.Future[str]]], incidents: Incidents, intake: Intake) -> None:
        events: list[ChatEvent] = []
        became: list[tuple[asyncio.Future[str], str]] = []
        unused: list[Job] = []
        try:
            for job, done in batch:
                try:
                    message_id, event = await events_of(job, self._account, incidents)
                except (ValueError, TypeError) as error:  # a bug that this request triggers: the others go on
                    _fail(done, error)
                    unused.append(job)
                    continue
                became.append((done, message_id))
                if event is not None:
                    events.append(event)
                else:
                    unused.append(job)
                    intake.ignored("told before")
            await intake.accept(events, cursors=incidents.cursors())
        except BaseException as error:
            incidents.forget()
            for _, done in batch:
                _fail(done)
            if isinstance(error, Exception):  # if cancelled, the batch may be stored all the same
                await self._forget(job for job, _ in batch)
            raise
        incidents.stored()
        for done, message_id in became:
            if not done.done():
                done.set_result(message_id)
        await self._forget(unused)

    async def _tidy_now_and_then(self) -> None:
        while True:
            await self._clock.sleep(_TIDY_S)
            await self._tidy()

    async def _tidy(self) -> None:
        try:
            await self._downloads.tidy()
        except OSError as error:
            reason = f"received files cannot be removed: {error.strerror or error}"
            self._notice(reason, "give the bridge's user the right to write to the folder of received files, beside the journal")


def _fail(done: asyncio.Future[str], error: Exception | None = None) -> None:
    """Report the error to the sender, unless the connection was closed meanwhile."""
    if not done.done():
        done.set_exception(error or Busy())
