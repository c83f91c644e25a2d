"""The stream of gateway events: connections that follow each other, read into a bounded queue, resumed where they were interrupted.

Runs as a task of `receiver`, which takes the queue's items in order; one connection is `gateway`'s.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import structlog

from adapters.discord import wire
from adapters.discord.errors import Refused
from adapters.discord.identity import Identity
from adapters.discord.inbound.gateway import Connection, GatewayEvent, Interrupted, SessionInvalid, SessionState
from adapters.discord.inbound.identify_budget import IdentifyBudget
from adapters.discord.inbound.own_presence import Presence
from adapters.discord.lenient import mapping
from adapters.discord.transport import Route, Transport
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, BridgeError, ConnectionLost, DeliveryError

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

log = structlog.get_logger("discord")

QUEUE_SIZE = 2000
QUICK_RECONNECTS = 4
QUICK_WINDOW_S = 60.0


class Stream:
    def __init__(
        self,
        options: DiscordOptions,
        transport: Transport,
        identity: Identity,
        clock: Clock,
        budget: IdentifyBudget,
        alive: Callable[[], None],
        presence: Presence,
    ) -> None:
        """`alive` is called for all that the gateway sends; `presence` is shown over each connection."""
        self._options = options
        self._transport = transport
        self._identity = identity
        self._clock = clock
        self._budget = budget
        self._alive = alive
        self._presence = presence
        self.queue: asyncio.Queue[GatewayEvent | BridgeError] = asyncio.Queue(QUEUE_SIZE)

    async def run(self, session: SessionState | None) -> None:
        """Puts events into the queue until the connection is lost for good; the last item is the reason."""
        try:
            await self._read_connections(session)
        except BridgeError as error:
            await self.queue.put(error)
        except Exception as error:
            await self.queue.put(ConnectionLost(f"reading the gateway failed: {type(error).__name__}"))
            raise

    async def _read_connections(self, session: SessionState | None) -> None:
        """A connection that Discord ends is resumed at once; one that keeps ending is the supervisor's to pace."""
        recent: list[float] = []
        while True:
            if session is None:
                await self._may_begin_session()
            connection = Connection(self._options, self._transport, self._identity.user_id)
            try:
                await self._open(connection, session)
                await self._presence.opened(connection)
                while True:
                    events = await connection.read()
                    self._alive()  # also for a heartbeat that was answered
                    for event in events:
                        session = event.session
                        await self.queue.put(event)
            except Interrupted:
                log.info("gateway connection ended; resuming", account=self._identity.account)
            except SessionInvalid:
                log.info("gateway session is over; a new one begins", account=self._identity.account)
                session = None
                await self._clock.sleep(random.uniform(1.0, 5.0))
            finally:
                self._presence.closed()
                await connection.close()
            now = self._clock.monotonic_s()
            recent = [*(at for at in recent if now - at < QUICK_WINDOW_S), now]
            if len(recent) > QUICK_RECONNECTS:
                raise ConnectionLost("the gateway connection keeps ending")

    async def _may_begin_session(self) -> None:
        try:
            answer = await self._transport.call(Route("GET", "/gateway/bot", "gateway/bot"))
        except Refused as refused:
            if isinstance(refused.error, AccountDown):
                raise refused.error from None
            answer = None  # no limit was given: our own count applies
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        address: wire.GatewayAddress = mapping(answer)
        await self._budget.take(address.get("session_start_limit"))

    async def _open(self, connection: Connection, session: SessionState | None) -> None:
        """A session's own address may be gone while the common one works."""
        try:
            await connection.open(session)
        except ConnectionLost:
            if session is None or session.url == self._options.gateway_url:
                raise
            await connection.close()
            await connection.open(msgspec.structs.replace(session, url=self._options.gateway_url))
