"""Websocket of a server that has one: connected, let in, and followed; each frame that is an event is handed on in order.

Where there is a history, it counts: `catch_up` is called once we are let in, and whenever frames were lost, so that a socket that
breaks costs time and no message. Events that come before the frame that lets us in are taken after it. Used by `receiver`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import ClientWebSocketResponse, WSMsgType

from adapters.common.http_body import AnswerRefused, check_json
from adapters.common.queries import find
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.webhook_endpoint import NotNow
from adapters.teamspirit.outbound.encode import Encoder
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.wire import load_json
from bridge.model.adapter import Intake
from bridge.model.errors import AccountDown, BridgeError, ConnectionLost
from bridge.model.platform import AdapterContext

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect

log = structlog.get_logger("teamspirit")

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_STABLE_S = 60.0
"""A connection that broke sooner is a failure too: to be let in and thrown out again all the time would cost a reading of all chats
each time."""
_FAILURES_BEFORE_NOTICE = 3
_MOST_BEFORE_READY = 100
_LONGEST_IN_PRIVATE = 16 * 1024
"""Bytes of a frame. Anybody may write to the bot."""
_SAYS = "the messenger's websocket cannot be used; its chats are read instead"
_LOOK_AT = "check the dialect's websocket, and that a proxy on the way lets websockets through"

Take = Callable[[Any, bytes], Awaitable[None]]
Frame = tuple[dict[str, Any], bytes]
"""What it says, and as it came."""


class Stream:
    """Made for each run of the account. Where there is no history, nothing else brings messages: then the account is down without
    it."""

    def __init__(
        self,
        context: AdapterContext,
        dialect: Dialect,
        transport: Transport,
        encoder: Encoder,
        decoder: Decoder,
        intake: Intake,
    ) -> None:
        options: TeamSpiritOptions = context.options
        self._account, self._alive, self._clock = context.account, context.alive, context.clock
        assert dialect.websocket is not None, "the dialect has no websocket"
        self._websocket = dialect.websocket
        self._transport = transport
        self._encoder = encoder
        self._decoder = decoder
        self._intake = intake
        self._needed = dialect.operations.history is None
        self._ready_within_s = options.request_timeout_s
        self._last_seq: int | None = None
        self._connection = ""
        self.is_live = False
        """Whether events come over it now."""

    async def run(self, take: Take, catch_up: Callable[[], Awaitable[None]], on_ready: Callable[[], None] = lambda: None) -> None:
        """Until cancelled. Raises AccountDown, and ConnectionLost if it is needed."""
        failures = breaks = 0
        while True:
            began_s = self._clock.monotonic_s()
            try:
                url, headers, frames = self._encoder.socket(self._websocket)
                async with self._transport.socket(url, headers, self._websocket.ping_s) as socket:
                    early = await self._let_in(socket, frames)
                    if failures >= _FAILURES_BEFORE_NOTICE:
                        self._intake.chat_restored("")
                    failures, self.is_live = 0, True
                    on_ready()
                    await catch_up()
                    for payload, raw in early:
                        await self._hand_on(payload, raw, take)
                    await self._follow(socket, take, catch_up)
            except AccountDown:
                raise
            except BridgeError as error:
                if self._needed:
                    raise ConnectionLost(str(getattr(error, "reason", error))) from None
                failures += 1
                breaks = 1 if self._clock.monotonic_s() - began_s >= _STABLE_S else breaks + 1
                log.info("websocket lost", account=self._account, reason=str(getattr(error, "reason", error)))
                if failures == _FAILURES_BEFORE_NOTICE:
                    self._intake.notice(_SAYS, _LOOK_AT)
            finally:
                self.is_live = False
            await self._clock.sleep(min(_FIRST_WAIT_S * 2.0 ** min(breaks - 1, 10), _LONGEST_WAIT_S))

    async def _let_in(self, socket: ClientWebSocketResponse, frames: list[str]) -> list[Frame]:
        """The events that came before we were let in, in their order. Raises ConnectionLost."""
        self._last_seq, self._connection = None, secrets.token_hex(8)
        early: list[Frame] = []
        try:
            async with asyncio.timeout(self._ready_within_s):
                for frame in frames:
                    await socket.send_str(frame)
                for _ in range(_MOST_BEFORE_READY):
                    payload, raw = await self._next(socket)
                    if find(self._websocket.refused, payload):
                        raise ConnectionLost("websocket: the server does not let us in")
                    # a gap here costs nothing: all chats are read once we are let in
                    payload, _whole = self._numbered(payload)
                    if self._decoder.is_event(payload):
                        early.append((payload, raw))
                    if find(self._websocket.ready, payload):
                        return early
        except (TimeoutError, ConnectionError) as error:
            raise ConnectionLost(f"websocket: not let in ({type(error).__name__})") from None
        raise ConnectionLost("websocket: none of the first frames says that we are let in")

    async def _follow(self, socket: ClientWebSocketResponse, take: Take, catch_up: Callable[[], Awaitable[None]]) -> None:
        """Raises ConnectionLost once it is closed."""
        while True:
            payload, raw = await self._next(socket)
            self._alive()
            payload, whole = self._numbered(payload)
            if not whole:
                log.info("websocket lost events", account=self._account)
                await catch_up()
            await self._hand_on(payload, raw, take)

    async def _hand_on(self, payload: Any, raw: bytes, take: Take) -> None:
        """A frame that is an event of a chat that is relayed, or what somebody says to the bot in private."""
        if not self._decoder.is_event(payload):
            return
        chat_id = self._decoder.chat_of_call(payload)
        if chat_id and chat_id not in self._intake.routed_chats() and not self._may_be_command(payload, raw):
            return
        try:
            await take(payload, raw)
        except NotNow:
            log.info("left to the history", account=self._account, chat=chat_id)

    def _may_be_command(self, payload: Any, raw: bytes) -> bool:
        """Whether it is said in private, to a bot that listens, and no longer than a command may be with all that is around it."""
        listens = len(raw) <= _LONGEST_IN_PRIVATE and self._intake.hears_private()
        return listens and self._decoder.is_said_in_private(payload)

    async def _next(self, socket: ClientWebSocketResponse) -> Frame:
        """The next frame that is JSON, with what is JSON within it read as well. Raises ConnectionLost."""
        while True:
            frame = await socket.receive()
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                raise ConnectionLost(f"websocket: closed ({socket.close_code or frame.type.name})")
            raw = frame.data.encode("utf-8", "surrogatepass") if isinstance(frame.data, str) else bytes(frame.data)
            payload = _json(raw)
            if isinstance(payload, dict):
                return self._unfolded(payload), raw
            await self._intake.undecodable(raw[:64], "websocket: a frame that is no JSON object")

    def _unfolded(self, payload: dict[str, Any]) -> dict[str, Any]:
        for path in self._websocket.nested:
            *parents, name = path.split(".")
            holder: Any = payload
            for parent in parents:
                holder = holder.get(parent) if isinstance(holder, dict) else None
            if isinstance(holder, dict) and isinstance(holder.get(name), str):
                inner = _json(holder[name].encode("utf-8", "surrogatepass"))
                holder[name] = holder[name] if inner is None else inner
        return payload

    def _numbered(self, payload: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The frame with the name of its connection, and whether nothing is missing before it. A repeated frame leaves no gap.
        Numbers that begin anew belong to another connection: a proxy moved us to another server, say."""
        seq = find(self._websocket.seq, payload)
        whole = True
        if isinstance(seq, int) and not isinstance(seq, bool):
            last, self._last_seq = self._last_seq, seq
            whole = last is None or seq in (last, last + 1)
            if last is not None and seq < last:
                self._connection = secrets.token_hex(8)
        return {**payload, "connection": self._connection}, whole


def _json(raw: bytes) -> Any:
    """None for what is no JSON, or should not be read."""
    try:
        check_json(raw)
        return load_json(raw)
    except (ValueError, RecursionError, AnswerRefused):
        return None
