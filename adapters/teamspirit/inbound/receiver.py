"""Receiving: the calls of an outgoing webhook, the history, or both together. `adapter.run` is this.

With both, the history is what counts: nothing is lost if calls are. Here is how often which chat is read, and what is done when the
server is away; `webhook_events` takes the calls, `catch_up` reads one chat.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from adapters.common.own_messages import OwnMessages
from adapters.teamspirit.capabilities import HEALTH_CHECK_S, REREAD_WITH_WEBHOOK_S
from adapters.teamspirit.client import Client
from adapters.teamspirit.inbound.catch_up import ChatReader
from adapters.teamspirit.inbound.chat_readers import ChatReaders
from adapters.teamspirit.inbound.direct_chats import DirectChats
from adapters.teamspirit.inbound.stream import Stream
from adapters.teamspirit.inbound.webhook import Webhook
from adapters.teamspirit.inbound.webhook_events import Calls
from bridge.model.adapter import Intake
from bridge.model.errors import AccountDown, ChatDown, ConnectionLost, DeliveryError, RetryLater
from bridge.model.platform import AdapterContext

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions

log = structlog.get_logger("teamspirit")

_REREAD_EVERY = 2
"""The latest messages are read again for edits and deletes at most every so many intervals, new ones at every look."""
_UNANNOUNCED_BEFORE_NOTICE = 3
_CHATS_AT_ONCE = 16
_MANY_CHATS = 300
_LOOK_FOR_ROUTES_S = 0.25
_CHAT_DOWN_WAIT_S = 30.0
_LONGEST_CHAT_DOWN_WAIT_S = 900.0
_LONGEST_BACKOFF_S = 30.0
_FAILURES_BEFORE_CHECK = 3
_IDLE_AFTER_S = 120.0
_REST_AFTER_S = 600.0
"""Chats in which nothing happens cost next to no memory."""


class Reception:
    """Made for each run of the account."""

    def __init__(
        self,
        context: AdapterContext,
        client: Client,
        own: OwnMessages,
        webhook: Webhook,
        readers: ChatReaders,
        calls: Calls,
        intake: Intake,
        stream: Stream | None = None,
        told: Calls | None = None,
        direct: DirectChats | None = None,
    ) -> None:
        """`stream` and `told`: the server's websocket, and who takes what it tells; `direct`: who reads private chats.
        `context.alive` is called whenever the server answered or called."""
        options: TeamSpiritOptions = context.options
        self._account = context.account
        self._alive = context.alive
        self._clock = context.clock
        self._lively_s = options.poll_interval_s
        self._idle_s = max(options.poll_interval_s, options.poll_idle_interval_s)
        self._client = client
        self._own = own
        self._webhook = webhook
        self._readers = readers
        self._calls = calls
        self._intake = intake
        self._stream = stream
        self._told = told
        self._direct = direct
        self._slots = asyncio.Semaphore(_CHATS_AT_ONCE)
        self._by_webhook = False
        self._calls_arrive = False
        self._unannounced = 0

    async def run(self) -> None:
        """Until cancelled. Raises ConnectionLost, AccountDown."""
        self._readers.routed()
        try:
            self._own.me_id = await self._client.identify()
            await self._intake.set_own_names([self._client.own_name])
            begun = await self._begin(most_chats=_MANY_CHATS)
            self._by_webhook = await self._webhook.connect(self._intake)
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        self._webhook.take(self._take)
        try:
            if not begun and not self._by_webhook:
                await self._begin()
            async with asyncio.TaskGroup() as tasks:
                if self._stream is not None and self._told is not None:
                    name = f"adapter {self._account} websocket"
                    ready = (lambda: None) if self._readers.can_read else self._intake.connected
                    tasks.create_task(self._stream.run(self._told.take, self._catch_up, ready), name=name)
                if self._stream is None or self._readers.can_read:
                    self._intake.connected()
                if self._direct is not None:
                    tasks.create_task(self._direct.run(self._direct_pace_s), name=f"adapter {self._account} private chats")
                await self._follow_routes(tasks)
        except BaseExceptionGroup as group:
            raise _most_telling(group) from None
        finally:
            self._webhook.take(None)

    # -- history ------------------------------------------------------------------------------------------------------------

    async def _begin(self, most_chats: int | None = None) -> bool:
        """Know where each chat stands before we ask to be called, and before we say that we are connected. False: there are more
        than `most_chats`, of which that takes too long; where calls tell of new messages, their places can be learned meanwhile."""

        async def one(chat_id: str) -> None:
            reader = self._readers.needed(chat_id)
            try:
                async with self._slots, reader.lock:
                    await reader.begin()
            except ChatDown as error:
                self._readers.put_off(chat_id)
                log.info("history not read", account=self._account, chat=chat_id, reason=error.reason)
            except DeliveryError as error:
                log.info("history not read", account=self._account, chat=chat_id, reason=error.reason)

        routed = self._readers.routed()
        if not self._readers.can_read:
            return True
        if most_chats is not None and len(routed) > most_chats:
            return False
        try:
            async with asyncio.TaskGroup() as tasks:
                for chat_id in routed:
                    tasks.create_task(one(chat_id), name=f"adapter {self._account} begin {chat_id}")
        except BaseExceptionGroup as group:
            raise _most_telling(group) from None
        return True

    async def _catch_up(self) -> None:
        """Read all chats: what the websocket did not tell comes before what it tells now."""

        async def one(chat_id: str) -> None:
            reader = self._readers.needed(chat_id)
            try:
                async with self._slots, reader.lock:
                    await reader.read(again=True)
            except DeliveryError as error:
                log.info("history not read", account=self._account, chat=chat_id, reason=error.reason)

        if not self._readers.can_read:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                for chat_id in self._readers.routed():
                    tasks.create_task(one(chat_id), name=f"adapter {self._account} catch up {chat_id}")
        except BaseExceptionGroup as group:
            raise _most_telling(group) from None

    async def _follow_routes(self, tasks: asyncio.TaskGroup) -> None:
        """One task for each routed chat, as long as it is routed."""
        running: dict[str, asyncio.Task[None]] = {}
        checked_at_s = self._clock.monotonic_s()
        followed = self._intake.routed_chats()
        while True:
            routed = self._readers.routed()
            for chat_id in [chat_id for chat_id in running if chat_id not in routed]:
                running.pop(chat_id).cancel()
                self._readers.drop(chat_id)
            for chat_id in sorted(routed - running.keys()) if self._readers.can_read else ():
                reader = self._readers.needed(chat_id)
                running[chat_id] = tasks.create_task(self._watch(reader), name=f"adapter {self._account} history {chat_id}")
            now_s = self._clock.monotonic_s()
            if now_s - checked_at_s > HEALTH_CHECK_S or (self._by_webhook and routed != followed):
                checked_at_s, followed = now_s, routed
                await self._check(routed)
            await self._clock.sleep(_LOOK_FOR_ROUTES_S)

    async def _check(self, routed: frozenset[str]) -> None:
        """Whether the server is there, and calls us about the chats that are routed now."""
        try:
            if await self._client.identify():
                self._alive()
            if self._by_webhook:
                await self._webhook.follow(self._intake, routed)
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None

    async def _watch(self, reader: ChatReader) -> None:
        """Read one chat again and again, at a pace that follows what happens in it."""
        failures = refusals = 0
        quiet_since_s = now_s = self._clock.monotonic_s()
        reread_at_s = 0.0
        while True:
            again = reader.in_doubt or now_s >= reread_at_s
            try:
                async with self._slots, reader.lock:
                    news = await reader.read(again=again)
                    self._alive()
                    if not news and now_s - quiet_since_s > _REST_AFTER_S:
                        reader.rest()
                if refusals:
                    self._intake.chat_restored(reader.chat_id)
                failures = refusals = 0
                now_s = self._clock.monotonic_s()
                reread_at_s = now_s + _REREAD_EVERY * self._lively_s if again else reread_at_s
                quiet_since_s = now_s if news else quiet_since_s
                if news:
                    self._found_by_reading()
                wait_s = self._pace_s(now_s - quiet_since_s)
            except ChatDown as error:
                self._intake.notice(error.reason, error.action, chat_id=reader.chat_id)
                self._readers.put_off(reader.chat_id)
                wait_s = min(_CHAT_DOWN_WAIT_S * 2.0 ** min(refusals, 10), _LONGEST_CHAT_DOWN_WAIT_S)
                refusals += 1
            except DeliveryError as error:
                failures += 1
                log.info("history not read", account=self._account, chat=reader.chat_id, reason=error.reason)
                if failures % _FAILURES_BEFORE_CHECK == 0:
                    await self._check(self._intake.routed_chats())
                asked_s = error.after_s if isinstance(error, RetryLater) else None
                wait_s = asked_s if asked_s is not None else min(2.0 ** min(failures - 1, 10) / 2, _LONGEST_BACKOFF_S)
            await self._clock.sleep(wait_s)
            now_s = self._clock.monotonic_s()

    def _found_by_reading(self) -> None:
        """News of which no call told. One may still come; if none ever does, the webhook is not to be relied on."""
        self._calls_arrive = False
        self._unannounced += 1
        if self._relies_on_calls and self._unannounced == _UNANNOUNCED_BEFORE_NOTICE:
            reason = "the messenger's calls do not arrive; its chats are read instead"
            self._intake.notice(reason, "check that web.public's url reaches the bridge from the messenger's server")

    async def _take(self, payload: Any, raw: bytes) -> None:
        """One call of the server; returns once it may be confirmed."""
        self._alive()
        if self._unannounced >= _UNANNOUNCED_BEFORE_NOTICE:
            self._intake.chat_restored("")
        self._calls_arrive, self._unannounced = True, 0
        await self._calls.take(payload, raw)

    @property
    def _relies_on_calls(self) -> bool:
        """Whether the server should call about everything: Mattermost's webhooks, say, tell only of some messages."""
        return self._by_webhook and self._webhook.redelivers

    def _direct_pace_s(self) -> float:
        """Calls of webhooks that the bridge registers tell of relayed chats alone."""
        return REREAD_WITH_WEBHOOK_S if self._stream is not None and self._stream.is_live else self._idle_s

    def _pace_s(self, quiet_s: float) -> float:
        if (self._relies_on_calls and self._calls_arrive) or (self._stream is not None and self._stream.is_live):
            return REREAD_WITH_WEBHOOK_S
        return self._lively_s + (self._idle_s - self._lively_s) * min(quiet_s / _IDLE_AFTER_S, 1.0)


def _most_telling(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of several tasks' errors, the one that says most: a human must act, the connection is gone, then anything else (a bug)."""
    leaves: list[BaseException] = []
    pending: list[BaseException] = [group]
    while pending:
        one = pending.pop()
        pending.extend(one.exceptions) if isinstance(one, BaseExceptionGroup) else leaves.append(one)
    for kind in (AccountDown, ConnectionLost):
        for leaf in leaves:
            if isinstance(leaf, kind):
                return leaf
    return leaves[0]
