"""The paths of matterbridge's API, for the holder of a key that may use them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from adapters.webhook.inbound.body import Kind, parse
from adapters.webhook.inbound.downloads import check_size
from adapters.webhook.inbound.multipart import piece_of
from adapters.webhook.inbound.receiver import AGAIN_S, Busy
from adapters.webhook.inbound.refusal import Refusal
from adapters.webhook.inbound.request_headers import low_headers, request_id_of
from adapters.webhook.matterbridge_api import message
from adapters.webhook.matterbridge_api.acknowledged import LONGEST_S, Line, line_of
from adapters.webhook.matterbridge_api.posting import Posting
from adapters.webhook.matterbridge_api.readers import Readers, Unread
from adapters.webhook.outbound.fetching import MOST_AT_ONCE, Fetching, is_gone, write
from bridge.model.account_store import StoreDown
from bridge.model.clock import Clock
from bridge.model.tasks import to_the_end
from bridge.model.web_mount import HoldsBytes, KeyGrant

if TYPE_CHECKING:
    from aiohttp import web

MOST_POSTED_BYTES = 4 * 1024**2
"""Of a message with its files, which are base64 in it. matterbridge's own limit of a file is 1 MB (`MediaDownloadSize`)."""
MOST_DRAINED = 1000
HEARTBEAT_S = 15.0
_LAST_S = LONGEST_S + 5
"""Longest that a call is still worked on after its connection is gone."""
_BLANK = b" "
"""Before a line of JSON it says nothing, and shows that a reader is gone."""
_NOT_STORED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_WHERE = "add /api/message, /api/messages, /api/stream, /api/websocket or /api/health to this address"


class Handler:
    """Of one account. `readers` is None where there is no journal."""

    def __init__(self, posting: Posting, readers: Readers | None, fetching: Fetching, clock: Clock) -> None:
        self._posting = posting
        self._readers = readers
        self._fetching = fetching
        self._clock = clock

    async def serve(self, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        """What raises HTTPException is the answer."""
        place = grant.place.removeprefix("api/")
        method = "POST" if place == "message" else "GET"
        if not self._posting.ends_of(grant):
            return _error(404, "this key is for an end that no longer exists")
        if not place:
            return _error(404, _WHERE)
        if request.method != method:
            return _error(405, f"only {method}", {"Allow": method})
        try:
            return await self._serve(place, request, grant)
        except Refusal as refusal:
            again = {"Retry-After": str(AGAIN_S)} if refusal.status in (503, 507) else {}
            return _error(refusal.status, refusal.why, again)
        except (Busy, StoreDown):
            return _later()

    async def _serve(self, place: str, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        from aiohttp import web

        if place == "health":
            return web.Response(text="OK", headers=_NOT_STORED)
        if place == "message":
            return await self._post(request, grant)
        if self._readers is None or self._readers.is_closed or not self._fetching.has_room(grant.chat):
            return _later()
        reading: dict[str, Callable[[web.Request, KeyGrant, Readers], Awaitable[web.StreamResponse]]]
        reading = {"messages": self._drain, "stream": self._stream, "websocket": self._websocket}
        with self._fetching.reading(grant.chat):
            return await reading[place](request, grant, self._readers)

    # -- posting --------------------------------------------------------------------------------------------------------------

    async def _post(self, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        """Raises Refusal, Busy."""
        from aiohttp import web

        most_bytes = min(grant.most_bytes, MOST_POSTED_BYTES)
        check_size(request.content_length or 0, most_bytes)
        raw = bytearray()
        while block := await piece_of(request.content.readany()):
            check_size(len(raw) + len(block), most_bytes)
            if isinstance(request, HoldsBytes):
                request.hold(len(block))
            raw += block
        body = parse(bytes(raw), request.headers.get("Content-Type", ""))
        # the body is whole: matterbridge takes it also if the program does not wait for the answer
        taking = self._posting.take(
            body.data if body.kind is Kind.JSON else None, grant, request_id_of(low_headers(request.headers))
        )
        answer = await to_the_end(taking, "post of a program", within_s=_LAST_S)
        return web.json_response(answer, headers=_NOT_STORED)

    # -- reading --------------------------------------------------------------------------------------------------------------

    async def _drain(self, request: web.Request, grant: KeyGrant, readers: Readers) -> web.StreamResponse:
        """All that waits, as a list. Raises StoreDown."""
        from aiohttp import web

        with readers.draining(grant.key_id) as lock:
            async with lock:
                before = await readers.begin(grant.key_id, self._posting.ends_of(grant))
                unread = await readers.unread(before, MOST_DRAINED)
                response = web.json_response(unread.messages, headers=_NOT_STORED)

                async def say() -> None:
                    await response.prepare(request)
                    await response.write_eof()

                async def hand_over() -> None:
                    with line_of(request) as line:
                        await line.arrive(say(), self._clock)
                    with suppress(StoreDown):  # its list is sent; it gets the same once more
                        await readers.have_read(grant.key_id, before, unread.cursors)

                with suppress(ConnectionError):
                    await to_the_end(hand_over(), "messages for a reader", within_s=_LAST_S)  # it may close once it has them
        return response

    async def _stream(self, request: web.Request, grant: KeyGrant, readers: Readers) -> web.StreamResponse:
        """A line of JSON for each message. It has no end. Raises StoreDown."""
        from aiohttp import web

        cursors = await readers.begin(grant.key_id, self._posting.ends_of(grant))
        response = web.StreamResponse(headers={"Content-Type": "application/json", **_NOT_STORED})

        async def say(lines: bytes) -> None:
            await write(request, response, lines)

        async def hand_over(line: Line, unread: Unread) -> None:
            with readers.handing_over(grant.key_id, request):
                await line.arrive(say(b"".join(map(message.line, unread.messages))), self._clock)
                await readers.have_read(grant.key_id, cursors, unread.cursors)

        with suppress(ConnectionError, TimeoutError, StoreDown), line_of(request) as line:
            await response.prepare(request)
            await say(message.line(message.greeting(self._clock.now())))
            while not readers.is_closed:
                unread = await readers.next(cursors, MOST_AT_ONCE, HEARTBEAT_S, lambda: is_gone(request))
                if unread.messages:
                    await to_the_end(hand_over(line, unread), "messages for a reader", within_s=_LAST_S)
                else:
                    await say(_BLANK)
                cursors = unread.cursors
        return response

    async def _websocket(self, request: web.Request, grant: KeyGrant, readers: Readers) -> web.StreamResponse:
        """Raises StoreDown."""
        from adapters.webhook.matterbridge_api.socket import serve_socket

        cursors = await readers.begin(grant.key_id, self._posting.ends_of(grant))
        return await serve_socket(request, grant, self._posting, readers, cursors, self._clock)


def _error(status: int, why: str, headers: dict[str, str] | None = None) -> web.Response:
    """As matterbridge's server writes errors."""
    from aiohttp import web

    body = json.dumps({"message": why}, ensure_ascii=False)
    return web.Response(status=status, text=body, content_type="application/json", headers={**_NOT_STORED, **(headers or {})})


def _later() -> web.Response:
    return _error(503, "try again later", {"Retry-After": str(AGAIN_S)})
