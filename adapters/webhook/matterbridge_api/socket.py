"""A websocket of matterbridge's API: messages in both directions, one JSON text each.

matterbridge answers nothing to what a program says here. So what cannot be taken now is waited with, and the program's next words
with it; what is no message is kept with the input that was not understood."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from adapters.webhook.inbound.receiver import Busy
from adapters.webhook.inbound.refusal import Refusal
from adapters.webhook.matterbridge_api import message
from adapters.webhook.matterbridge_api.acknowledged import acknowledged
from adapters.webhook.matterbridge_api.posting import Posting
from adapters.webhook.matterbridge_api.readers import Cursors, Readers
from adapters.webhook.outbound.fetching import MOST_AT_ONCE
from bridge.model.account_store import StoreDown
from bridge.model.clock import Clock
from bridge.model.tasks import end
from bridge.model.web_mount import KeyGrant

if TYPE_CHECKING:
    from aiohttp import web

MOST_BYTES = 256 * 1024
"""Of one message of a program."""
PING_S = 54.0
"""As matterbridge: a program that does not answer one is gone."""
LOOK_EVERY_S = 5.0
_AGAIN_S = 1.0
_CLOSE_S = 5.0


async def serve_socket(
    request: web.Request, grant: KeyGrant, posting: Posting, readers: Readers, cursors: Cursors, clock: Clock
) -> web.StreamResponse:
    """Returns once the program, or the bridge, ends it."""
    from aiohttp import WSCloseCode, web

    socket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=MOST_BYTES, compress=False, timeout=_CLOSE_S)
    ready = socket.can_prepare(request)
    if not ready.ok:
        body = json.dumps({"message": "this path is for websockets: send Upgrade: websocket"})
        return web.Response(status=400, text=body, content_type="application/json")
    await socket.prepare(request)
    hearing = asyncio.create_task(_hear(socket, grant, posting, readers, clock), name="hear a websocket of a program")
    with suppress(ConnectionError, StoreDown):
        await socket.send_json(message.greeting(clock.now()))
        await _tell(request, socket, grant, readers, cursors, clock, hearing.done)
    if hearing.done():
        hearing.result()  # what failed there is not swallowed
    await end([hearing])
    with suppress(ConnectionError):
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER if readers.is_closed else WSCloseCode.GOING_AWAY)
    return socket


async def _tell(
    request: web.Request,
    socket: web.WebSocketResponse,
    grant: KeyGrant,
    readers: Readers,
    cursors: Cursors,
    clock: Clock,
    is_gone: Callable[[], bool],
) -> None:
    """Raises ConnectionError, StoreDown."""
    while not readers.is_closed and not is_gone():
        unread = await readers.next(cursors, MOST_AT_ONCE, LOOK_EVERY_S, is_gone)
        for one in unread.messages:
            await socket.send_json(one)
        if unread.messages:
            await acknowledged(request, clock)
            await asyncio.shield(readers.have_read(grant.key_id, cursors, unread.cursors))
        cursors = unread.cursors


async def _hear(socket: web.WebSocketResponse, grant: KeyGrant, posting: Posting, readers: Readers, clock: Clock) -> None:
    """Ends when the program closes the connection, sends what is too large, or does not answer a ping."""
    from aiohttp import WSMsgType

    async for frame in socket:
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            continue
        while wait_s := grant.spend():
            await clock.sleep(wait_s)
        await _take(frame.data, grant, posting, readers, clock)


async def _take(said: str | bytes, grant: KeyGrant, posting: Posting, readers: Readers, clock: Clock) -> None:
    while not readers.is_closed:
        try:
            await posting.take(json.loads(said), grant)
        except Busy:
            await clock.sleep(_AGAIN_S)
            continue
        except Refusal as refusal:
            if refusal.status in (503, 507):
                await clock.sleep(_AGAIN_S)
                continue
            await posting.keep(grant.chat, said, refusal.why)
        except (ValueError, RecursionError):
            await posting.keep(grant.chat, said, "no JSON in a websocket")
        return
