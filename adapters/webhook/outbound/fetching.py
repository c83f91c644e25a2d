"""Serves messages for ends without a url: kept in the journal, and read at `/out/<key>`, by long polling or server-sent events.

A cursor is the number of the last message that a reader has, and the mark of that message. The mark reveals a number that was used
twice, after the journal was restored from a backup. Cursors of earlier versions are the number only. Cursors stay valid over
restarts. Messages are in the order of the chat. A slow or absent reader costs nothing: messages that it missed are counted and
reported."""

from __future__ import annotations

import asyncio
import json
import re
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.webhook.outbound import encode
from bridge.model.account_store import AccountStore, Mail, MailPage
from bridge.model.clock import Clock
from bridge.model.errors import RetryLater
from bridge.model.web_mount import EVERY_CHAT

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.model.web_mount import KeyGrant

LONGEST_WAIT_S = 60.0
MOST_AT_ONCE = 100
MOST_READERS = 20
"""The most readers that wait at one end."""
HEARTBEAT_S = 15.0
LOOK_EVERY_S = 5.0
"""How often a waiting reader is checked for a closed connection."""
LONGEST_STREAM_S = 3600.0
"""Longest event stream: the reader then reconnects, and its key is verified again."""
_WRITE_TIMEOUT_S = 30.0
_STREAM = "text/event-stream"
_CURSOR = re.compile(r"(\d{1,19})(?:\.([0-9a-f]{1,64}))?", re.ASCII)
_MOST = 2**62


class Cursor(NamedTuple):
    """The position of a reader."""

    number: int
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.number}.{self.mark}" if self.mark else str(self.number)


