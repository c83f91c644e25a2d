"""From what Slack delivers to what the core accepts: batches, names, decoding, `intake.accept`, and only then the acknowledgement.

Fed by `socket_mode` or `http_events`; one task consumes, so order is kept. Events of a channel whose missed messages are still
being fetched (`backlog`) wait for them here, so that nothing overtakes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import msgspec

from adapters.slack.directory import Directory
from adapters.slack.identity import Identity
from adapters.slack.inbound.decode import decode_event
from adapters.slack.inbound.decode_context import Context
from adapters.slack.inbound.reorder import LateEvents
from adapters.slack.lenient import Undecodable, read
from adapters.slack.names import Wanted, wanted
from adapters.slack.threads import Threads
from adapters.slack.wire import Callback, EventType
from bridge.model.adapter import Cursor, Intake
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown
from bridge.model.events import ChatEvent, Ignored, MessageCreated
from bridge.model.pauses import beside_if
from bridge.model.refs import ChatRef

CONTROL_EVENTS = frozenset(
    {
        "app_rate_limited",
        "app_uninstalled",
        "channel_archive",
        "channel_deleted",
        "channel_id_changed",
        "channel_left",
        "channel_rename",
        "channel_unarchive",
        "emoji_changed",
        "group_archive",
        "group_deleted",
        "group_left",
        "group_rename",
        "group_unarchive",
        "member_joined_channel",
        "member_left_channel",
        "subteam_created",
        "subteam_updated",
        "tokens_revoked",
        "user_change",
        "user_status_changed",
    }
)
"""Events that tell the adapter itself something, beside what they may be for the bridge."""

_QUEUE_LIMIT = 1000
_BATCH_LIMIT = 200
_HELD_LIMIT = 2000
"""Events kept back for channels being caught up; beyond it nothing more is read until one of them is done."""
_ROUTED_FRESH_S = 5.0
_LONG_BYTES = 16 * 1024

Confirm = Callable[[], Awaitable[None]]
Control = Callable[[str, msgspec.Raw], Awaitable[None]]


@dataclass(slots=True)
class Delivery:
    """One event callback as Slack sent it, and how to acknowledge it."""

    raw: bytes
    confirm: Confirm


@dataclass(slots=True)
class _Read:
    """An event understood, with the delivery it came in."""

    event: ChatEvent
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Position:
    """How far a chat was read (`ts`), and since when it is relayed at all (`floor`): nothing older may ever be fetched."""

    ts: str
    floor: str

    def cursor(self, chat_id: str) -> Cursor:
        return Cursor(name=cursor_name(chat_id), value=f"{self.ts} {self.floor}")

    @classmethod
    def parse(cls, value: str) -> Position:
        ts, _, floor = value.partition(" ")
        return cls(ts, floor or ts)


def cursor_name(chat_id: str) -> str:
    return f"ts:{chat_id}"


def _is_long(callback: Callback) -> bool:
    """Whether what it holds is decoded beside the loop."""
    return memoryview(callback.event).nbytes > _LONG_BYTES


class Receiver:
    """`on_control` hears of the events in `CONTROL_EVENTS`, `on_own_message` of our own messages coming back."""

    def __init__(
        self,
        *,
        clock: Clock,
        intake: Intake,
        directory: Directory,
        threads: Threads,
        late: LateEvents,
        identity: Callable[[], Identity],
        on_control: Control,
        on_own_message: Callable[[MessageCreated], None],
    ) -> None:
        self._clock = clock
        self._intake = intake
        self._directory = directory
        self._threads = threads
        self._identity = identity
        self._on_control = on_control
        self._on_own_message = on_own_message
        self._late = late
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue(_QUEUE_LIMIT)
        self._held: dict[str, list[_Read]] = {}
        self._held_count = 0
        self._released = asyncio.Event()
        self._cursors: dict[str, Position] = {}
        self._routed: frozenset[str] = frozenset()
        self._routed_until_s = 0.0
        self.on_held: Callable[[str], None] = lambda _: None
        """Called with a chat for which something waits until it is caught up."""

    async def put(self, raw: bytes, confirm: Confirm) -> None:
        """Take one event callback. Waits while the core is slow."""
        await self._queue.put(Delivery(raw, confirm))

    # -- catching up ----------------------------------------------------------------------------------------------------------

    def hold(self, chat_id: str) -> None:
        """From now on keep this chat's events back, in order, unacknowledged."""
        self._held.setdefault(chat_id, [])

    async def release(self, chat_id: str) -> None:
        """The chat is caught up: hand on what was kept back."""
        while waiting := self._held.get(chat_id):
            self._held[chat_id] = []
            self._held_count -= len(waiting)
            self._released.set()
            await self._accept(waiting)
        self._held.pop(chat_id, None)

    def learn_versions(self, chat_id: str, versions: Mapping[str, datetime]) -> None:
        """Since when messages of the history have the words they were read with."""
        for message_id, edited_at in versions.items():
            self._late.learn_version(ChatRef(self._identity().account, chat_id), message_id, edited_at)

    def heard(self, events: Sequence[ChatEvent]) -> None:
        """The core has these from the history."""
        self._late.heard(events)

    def advance(self, chat_id: str, ts: str) -> Cursor | None:
        """The cursor for having read the chat up to `ts`; None if it would go backwards."""
        known = self._cursors.get(chat_id)
        if known is not None and ts <= known.ts:
            return None
        position = self._cursors[chat_id] = Position(ts, known.floor if known else ts)
        return position.cursor(chat_id)

    def position(self, chat_id: str) -> Position | None:
        """How far the chat was read; None if it never was."""
        return self._cursors.get(chat_id)

    def start_at(self, chat_id: str, position: Position) -> None:
        """Where reading of the chat stands, as the core remembers it."""
        self._cursors[chat_id] = position

    # -- live events ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. Raises what the core or `on_control` raises."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < _BATCH_LIMIT and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._process(batch)

    async def _process(self, batch: Sequence[Delivery]) -> None:
        threads: set[tuple[str, str]] = set()
        callbacks = [await self._open(delivery, threads) for delivery in batch]
        context = await self._context(callbacks, threads)
        ready: list[_Read] = []
        for delivery, callback in zip(batch, callbacks, strict=True):
            event = await self._understand(delivery, callback, context) if callback is not None else None
            if event is None:
                continue
            held = self._held.get(event.meta.origin.chat_id)
            if held is None:
                ready.append(_Read(event, delivery))
            else:
                held.append(_Read(event, delivery))
                self._held_count += 1
                self.on_held(event.meta.origin.chat_id)
        await self._accept(ready)
        while self._held_count > _HELD_LIMIT:
            self._released.clear()
            await self._released.wait()

    async def _context(self, callbacks: Sequence[Callback | None], threads: set[tuple[str, str]]) -> Context:
        """Everything that decoding the batch asks for, looked up."""
        asked = Wanted()
        for callback in callbacks:
            if callback is not None:
                asked |= await beside_if(_is_long(callback), partial(wanted, bytes(callback.event)))
        names = await self._directory.names(asked)
        parents = await self._threads.parents(threads) if threads else {}
        return Context(self._identity(), names, self._clock.now(), parents)

    async def _open(self, delivery: Delivery, threads: set[tuple[str, str]]) -> Callback | None:
        """The outer object of a delivery, after what it tells the adapter itself (a changed name counts for the whole batch); None
        if it is of no known shape (then it is kept and confirmed). Adds the thread of a reply to `threads`."""
        try:
            callback = read(delivery.raw, Callback)
            kind = callback.type
            if kind == "event_callback":
                event = read(callback.event, EventType)
                kind = event.type
                thread_ts, ts = event.place
                if isinstance(event.channel, str) and isinstance(thread_ts, str) and thread_ts != ts:
                    threads.add((event.channel, thread_ts))
            if kind in CONTROL_EVENTS:
                await self._control(kind, callback, delivery)
        except msgspec.DecodeError as error:
            await self._keep(delivery, f"unexpected shape: {error}")
            return None
        return callback

    async def _control(self, kind: str, callback: Callback, delivery: Delivery) -> None:
        """What ends the account is confirmed: sent again minutes later it would end the one that a human has mended meanwhile."""
        try:
            await self._on_control(kind, callback.event)
        except AccountDown:
            await delivery.confirm()
            raise

    async def _understand(self, delivery: Delivery, callback: Callback, context: Context) -> ChatEvent | None:
        """The event of a delivery; None if there is none (then it is confirmed here)."""
        decoded: ChatEvent | Ignored = Ignored("not an event")
        try:
            if callback.type == "event_callback":
                decoded = await beside_if(_is_long(callback), partial(decode_event, callback.event, context))
        except Undecodable as error:
            await self._keep(delivery, error.reason)
            return None
        if not isinstance(decoded, Ignored):
            self._threads.learn(decoded)
        else:
            self._intake.ignored(decoded.reason)
            await delivery.confirm()
            return None
        return decoded

    async def _keep(self, delivery: Delivery, reason: str) -> None:
        await self._intake.undecodable(delivery.raw, reason)
        await delivery.confirm()

    def _is_routed(self, chat_id: str) -> bool:
        """Whether the chat's cursor is worth keeping. The core looks at every route to tell, so it is asked now and then."""
        if chat_id in self._cursors:
            return True
        now_s = self._clock.monotonic_s()
        if now_s > self._routed_until_s:
            self._routed, self._routed_until_s = self._intake.routed_chats(), now_s + _ROUTED_FRESH_S
        return chat_id in self._routed

    async def _accept(self, reads: Sequence[_Read]) -> None:
        """Into the core in the order the events happened: Slack promises none for deliveries that arrive together."""
        if not reads:
            return
        ordered = sorted(reads, key=lambda read: read.event.meta.occurred_at)
        events: list[ChatEvent] = []
        arriving: set[str] = set()
        cursors: dict[str, Cursor] = {}
        for each in ordered:
            position = self._cursors.get(each.event.meta.origin.chat_id)
            event = await self._late.settle(each.event, position.floor if position else "", arriving, self._intake.is_known)
            if isinstance(event, Ignored):
                self._intake.ignored(event.reason)
                continue
            events.append(event)
            if isinstance(event, MessageCreated):
                if event.meta.sent_by_us:
                    self._on_own_message(event)
                chat_id = event.meta.origin.chat_id
                if self._is_routed(chat_id) and (cursor := self.advance(chat_id, event.message_id)) is not None:
                    cursors[chat_id] = cursor
        if events:
            await self._intake.accept(events, cursors=tuple(cursors.values()))
            self._late.mark_accepted(arriving)
        for each in ordered:
            await each.delivery.confirm()
