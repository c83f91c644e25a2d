"""Where input becomes the bridge's responsibility: it drops duplicates and echoes, plans routes, and stores event, deliveries and
cursor in one transaction. One `AccountIntake` per account; its adapter calls it, and confirms upstream once `accept` has returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import msgspec
import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.identity.people import People
from bridge.identity.standing import Standing
from bridge.intake.bot_names import OwnNames
from bridge.intake.needs import AccountStore, CommandTaker, IntakeCounts, Lanes
from bridge.journal.contract import (
    AcceptRequest,
    AcceptResult,
    DeliveryStatus,
    OpenDelivery,
    PlannedDelivery,
    Verdict,
)
from bridge.model.adapter import Cursor
from bridge.model.clock import Clock
from bridge.model.errors import BridgeError
from bridge.model.events import (
    AlbumItem,
    Author,
    ChatEvent,
    Content,
    EventMeta,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    storable,
    with_items,
)
from bridge.model.outcomes import Arrival, Outcome, Skip, SkipRule
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef
from bridge.model.rich_text import plain
from bridge.observability import spans
from bridge.observability.outcome_log import reference, words
from bridge.observability.verbosity import is_debug_shown
from bridge.policy.echo import is_own
from bridge.policy.loops import RecentMessages
from bridge.policy.routing import Planned, RoutingTable

log = structlog.get_logger("intake")

_STEP = 8
"""After so many events of one batch the loop has its turn: a catch-up brings hundreds."""
_RESOLVE_AGAIN_S = 10.0


class AccountIntake:
    """See `model.adapter.Intake`."""

    def __init__(
        self,
        supervisor: AccountSupervisor,
        *,
        journal: AccountStore,
        lanes: Lanes,
        table: Callable[[], RoutingTable],
        counts: IntakeCounts,
        clock: Clock,
        recent: RecentMessages,
        people: Callable[[], People],
        own_names: OwnNames,
        journal_id: str,
        stamp: Callable[[], datetime] | None = None,
        until_routed: Callable[[ChatRef], Awaitable[None]] | None = None,
        commands: CommandTaker | None = None,
        standing: Callable[[], Standing] | None = None,
        on_author: Callable[[AccountName, Author | None], None] = lambda _account, _author: None,
        until_settled: Callable[[], Awaitable[None]] | None = None,
        on_gap: Callable[[ChatRef, datetime, datetime, str], None] = lambda _chat, _since, _until, _reason: None,
    ) -> None:
        """`stamp`: the moment at which what is accepted is said to have come, by which it is forgotten one day; the clock's.
        `until_routed` returns once no reload is about to give a chat its first route, `until_settled` once it is sure that the
        account stays (`AccountSupervisor.settled`)."""
        self._supervisor = supervisor
        self._account: AccountName = supervisor.account
        self._journal = journal
        self._lease = journal.lease(self._account)
        self._lanes = lanes
        self._table = table
        self._counts = counts
        self._clock = clock
        self._recent = recent
        self._people = people
        self._own_names = own_names
        self._journal_id = journal_id
        self._stamp = stamp or clock.now
        self._until_routed = until_routed
        self._commands = commands
        self._standing = standing
        self._on_author = on_author
        self._settled = until_settled
        self._on_gap = on_gap
        self._resolve_again_at_s = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        await self._until_settled()
        # lanes deliver events in the order in which they are stored: one batch after the other
        async with self._one_at_a_time:
            entries: list[AcceptRequest] = []
            lanes: set[ChatAddress] = set()
            albums: dict[MessageRef, dict[str, AlbumItem]] = {}
            traced = spans.active.received(self._account) if spans.active is not None else None
            for number, event in enumerate(map(storable, events), 1):
                entries += await self._plan(await self._whole(event, albums), lanes)
                if traced is not None:
                    traced.planned(event)
                if number % _STEP == 0:
                    await asyncio.sleep(0)
            if not entries and not cursors:
                return
            # a commit cannot be undone: if the adapter is cancelled meanwhile, its lanes must still learn of it
            storing = asyncio.create_task(self._store(entries, cursors, traced), name=f"intake {self._account}")
            try:
                await asyncio.shield(storing)
            finally:
                if not storing.done():
                    await asyncio.wait({storing})

    async def _until_settled(self) -> None:
        if self._settled is not None:
            await self._settled()

    async def _store(self, entries: Sequence[AcceptRequest], cursors: Sequence[Cursor], traced: spans.Batch | None) -> None:
        outcomes = await self._journal.accept(self._lease, entries, cursors, received_at=self._stamp())
        for entry, outcome in zip(entries, outcomes, strict=True):
            is_relayed = outcome.verdict is Verdict.ACCEPTED and any(planned.skip_rule is None for planned in entry.deliveries)
            self._arrived(entry.event, Arrival(outcome.verdict.value), **(words(entry.event) if is_relayed else {}))
            if outcome.verdict is Verdict.ACCEPTED:
                self._counts.said(entry.event, is_relayed=is_relayed)
                self._hand_over(entry, outcome)
                if traced is not None:
                    traced.stored(entry.event, outcome.delivery_ids)

    async def _whole(self, event: ChatEvent, albums: dict[MessageRef, dict[str, AlbumItem]]) -> ChatEvent:
        """An edit of one message of an album becomes one of the whole album, for filters and copies alike. `albums`: those of this
        batch, of which the journal does not know the latest."""
        origin = event.meta.origin
        is_album = (isinstance(event, MessageCreated) and event.items) or (isinstance(event, MessageEdited) and event.album_item)
        if not is_album or await self._journal.is_known(event.meta.event_key):
            return event
        if isinstance(event, MessageCreated):
            album = dict(zip((event.message_id, *event.also_ids), event.items, strict=True))
        else:
            assert isinstance(event, MessageEdited)
            ref = MessageRef(origin, event.message_id)
            album = albums.get(ref) or await self._journal.album(ref)
            if event.message_id not in album:
                return event
            item = AlbumItem(text=event.content.text, attachments=event.content.attachments)
            album[event.message_id] = item
            whole = with_items(event.content, album.values())
            event = msgspec.structs.replace(event, content=whole, album_item=False, item=item)
        albums.update(dict.fromkeys((MessageRef(origin, message_id) for message_id in album), album))
        return event

    async def _plan(self, event: ChatEvent, lanes: set[ChatAddress]) -> Sequence[AcceptRequest]:
        """The event with its deliveries, and what a command brings with it; nothing if it has no route or is our own echo."""
        if self._lanes.has_posted(event) or is_own(event, self._journal_id):
            self._arrived(event, Arrival.ECHO)
            self._lanes.on_echo(event)
            return ()
        self._lanes.make_way()
        if not self._table().addresses_of(event.meta.origin):
            await self._resolve_again()
            if self._until_routed is not None:
                await self._until_routed(event.meta.origin)
        commanded = await self._commands.take(event) if self._commands is not None else None
        table = self._table()  # a reload may have replaced it meanwhile
        planned = table.plan(event, self._people())
        for route, line in table.take_slow():
            self.ignored("a filter's pattern took too long")
            why = f"route {route}: the pattern of {line} took too long on a message, which was relayed"
            action = "make the pattern simpler: no repeated group that holds a repetition"
            if self._supervisor.notices.get("") != (why, action):
                self.notice(why, action)
        if not planned and commanded is None:
            self._arrived(event, Arrival.NO_ROUTE)
            return ()
        rule = Skip.COMMAND if commanded is not None else self._author_rule(event)
        if rule is not None:
            planned = [msgspec.structs.replace(plan, skip_rule=rule) for plan in planned]
        elif isinstance(event, MessageCreated):
            self._on_author(self._account, event.meta.author)
            planned = self._without_copies(event, planned)
        if not event.traits.kept:
            self._lanes.show_typing(planned)
            self._arrived(event, Arrival.TYPING)
            return ()
        stored = AcceptRequest(
            event=event,
            deliveries=tuple(
                PlannedDelivery(
                    route=plan.route,
                    target=plan.end.chat,
                    thread_id=plan.end.thread_id,
                    skip_rule=plan.skip_rule,
                    prerecorded=self._begins(event, plan, lanes),
                )
                for plan in planned
            ),
        )
        return (stored, *(commanded or ()))

    def _author_rule(self, event: ChatEvent) -> SkipRule | None:
        """By which nothing of the person is relayed."""
        return None if self._standing is None else self._standing().rule_of(event, self._clock.now())

    def _begins(self, event: ChatEvent, plan: Planned, lanes: set[ChatAddress]) -> bool:
        """Whether this is the first of its lane, and is sent as soon as it is stored. `lanes` has the lanes seen before in the
        batch."""
        if plan.skip_rule:
            return False
        first = plan.end.chat not in lanes
        lanes.add(plan.end.chat)
        plain = isinstance(event, MessageCreated) and not event.content.attachments and event.content.reply_to is None
        return first and plain and self._lanes.may_begin(plan.end)

    def _without_copies(self, event: MessageCreated, planned: Sequence[Planned]) -> list[Planned]:
        """Routes on which the message is another bridge's copy of what is relayed already skip it; the others remember it."""
        copies = {plan.route for plan in planned if self._recent.is_copy(plan.route, event)}
        self._recent.remember({plan.route for plan in planned} - copies, event)
        if not copies:
            return list(planned)
        return [msgspec.structs.replace(plan, skip_rule=Skip.OTHER_BRIDGE) if plan.route in copies else plan for plan in planned]

    async def _resolve_again(self) -> None:
        """An event of an unknown chat while an end could not be resolved: the chat may be that end, visible since just now."""
        if self._clock.monotonic_s() < self._resolve_again_at_s:
            return
        self._resolve_again_at_s = self._clock.monotonic_s() + _RESOLVE_AGAIN_S
        if not self._supervisor.has_unresolved:
            return
        try:
            await self._supervisor.resolve_all()
        except BridgeError as error:
            log.info("ends still unresolved", account=self._account, reason=error.reason)

    def _hand_over(self, entry: AcceptRequest, outcome: AcceptResult) -> None:
        for planned, delivery_id, lane_seq in zip(entry.deliveries, outcome.delivery_ids, outcome.lane_seqs, strict=True):
            rule = planned.skip_rule or (Skip.DELETED_BEFORE if isinstance(outcome.later, MessageDeleted) else None)
            if rule:
                self._skipped(entry.event, planned, rule, delivery_id)
                continue
            event = outcome.event or entry.event
            self._enqueue(event, outcome.event_seq, planned, delivery_id, lane_seq)
        for following in outcome.following:
            for planned, delivery_id, lane_seq in zip(
                following.deliveries, following.delivery_ids, following.lane_seqs, strict=True
            ):
                self._enqueue(following.event, following.event_seq, planned, delivery_id, lane_seq)

    def _enqueue(self, event: ChatEvent, event_seq: int, planned: PlannedDelivery, delivery_id: int, lane_seq: int) -> None:
        self._lanes.enqueue(
            OpenDelivery(
                delivery_id=delivery_id,
                lane_seq=lane_seq,
                event_seq=event_seq,
                route=planned.route,
                target=planned.target,
                thread_id=planned.thread_id,
                event=event,
                state=DeliveryStatus.WAITING,
                attempt=0,
                first_attempt_at=None,
                not_before=None,
                last_error="",
                parts=(),
            ),
            prerecorded=planned.prerecorded,
        )

    def _arrived(self, event: ChatEvent, arrival: Arrival, **more: str) -> None:
        """`more`: people's words, if the log may have them. Of what goes nowhere (no route, opted out) it has none."""
        self._counts.event(self._account, arrival)
        if is_debug_shown():
            log.debug(arrival.value, key=event.meta.event_key, message=reference(event), **more)

    def _skipped(self, event: ChatEvent, planned: PlannedDelivery, rule: SkipRule, delivery_id: int) -> None:
        self._counts.outcome(planned.target.account, planned.route, Outcome.SKIPPED, rule)
        log.debug(
            Outcome.SKIPPED.value,
            key=event.meta.event_key,
            message=reference(event),
            route=planned.route,
            target=str(planned.target),
            delivery=delivery_id,
            rule=str(rule),
        )

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        await self._until_settled()
        self._counts.event(self._account, Arrival.UNDECODABLE)
        log.warning("input not understood; kept", account=self._account, reason=reason, size_bytes=len(raw))
        await self._journal.keep_undecodable(self._lease, raw, reason, cursors, received_at=self._clock.now())

    def ignored(self, reason: str) -> None:
        self._counts.ignored(self._account, reason)
        log.debug("ignored", account=self._account, reason=reason)

    async def cursor(self, name: str) -> str | None:
        return await self._journal.cursor(self._account, name)

    async def is_known(self, event_key: str) -> bool:
        return await self._journal.is_known(event_key)

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        return await self._journal.latest_messages(ChatRef(self._account, chat_id), limit)

    def routed_chats(self) -> frozenset[str]:
        return self._table().origin_chats(self._account)

    def is_end(self, chat_id: str, thread_id: str | None) -> bool:
        table = self._table()
        return any(table.has_end(address, thread_id) for address in table.addresses_of(ChatRef(self._account, chat_id)))

    def hears_private(self) -> bool:
        return self._commands is not None and self._commands.hears_private(self._account)

    def connected(self) -> None:
        self._supervisor.connected()

    def may_send(self) -> None:
        self._supervisor.may_send()

    async def set_own_names(self, names: Iterable[str]) -> None:
        await self._own_names.set(self._account, names)

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        log.warning("needs attention", account=self._account, chat=chat_id, reason=reason, action=action)
        self._supervisor.notices[chat_id] = (reason, action)

    def chat_restored(self, chat_id: str) -> None:
        self._supervisor.notices.pop(chat_id, None)
        self._resolve_again_at_s = 0.0
        for address in {*self._table().addresses_of(ChatRef(self._account, chat_id)), *self._supervisor.end_faults}:
            self._lanes.wake_chat(address)

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        log.warning("gap", account=self._account, chat=chat_id, since=str(since), until=str(until), reason=reason)
        self._counts.gap(self._account)
        self._on_gap(ChatRef(self._account, chat_id), since, until, reason)
        key = f"gap:{self._account}:{chat_id}:{since.isoformat()}:{until.isoformat()}"
        line = f"Messages between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC could not be fetched: {reason}"
        event = MessageCreated(
            meta=EventMeta(
                event_key=key,
                origin=ChatRef(self._account, chat_id),
                occurred_at=until,
                received_at=self._clock.now(),
            ),
            message_id=key,
            content=Content(text=plain(line)),
        )
        await self.accept([event])

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        await self._until_settled()
        old, new = ChatRef(self._account, old_chat_id), ChatRef(self._account, new_chat_id)
        log.warning("chat has a new id; change bridge.yaml to it", account=self._account, old=old_chat_id, new=new_chat_id)
        for address in list(self._table().addresses_of(old)):
            await self._journal.set_native_id(self._lease, address, new_chat_id)
        await self._journal.chat_moved(self._lease, old, new)
        table = self._table()
        for address in list(table.addresses_of(old)):  # last, so that a caller that failed on the way can start again
            table.set_native_id(address, new_chat_id)
