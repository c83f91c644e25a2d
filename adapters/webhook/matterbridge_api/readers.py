"""How far the holder of a key has read, and what comes next. matterbridge's API has no cursors: they are kept here, in the journal,
one for each key and end.

A key that reads for the first time begins with the latest messages (`buffer`). All streams of a key get everything from where the
key was when they began."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.webhook.matterbridge_api import message
from adapters.webhook.matterbridge_api.acknowledged import LONGEST_S
from adapters.webhook.matterbridge_api.kept_files import KeptFiles
from adapters.webhook.matterbridge_api.sending import gateway_of
from adapters.webhook.outbound.fetching import LOOK_EVERY_S, Cursor, Fetching, is_gone
from bridge.model.account_store import AccountStore, Mail
from bridge.model.clock import Clock
from bridge.model.web_mount import EVERY_CHAT

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.webhook.config import WebhookOptions

_KEPT = re.compile(r"(\d{1,19})(?:\.([0-9a-f]{1,64}))?", re.ASCII)
MOST_DATA_BYTES = 1_000_000
"""Of the files of messages that are handed over together: the rest comes next. One message is always handed over."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
Cursors = dict[str, Cursor]


class Unread(NamedTuple):
    """Messages in matterbridge's form, and where a reader stands who has them."""

    messages: Sequence[dict[str, Any]]
    cursors: Cursors


class _Found(NamedTuple):
    """A message of an end, or a line in the place of those that are no longer kept. `after`: where a reader stands who has it."""

    at: datetime
    end: str
    after: Cursor
    what: Mail | dict[str, Any]


class Readers:
    """Of one account."""

    def __init__(self, options: WebhookOptions, store: AccountStore, fetching: Fetching, kept: KeptFiles, clock: Clock) -> None:
        self._options = options
        self._store = store
        self._fetching = fetching
        self._kept = kept
        self._clock = clock
        self._known: dict[tuple[str, str], Cursor] = {}
        self._draining: dict[str, tuple[asyncio.Lock, int]] = {}
        """Keys by which messages are being drained, each with the number of those who wait."""
        self._handed_over: dict[asyncio.Event, tuple[str, web.Request]] = {}
        """What is on its way to a reader: set once it is known whether it arrived."""

    @property
    def is_closed(self) -> bool:
        return self._fetching.is_closed

    # -- where a key is -------------------------------------------------------------------------------------------------------

    async def begin(self, key_id: str, ends: Sequence[str]) -> Cursors:
        """Where the key has read to; a reader who is gone may have got more than was known then. Raises StoreDown."""
        for over in [over for over, (key, request) in self._handed_over.items() if key == key_id and is_gone(request)]:
            await self._clock.wait(over, LONGEST_S)
        return {end: await self._cursor(key_id, end) for end in ends}

    @contextmanager
    def handing_over(self, key_id: str, request: web.Request) -> Iterator[None]:
        """Messages are on their way; at its end it is known whether they are read."""
        over = asyncio.Event()
        self._handed_over[over] = key_id, request
        try:
            yield
        finally:
            del self._handed_over[over]
            over.set()

    async def have_read(self, key_id: str, before: Cursors, after: Cursors) -> None:
        """A reader who was at `before` has all up to `after`; another of the same key may be further. Raises StoreDown."""
        for end, cursor in after.items():
            known = self._known.get((key_id, end))
            if cursor != known and (known is None or known == before[end] or cursor.number > known.number):
                await self._keep(key_id, end, cursor)

    async def _cursor(self, key_id: str, end: str) -> Cursor:
        known = self._known.get((key_id, end))
        if known is not None:
            return known
        found = _KEPT.fullmatch(await self._store.note(_note(key_id, end)))
        if found is not None:
            return self._known.setdefault((key_id, end), Cursor(int(found[1]), found[2] or ""))
        last = (await self._store.mail(end, after=0, limit=1)).last
        await self._keep(key_id, end, Cursor(max(0, last - self._options.buffer)))
        return self._known[key_id, end]

    async def _keep(self, key_id: str, end: str, cursor: Cursor) -> None:
        await self._store.set_note(_note(key_id, end), str(cursor))
        self._known[key_id, end] = cursor

    @contextmanager
    def draining(self, key_id: str) -> Iterator[asyncio.Lock]:
        """A lock: two who drain by one key do not get the same messages."""
        lock, waiting = self._draining.get(key_id, (asyncio.Lock(), 0))
        self._draining[key_id] = lock, waiting + 1
        try:
            yield lock
        finally:
            waiting = self._draining[key_id][1] - 1
            self._draining[key_id] = lock, waiting
            if not waiting:
                del self._draining[key_id]

    # -- what comes next ------------------------------------------------------------------------------------------------------

    async def unread(self, cursors: Cursors, limit: int) -> Unread:
        """What is there now, of several ends in the order of arrival. Raises StoreDown."""
        found = [one for end, cursor in cursors.items() for one in await self._waiting(end, cursor, limit)]
        found.sort(key=lambda one: one.at)
        messages: list[dict[str, Any]] = []
        after: Cursors = {}
        left_bytes = MOST_DATA_BYTES
        for one in found:
            if isinstance(one.what, dict):
                messages.append(one.what)
            else:
                entries = message.files_in(one.what.content)
                size_bytes = sum(entry["size"] for entry in entries)
                if messages and size_bytes > left_bytes:
                    break
                left_bytes -= size_bytes
                messages.append(await self._shown(one.end, one.what, entries))
            after[one.end] = one.after
        return Unread(messages, {**cursors, **after})

    async def _waiting(self, end: str, cursor: Cursor, limit: int) -> list[_Found]:
        """Of one end, in its order."""
        page = await self._store.mail(end, after=cursor.number, mark=cursor.mark, limit=limit)
        found: list[_Found] = []
        if page.missed:
            line = message.missed(page.missed, gateway_of(end, self._options.ends[end]), self._clock.now())
            at = page.mail[0].at if page.mail else self._clock.now()
            before = Cursor(page.mail[0].number - 1) if page.mail else Cursor(page.last, page.last_mark)
            found.append(_Found(at, end, before, line))
        latest = _LONG_AGO
        for mail in page.mail:
            latest = max(latest, mail.at)  # an end's own order holds, even if the clock was set back
            found.append(_Found(latest, end, Cursor(mail.number, mail.mark), mail))
        return found

    async def _shown(self, end: str, mail: Mail, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        data = {entry["id"]: await self._kept.data(entry["id"]) for entry in entries}
        whole = {
            entry["id"]: content
            for entry in entries
            if (content := data[entry["id"]]) is not None and len(content) == entry["size"]
        }
        return message.shown(mail.content, gateway_of(end, self._options.ends[end]), mail.at, whole)

    async def next(self, cursors: Cursors, limit: int, wait_s: float, is_gone: Callable[[], bool]) -> Unread:
        """The same; waits for it, but no longer than that, and not for a reader who is gone."""
        where = next(iter(cursors)) if len(cursors) == 1 else EVERY_CHAT
        until_s = self._clock.monotonic_s() + wait_s
        while True:
            news = self._fetching.news(where)  # before reading: a message from here on ends the wait
            unread = await self.unread(cursors, limit)
            left_s = until_s - self._clock.monotonic_s()
            if unread.messages or left_s <= 0:
                return unread
            while not news.is_set() and left_s > 0:
                if self.is_closed or is_gone():
                    return unread
                await self._clock.wait(news, min(left_s, LOOK_EVERY_S))
                left_s = until_s - self._clock.monotonic_s()


def _note(key_id: str, end: str) -> str:
    return f"api/{key_id}/{end}"
