"""The gateway through discord.py's websocket: heartbeats, zlib, IDENTIFY and RESUME are the library's, the events are ours raw.

discord.py's own parsing of events is switched off (`parsers` is replaced): one malformed payload would end its client for good, its
handlers run as tasks of their own, in any order, and its caches are not needed. So events reach the adapter as payloads, in order,
with their sequence number; what has been read is distinguished from what is on disk, and a session is resumed at the latter, also
after a restart. One `discord.Client` per connection. Other network I/O is in `transport`; called by `adapter`.

Source: discord.py 2.7.1, gateway.py and client.py (`Client.connect` is the model for the loop in `receiver.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import zlib
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
import msgspec
import yarl
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from adapters.common.http_body import MOST_BYTES, AnswerTooLarge, check_json
from adapters.common.http_errors import TRANSPORT_ERRORS, classify_connection_error
from adapters.discord.errors import AUTHENTICATION_FAILED, CLOSE_CODES
from adapters.discord.transport import Transport
from adapters.discord.urls import GATEWAY_URL
from bridge.model.errors import AccountDown, ConnectionLost

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

CONNECT_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 2.0
KEEP_SESSION = 4000
"""Close code that, unlike 1000, leaves the session resumable."""

EVENTS = (
    "READY",
    "RESUMED",
    "GUILD_CREATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "GUILD_ROLE_CREATE",
    "GUILD_ROLE_UPDATE",
    "GUILD_ROLE_DELETE",
    "GUILD_EMOJIS_UPDATE",
    "GUILD_MEMBER_UPDATE",
    "GUILD_MEMBER_REMOVE",
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_DELETE",
    "THREAD_CREATE",
    "THREAD_UPDATE",
    "THREAD_DELETE",
    "THREAD_LIST_SYNC",
    "WEBHOOKS_UPDATE",
    "MESSAGE_CREATE",
    "MESSAGE_UPDATE",
    "MESSAGE_DELETE",
    "MESSAGE_DELETE_BULK",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_REACTION_REMOVE_ALL",
    "MESSAGE_REACTION_REMOVE_EMOJI",
    "MESSAGE_POLL_VOTE_ADD",
    "MESSAGE_POLL_VOTE_REMOVE",
    "TYPING_START",
)
"""What the adapter reads; everything else is discarded as it arrives."""


class SessionState(msgspec.Struct, frozen=True, kw_only=True):
    """What a RESUME needs. `sequence` is the last event that is on disk (or was no event), not the last one read."""

    session_id: str
    sequence: int
    url: str
    user_id: str = ""
    """Whose session it is: another bot's token cannot resume it."""


class GatewayEvent(msgspec.Struct, frozen=True):
    """One dispatch. `payload` has no fixed shape: `decode` judges it."""

    name: str
    payload: Any
    session: SessionState


class SessionInvalid(Exception):
    """Op 9: the session cannot be resumed; identify again after a pause."""


class Interrupted(Exception):
    """The connection broke or Discord asked for a new one (op 7): it can be resumed."""


def intents(options: DiscordOptions) -> discord.Intents:
    """Guilds, messages (also direct ones, for commands), reactions, votes, typing and the privileged message content; members
    only on request. Source: Discord's reference, "List of Intents"; direct messages are not privileged."""
    return discord.Intents(
        guilds=True,
        webhooks=True,
        guild_messages=True,
        dm_messages=True,
        guild_reactions=True,
        guild_typing=True,
        guild_polls=True,
        message_content=True,
        members=options.members,
    )


class _Http(discord.http.HTTPClient):
    """discord.py's HTTP client reduced to opening the websocket, with this account's session and gateway address."""

    def __init__(self, transport: Transport, options: DiscordOptions, token: str) -> None:
        super().__init__(asyncio.get_running_loop())
        self.token = token
        self._transport = transport
        self._gateway_url = yarl.URL(options.gateway_url)

    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        asked = yarl.URL(url)
        if asked.host == yarl.URL(GATEWAY_URL).host and self._gateway_url.host != asked.host:
            asked = self._gateway_url.with_query(asked.query)
        return await self._transport.session.ws_connect(
            asked,
            proxy=self._transport.proxy,
            max_msg_size=MOST_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
            autoclose=False,
            compress=compress,
        )


