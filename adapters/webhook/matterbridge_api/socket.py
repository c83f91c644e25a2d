"""A websocket of matterbridge's API: messages in both directions, one JSON text each. What a program says is `hearing`'s."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from adapters.webhook.matterbridge_api import message
from adapters.webhook.matterbridge_api.acknowledged import LONGEST_S, line_of
from adapters.webhook.matterbridge_api.hearing import Hearing
from adapters.webhook.matterbridge_api.posting import Posting
from adapters.webhook.matterbridge_api.readers import Cursors, Readers, Unread
from adapters.webhook.outbound.fetching import MOST_AT_ONCE
from bridge.model.account_store import StoreDown
from bridge.model.clock import Clock
from bridge.model.tasks import to_the_end
from bridge.model.web_mount import KeyGrant

if TYPE_CHECKING:
    from aiohttp import web

MOST_BYTES = 2 * 1024**2
"""Of one message of a program: with a file of 1 MB (`MediaDownloadSize`), which is base64 in it."""
PING_S = 54.0
"""As matterbridge: a program that does not answer one is gone."""
LOOK_EVERY_S = 5.0
_AGAIN_S = 1.0
_CLOSE_S = 5.0


async def serve_socket(
    request: web.Request, grant: KeyGrant, posting: Posting, readers: Readers, cursors: Cursors, clock: Clock
) -> web.StreamResponse:
    """Returns once the program, or the bridge, ends it; however it ends, nothing is heard after that."""
    from aiohttp import WSCloseCode, web

    socket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=MOST_BYTES, compress=False, timeout=_CLOSE_S)
    ready = socket.can_prepare(request)
    if not ready.ok:
        body = json.dumps({"message": "this path is for websockets: send Upgrade: websocket"})
        return web.Response(status=400, text=body, content_type="application/json")
    await socket.prepare(request)
    hearing = Hearing(socket, grant, posting, readers, clock)
    task = asyncio.create_task(hearing.run(), name="hear a websocket of a program")
    try:
        with suppress(ConnectionError):
            await socket.send_json(message.greeting(clock.now()))
            await _tell(request, socket, grant, readers, cursors, clock, task.done)
        code = WSCloseCode.TRY_AGAIN_LATER if readers.is_closed else WSCloseCode.GOING_AWAY
        if not task.done():
            await _say_goodbye(socket, code)
    finally:
        await hearing.finish(task)
    if not task.cancelled():
        task.result()  # what failed there is not swallowed
    with suppress(ConnectionError):
        await socket.close(code=code)
    return socket


async def _say_goodbye(socket: web.WebSocketResponse, code: int) -> None:
    """`close` would drop what the program says until it hears of it."""
    from aiohttp import WSMsgType

    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await socket.send_frame(code.to_bytes(2, "big"), WSMsgType.CLOSE)


async def _tell(
    request: web.Request,
    socket: web.WebSocketResponse,
    grant: KeyGrant,
    readers: Readers,
    cursors: Cursors,
    clock: Clock,
    is_gone: Callable[[], bool],
) -> None:
    """Raises ConnectionError."""

    async def say(unread: Unread) -> None:
        for one in unread.messages:
            await socket.send_json(one)

    async def hand_over(unread: Unread) -> None:
        with readers.handing_over(grant.key_id, request), suppress(StoreDown):  # what is read next is noted with it
            await line.arrive(say(unread), clock)
            await readers.have_read(grant.key_id, cursors, unread.cursors)

    with line_of(request) as line:
        while not readers.is_closed and not is_gone():
            try:
                unread = await readers.next(cursors, MOST_AT_ONCE, LOOK_EVERY_S, is_gone)
            except StoreDown:  # the program may go on speaking meanwhile
                await clock.sleep(_AGAIN_S)
                continue
            if unread.messages:
                await to_the_end(hand_over(unread), "messages for a program", within_s=LONGEST_S + 5)
            cursors = unread.cursors
