"""The gateway: websocket sessions with HELLO, IDENTIFY, heartbeats, sequence numbers, RESUME and replay.

Called by the emulator's operations, which dispatch events; knows nothing of messages beyond their two readings (with and without
content). Source: Discord API reference, "Gateway" and "Opcodes and Status Codes", August 2026.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from adapters.discord.emulator.records import Bot, Channel
from adapters.discord.emulator.wire import Json, Payloads, without_content
from adapters.discord.emulator.world import World

HEARTBEAT_INTERVAL_MS = 41_250
RESUME_WINDOW_S = 180.0
REPLAY_KEPT = 20_000
"""Events per session that a RESUME can bring back."""
MAX_SENDS_PER_MINUTE = 120
MAX_UNSENT = 200_000

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_PRESENCES = 1 << 8
GUILD_MESSAGES = 1 << 9
DIRECT_MESSAGES = 1 << 12
GUILD_MESSAGE_REACTIONS = 1 << 10
GUILD_MESSAGE_TYPING = 1 << 11
MESSAGE_CONTENT = 1 << 15
GUILD_MESSAGE_POLLS = 1 << 24
GUILD_WEBHOOKS = 1 << 5
ALL_INTENTS = (1 << 26) - 1

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 1, 2, 6, 7, 9, 10, 11
UPDATE_PRESENCE = 3
_HARMLESS_OPS = (4, 8, 14, 31)
"""Voice state, member and sound requests: accepted, without effect here."""


@dataclass(slots=True)
class Event:
    """One dispatch, encoded once for every session that gets it."""

    name: str
    full: bytes
    bare: bytes
    intent: int
    channel: Channel | None
    author_id: int | None = None
    pinged: tuple[int, ...] = ()
    about: int = 0


@dataclass(slots=True)
class Session:
    session_id: str
    bot: Bot
    intents: int
    sequence: int = 0
    replay: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=REPLAY_KEPT))
    connection: Connection | None = None
    left_at: float | None = None


class Connection:
    """One websocket: a bounded queue of frames and the task that writes them."""

    def __init__(self, socket: web.WebSocketResponse, *, compressed: bool) -> None:
        self.socket = socket
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_UNSENT)
        self._deflate = zlib.compressobj() if compressed else None
        self.received: deque[float] = deque(maxlen=MAX_SENDS_PER_MINUTE)

    def put(self, frame: bytes) -> None:
        """Queues a frame; a reader whose queue is full is disconnected."""
        try:
            self.queue.put_nowait(frame)
        except asyncio.QueueFull:
            self.abort()

    def put_op(self, op: int, data: object = None) -> None:
        self.put(msgspec.json.encode({"op": op, "d": data, "s": None, "t": None}))

    async def write_all(self) -> None:
        while (frame := await self.queue.get()) is not None:
            if self._deflate is None:
                await self.socket.send_str(frame.decode())
            else:
                await self.socket.send_bytes(self._deflate.compress(frame) + self._deflate.flush(zlib.Z_SYNC_FLUSH))

    def abort(self) -> None:
        writer = getattr(self.socket, "_req", None)
        if writer is not None and writer.transport is not None:
            writer.transport.abort()

    def is_flooding(self) -> bool:
        now = time.monotonic()
        full = len(self.received) == MAX_SENDS_PER_MINUTE and now - self.received[0] < 60
        self.received.append(now)
        return full


class Gateway:
    def __init__(self, world: World, payloads: Payloads, url: Callable[[], str]) -> None:
        self._world = world
        self._payloads = payloads
        self._url = url
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._last: Event | None = None
        self._held: Event | None = None
        self._is_swapping = False
        self.identifies = 0
        self.identify_limit = 100_000
        """Sessions per day. Discord allows 1000; as with the rate budgets, the default is higher."""

    # -- what the operations call ---------------------------------------------------------------------------------------------

    def dispatch(self, name: str, payload: Json, *, intent: int, channel: Channel | None = None, about: int = 0) -> None:
        """Send an event to every session whose intents include it and that may see its channel; the bot that it is `about` needs no
        intent."""
        full = msgspec.json.encode(payload)
        event = Event(name, full, full, intent, channel, about=about)
        self._order(event)

    def dispatch_message(self, name: str, payload: Json, channel: Channel, author_id: int, pinged: tuple[int, ...]) -> None:
        """As `dispatch`, with the content left out for sessions that have no right to it; in a direct chat all have."""
        full, is_direct = msgspec.json.encode(payload), channel.is_direct
        bare = full if is_direct else msgspec.json.encode(without_content(payload)) if self._any_without_content() else b""
        intent = DIRECT_MESSAGES if is_direct else GUILD_MESSAGES
        self._order(Event(name, full, bare, intent, channel, author_id, pinged))

    def _any_without_content(self) -> bool:
        return any(not s.intents & MESSAGE_CONTENT for s in self._sessions.values())

    def _order(self, event: Event) -> None:
        if not self._is_swapping or not event.name.startswith("MESSAGE"):
            self._deliver(event)
        elif self._held is None:
            self._held = event
            asyncio.get_running_loop().call_later(1.0, self._release)
        else:
            self._deliver(event)
            self._release()

    def _release(self) -> None:
        held, self._held, self._is_swapping = self._held, None, False
        if held is not None:
            self._deliver(held)

    def _deliver(self, event: Event) -> None:
        self._last = event
        for session in list(self._sessions.values()):
            if self._has_expired(session):
                del self._sessions[session.session_id]
            elif (not event.intent or session.intents & event.intent or session.bot.user.id == event.about) and (
                event.channel is None or self._world.can_view(session.bot, event.channel)
            ):
                self._send(session, event.name, self._body_for(session, event))

    def _body_for(self, session: Session, event: Event) -> bytes:
        own = session.bot.user.id
        if session.intents & MESSAGE_CONTENT or not event.bare or own == event.author_id or own in event.pinged:
            return event.full
        return event.bare

    def _send(self, session: Session, name: str, body: bytes) -> None:
        session.sequence += 1
        frame = b'{"t":"%s","s":%d,"op":0,"d":%s}' % (name.encode(), session.sequence, body)
        session.replay.append((session.sequence, frame))
        if session.connection is not None:
            session.connection.put(frame)

    # -- disturbances ---------------------------------------------------------------------------------------------------------

    def cut(self) -> None:
        for connection in list(self._connections):
            connection.abort()

    def ask_to_reconnect(self) -> None:
        for connection in list(self._connections):
            connection.put_op(RECONNECT)

    def invalidate_sessions(self) -> None:
        """From now on no session can be resumed; connected ones get op 9."""
        self._sessions.clear()
        for connection in list(self._connections):
            connection.put_op(INVALID_SESSION, False)

    def redeliver(self) -> None:
        if self._last is not None:
            self._deliver(self._last)

    def swap_next_two(self) -> None:
        self._is_swapping = True

    @property
    def ready_sessions(self) -> int:
        return sum(1 for s in self._sessions.values() if s.connection is not None)

    def _has_expired(self, session: Session) -> bool:
        return session.left_at is not None and time.monotonic() - session.left_at > RESUME_WINDOW_S

    # -- one connection -------------------------------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=4096 * 4, autoclose=True)
        await socket.prepare(request)
        connection = Connection(socket, compressed=request.query.get("compress") == "zlib-stream")
        self._connections.add(connection)
        session: Session | None = None
        writer = asyncio.create_task(connection.write_all(), name="discord emulator gateway writer")
        try:
            if request.query.get("v", "10") not in ("9", "10"):
                await socket.close(code=4012, message=b"Invalid API version")
                return socket
            connection.put_op(HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS, "_trace": []})
            async for incoming in socket:
                if incoming.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                problem, session = self._handle(connection, session, incoming.data)
                if problem is not None:
                    await socket.close(code=problem[0], message=problem[1].encode())
                    break
        finally:
            self._connections.discard(connection)
            self._leave(connection, session, socket.close_code)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return socket

    def _leave(self, connection: Connection, session: Session | None, close_code: int | None) -> None:
        if session is None or session.connection is not connection:
            return
        session.connection = None
        session.left_at = time.monotonic()
        if close_code in (1000, 1001):
            self._sessions.pop(session.session_id, None)

    def _handle(
        self, connection: Connection, session: Session | None, raw: str | bytes
    ) -> tuple[tuple[int, str] | None, Session | None]:
        """Handle one payload of the client. Returns the close code and reason if it is faulty, and the session it now has."""
        if connection.is_flooding():
            return (4008, "You are being rate limited."), session
        try:
            payload: dict[str, Any] = msgspec.json.decode(raw)
            op, data = payload["op"], payload.get("d")
        except (msgspec.DecodeError, KeyError, TypeError):
            return (4002, "Error while decoding payload."), session
        if op == HEARTBEAT:
            connection.put_op(HEARTBEAT_ACK)
            return None, session
        if op == IDENTIFY:
            if session is not None:
                return (4005, "Already authenticated."), session
            return self._identify(connection, data)
        if op == RESUME:
            return self._resume(connection, session, data)
        if session is None:
            return (4003, "Not authenticated."), session
        if op == UPDATE_PRESENCE:
            if not isinstance(data, dict) or data.get("status") not in ("online", "dnd", "idle", "invisible", "offline"):
                return (4002, "Error while decoding payload."), session
            session.bot.presence = (data["status"], [str(one.get("state", "")) for one in data["activities"]])
            return None, session
        if op in _HARMLESS_OPS:
            return None, session
        return (4001, "Unknown opcode."), session

    def _identify(self, connection: Connection, data: Any) -> tuple[tuple[int, str] | None, Session | None]:
        self.identifies += 1
        if (
            self.identifies > self.identify_limit
        ):  # Discord resets the token; source: API reference, "Gateway", "Session Start Limit"
            return (4004, "Authentication failed."), None
        if not isinstance(data, dict) or "properties" not in data:
            return (4002, "Error while decoding payload."), None
        bot = self._world.bots.get(str(data.get("token", "")).removeprefix("Bot "))
        if bot is None:
            return (4004, "Authentication failed."), None
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~ALL_INTENTS:
            return (4013, "Invalid intent(s)."), None
        wants_switched_off = (
            (intents & MESSAGE_CONTENT and not bot.message_content)
            or (intents & GUILD_MEMBERS and not bot.guild_members)
            or intents & GUILD_PRESENCES
        )
        if wants_switched_off:
            return (4014, "Disallowed intent(s)."), None
        session = Session(secrets.token_hex(16), bot, intents, connection=connection)
        self._sessions[session.session_id] = session
        self._send(session, "READY", msgspec.json.encode(self._ready(session)))
        if intents & GUILDS:
            self._introduce(session)
        return None, session

    def introduce(self) -> None:
        """The server becomes available, or the bot is invited: every session is told all of it."""
        for session in self._sessions.values():
            if session.intents & GUILDS:
                self._introduce(session)

    def _introduce(self, session: Session) -> None:
        self._send(session, "GUILD_CREATE", msgspec.json.encode(self._payloads.guild_create(session.bot)))

    def _ready(self, session: Session) -> Json:
        bot = session.bot
        return {
            "v": 10,
            "user": self._payloads.own_user(bot),
            "guilds": [{"id": str(self._world.guild_id), "unavailable": True}],
            "session_id": session.session_id,
            "resume_gateway_url": self._url(),
            "session_type": "normal",
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "user_settings": {},
            "shard": [0, 1],
            "application": {"id": str(bot.application_id), "flags": bot.flags},
            "_trace": [],
        }

    def _resume(self, connection: Connection, current: Session | None, data: Any) -> tuple[tuple[int, str] | None, Session | None]:
        if not isinstance(data, dict):
            return (4002, "Error while decoding payload."), current
        session = self._sessions.get(str(data.get("session_id")))
        sequence = data.get("seq")
        if session is None or session.bot.token != str(data.get("token", "")).removeprefix("Bot ") or self._has_expired(session):
            connection.put_op(INVALID_SESSION, False)
            return None, None
        if not isinstance(sequence, int) or sequence > session.sequence:
            return (4007, "Invalid seq."), None
        if session.replay and session.replay[0][0] > sequence + 1:
            self._sessions.pop(session.session_id)
            connection.put_op(INVALID_SESSION, False)
            return None, None
        if session.connection is not None:
            session.connection.abort()
        session.connection, session.left_at = connection, None
        for number, frame in session.replay:
            if number > sequence:
                connection.put(frame)
        self._send(session, "RESUMED", b'{"_trace":[]}')
        return None, session