class Connection:
    """One websocket to the gateway, identified or resumed. Use: `open`, then `read` until it raises, then `close`."""

    def __init__(self, options: DiscordOptions, transport: Transport, user_id: str) -> None:
        self._options = options
        self._transport = transport
        self._user_id = user_id
        self._socket: DiscordWebSocket | None = None
        self._collected: list[tuple[str, Any]] = []

    async def open(self, session: SessionState | None) -> None:
        """Raises AccountDown, ConnectionLost, Interrupted or SessionInvalid."""
        token = self._options.token.get_secret_value().strip()
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        client = discord.Client(
            intents=intents(self._options),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            enable_debug_events=False,
        )
        client.http = _Http(self._transport, self._options, token)
        client.loop = asyncio.get_running_loop()
        client._connection.loop = client.loop
        client._connection.parsers = {name: self._collector(name) for name in EVENTS}
        client._connection._update_references = self._adopt  # type: ignore[method-assign,assignment]
        resume: dict[str, Any] = {}
        if session is not None:
            resume = {
                "resume": True,
                "session": session.session_id,
                "sequence": session.sequence,
                "gateway": yarl.URL(session.url),
            }
        async with self._classified():
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await DiscordWebSocket.from_client(client, initial=True, **resume)
        assert self._socket is not None
        _note_beats_before_they_leave(self._socket)

    def _adopt(self, socket: DiscordWebSocket) -> None:
        """Called by `from_client` as soon as the socket exists: a handshake that fails must not leave it open."""
        self._socket = socket
        _bound_frames(socket)

    def _collector(self, name: str) -> Any:
        return lambda payload: self._collected.append((name, payload))

    async def read(self) -> list[GatewayEvent]:
        """The next events, often none (heartbeats). Raises as `open`."""
        assert self._socket is not None, "open() first"
        async with self._classified():
            await self._socket.poll_event()
        taken, self._collected = self._collected, []
        if not taken:
            return []
        session = SessionState(
            session_id=self._socket.session_id or "",
            sequence=self._socket.sequence or 0,
            url=str(self._socket.gateway),
            user_id=self._user_id,
        )
        return [GatewayEvent(name, payload, session) for name, payload in taken]

    async def show(self, status: str, text: str) -> None:
        """The bot's own presence. Raises as `open`."""
        assert self._socket is not None, "open() first"
        async with self._classified():
            await self._socket.change_presence(activity=discord.CustomActivity(name=text) if text else None, status=status)

    async def close(self) -> None:
        """Bounded in time; keeps the session resumable."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        if socket._keep_alive is not None:
            socket._keep_alive.stop()
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, RuntimeError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await socket.socket.close(code=KEEP_SESSION)

    @contextlib.asynccontextmanager
    async def _classified(self) -> Any:
        try:
            yield
        except ReconnectWebSocket as request:
            raise (Interrupted if request.resume else SessionInvalid) from None
        except discord.ConnectionClosed as closed:
            raise _closed(closed.code) from None
        except TRANSPORT_ERRORS as error:
            raise classify_connection_error(error, doing="the gateway") from None
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            # a frame outside the protocol, or the library's own haste when a socket dies during the handshake
            raise ConnectionLost(f"the gateway connection ended in disorder: {type(error).__name__}") from error


class _BoundedInflation:
    """The library's reading of a compressed stream (the gateway's `zlib-stream`), bounded: a small frame can be a large text."""

    COMPRESSION_TYPE = "zlib-stream"

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._context = zlib.decompressobj()

    def decompress(self, data: bytes, /) -> str | None:
        self._waiting += data
        if len(self._waiting) > MOST_BYTES:
            raise AnswerTooLarge("a frame of the gateway is too large")
        if not data.endswith(b"\x00\x00\xff\xff"):
            return None
        text = self._context.decompress(bytes(self._waiting), MOST_BYTES)
        if self._context.unconsumed_tail:
            raise AnswerTooLarge("a frame of the gateway is too large")
        self._waiting.clear()
        return text.decode()


def _bound_frames(socket: DiscordWebSocket) -> None:
    """Frames are bounded in size and nesting as answers are."""
    if discord.utils._ActiveDecompressionContext.COMPRESSION_TYPE == _BoundedInflation.COMPRESSION_TYPE:
        socket._decompressor = _BoundedInflation()
    inflate, receive = socket._decompressor.decompress, socket.received_message

    async def received(frame: Any, /) -> None:
        text = inflate(frame) if isinstance(frame, bytes) else frame
        if text is None:
            return
        check_json(text)
        await receive(text)

    socket.received_message = received  # type: ignore[method-assign]


def _note_beats_before_they_leave(socket: DiscordWebSocket) -> None:
    """The library notes when a heartbeat was sent once its thread hears so. On a fast line the answer comes before that, is
    measured from the beat before, and "can't keep up ... 41.3s behind" is logged for an idle connection. A really late answer is
    still logged."""
    keep_alive = socket._keep_alive
    if keep_alive is None:
        return
    payload = keep_alive.get_payload

    def noted() -> dict[str, Any]:
        keep_alive._last_send = time.perf_counter()
        return payload()

    keep_alive.get_payload = noted  # type: ignore[method-assign]


def _closed(code: int | None) -> AccountDown | ConnectionLost:
    if code is not None and code in CLOSE_CODES:
        reason, action = CLOSE_CODES[code]
        return AccountDown(f"{reason} (close code {code})", action=action, sends=code != AUTHENTICATION_FAILED)
    return ConnectionLost(f"Discord closed the gateway connection with code {code}")