class Fetching:
    """The mailboxes of one account."""

    def __init__(self, store: AccountStore | None, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._news: weakref.WeakValueDictionary[str, asyncio.Event] = weakref.WeakValueDictionary()
        self._readers: Counter[str] = Counter()
        self._is_closed = False

    async def put(self, end: str, name: str, body: bytes) -> None:
        if self._store is None:
            raise RetryLater("there is no journal to keep it in")
        await self._store.put_mail(end, name, body)
        self._tell(end)

    async def take_back(self, end: str, message_id: str, rewrite: Callable[[bytes], bytes]) -> None:
        """Who has not fetched a deleted message yet does not get its words: `rewrite` makes of what was kept, and names the
        message, what is kept from now on."""
        if self._store is None:
            raise RetryLater("there is no journal to keep it in")
        await self._store.rewrite_mail(end, f'"{message_id}"'.encode(), rewrite)

    def close(self) -> None:
        """Answer all waiting readers."""
        self._is_closed = True
        for end in list(self._news):
            self._tell(end)

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def news(self, end: str) -> asyncio.Event:
        """Set at the next message of that end; `EVERY_CHAT`: of any."""
        return self._news.setdefault(end, asyncio.Event())

    def _tell(self, end: str) -> None:
        """Wake the waiting readers; later ones wait for the next message."""
        for name in (end, EVERY_CHAT):
            event = self._news.pop(name, None)
            if event is not None:
                event.set()

    # -- a reader's request -------------------------------------------------------------------------------------------------

    async def serve(self, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        """A GET of `/out/<key>`, whose key is valid for this end."""
        from aiohttp import web

        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="this address is read by GET\n", headers={"Allow": "GET"})
        if self._store is None or self._is_closed:
            return _later("starting or stopping")
        try:
            after = _cursor("after", request.query.get("after", ""))
            if "Last-Event-ID" in request.headers:
                after = _cursor("Last-Event-ID", request.headers["Last-Event-ID"])
            wait_s = min(_number(request, "wait_s", most=2**31), int(LONGEST_WAIT_S))
            limit = min(_number(request, "limit", most=2**31) or MOST_AT_ONCE, MOST_AT_ONCE)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        if not self.has_room(grant.chat):
            return _later("too many readers")
        with self.reading(grant.chat):
            if _STREAM in request.headers.get("Accept", ""):
                return await self._stream(request, self._store, grant.chat, after)
            return await self._poll(request, self._store, grant.chat, after, wait_s, limit)

    def has_room(self, end: str) -> bool:
        return self._readers[end] < MOST_READERS

    @contextmanager
    def reading(self, end: str) -> Iterator[None]:
        """Count a reader who waits."""
        self._readers[end] += 1
        try:
            yield
        finally:
            self._readers[end] -= 1
            if not self._readers[end]:
                del self._readers[end]

    async def _poll(
        self, request: web.Request, store: AccountStore, end: str, after: Cursor, wait_s: int, limit: int
    ) -> web.Response:
        from aiohttp import web

        page = await self._page(request, store, end, after, limit, wait_s)
        answer: dict[str, Any] = {"messages": [_message(end, mail) for mail in page.mail], "cursor": str(_end_of(page))}
        answer |= {"missed": page.missed, "anew": page.is_anew}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    async def _stream(self, request: web.Request, store: AccountStore, end: str, after: Cursor) -> web.StreamResponse:
        from aiohttp import web

        headers = {"Content-Type": f"{_STREAM}; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        until_s = self._clock.monotonic_s() + LONGEST_STREAM_S
        with suppress(ConnectionError, TimeoutError):
            await response.prepare(request)
            await write(request, response, b"retry: 5000\n\n")
            while not self._is_closed and self._clock.monotonic_s() < until_s:
                page = await self._page(request, store, end, after, MOST_AT_ONCE, HEARTBEAT_S)
                if page.is_anew:
                    await write(request, response, b"id: 0\nevent: anew\ndata: true\n\n")
                if page.missed:
                    await write(request, response, f"event: missed\ndata: {page.missed}\n\n".encode())
                for mail in page.mail:
                    await write(request, response, _event(end, mail))
                after = _end_of(page)
                if not page.mail:
                    await write(request, response, b": nothing new\n\n")
        return response

    async def _page(
        self, request: web.Request, store: AccountStore, end: str, after: Cursor, limit: int, wait_s: float
    ) -> MailPage:
        """The next messages: returns once there are any, the time is over, or the reader is gone."""
        until_s = self._clock.monotonic_s() + wait_s
        while True:
            news = self.news(end)  # before reading: a message from here on ends the wait
            page = await store.mail(end, after=after.number, mark=after.mark, limit=limit)
            left_s = until_s - self._clock.monotonic_s()
            if page.mail or page.missed or page.is_anew or left_s <= 0:
                return page
            while not news.is_set() and left_s > 0:
                if self._is_closed or is_gone(request):
                    return page
                await self._clock.wait(news, min(left_s, LOOK_EVERY_S))
                left_s = until_s - self._clock.monotonic_s()


def is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _later(why: str) -> web.Response:
    from aiohttp import web

    return web.json_response({"error": why}, status=503, headers={"Retry-After": "10"})


def _end_of(page: MailPage) -> Cursor:
    """The position of a reader that has this page."""
    if page.mail:
        return Cursor(page.mail[-1].number, page.mail[-1].mark)
    return Cursor(page.last, page.last_mark)


def _cursor(name: str, stated: str) -> Cursor:
    found = _CURSOR.fullmatch(stated.strip() or "0")
    if found is None or int(found[1]) > _MOST:
        raise ValueError(f"{name} is not a cursor of this mailbox")
    return Cursor(int(found[1]), found[2] or "")


def _number(request: web.Request, name: str, *, most: int) -> int:
    stated = request.query.get(name, "").strip() or "0"
    if not (stated.isascii() and stated.isdecimal() and len(stated) < 20 and int(stated) <= most):
        raise ValueError(f"{name} is not a number up to {most}")
    return int(stated)


def _message(end: str, mail: Mail) -> dict[str, Any]:
    event = encode.standard_event(mail.content) or encode.foreign(end, mail.name, mail.at)
    return {"cursor": str(Cursor(mail.number, mail.mark)), "id": mail.name, **event}


def _event(end: str, mail: Mail) -> bytes:
    event = _message(end, mail)
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))  # contains no line breaks
    return f"id: {event['cursor']}\nevent: {event['type']}\ndata: {data}\n\n".encode("utf-8", "replace")


async def write(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Write to the reader. A reader that does not read has its stream closed, and continues later by its cursor."""
    try:
        async with asyncio.timeout(_WRITE_TIMEOUT_S):
            await response.write(data)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise
