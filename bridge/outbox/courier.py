"""Carries out one delivery: links resolved, rendered to the target's capabilities, sent part by part with every attempt recorded
before it is made. Decides nothing about failures: they are raised, and `lanes` decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

import msgspec
import structlog

from bridge.capabilities import Feature
from bridge.clock import Clock
from bridge.contract import (
    Adapter,
    Copy,
    Deletes,
    Edits,
    Outbound,
    OutboundDelete,
    OutboundEdit,
    OutboundReaction,
    Pins,
    Reacts,
    Receipt,
    Reconciles,
    Reply,
)
from bridge.echo import token_for
from bridge.errors import Rejected
from bridge.events import (
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    ReactionsChanged,
    ReplyTo,
    StatusChanged,
    TypingStarted,
)
from bridge.journal.contract import (
    AttemptStarted,
    Change,
    Delivered,
    Journal,
    Link,
    PartGone,
    PartSent,
    Pending,
    SentPart,
    Skipped,
)
from bridge.names import Names
from bridge.outbox.files import FileFetcher, most_bytes
from bridge.people import People
from bridge.refs import ChatRef, MessageRef
from bridge.render import Origin, Part, Rendered, Settled, Target, notice_text, render, render_notice
from bridge.routing import RelayOptions, RouteEnd

log = structlog.get_logger("outbox")

Record = Callable[[Sequence[Change]], Awaitable[None]]


class Carried(msgspec.Struct, frozen=True):
    """What a part carries, kept in front of the adapter's own note: an edit must know whether it changes text or a caption."""

    text: bool
    files: bool

    def wrap(self, via: str) -> str:
        return f"{'t' if self.text else '-'}{'f' if self.files else '-'}{via}"


def unwrap(copy: Copy) -> tuple[Copy, Carried]:
    return msgspec.structs.replace(copy, via=copy.via[2:]), Carried(copy.via[:1] == "t", copy.via[1:2] == "f")


@dataclass(slots=True)
class Work:
    """A delivery being worked on: what the journal knows of it, kept current in memory."""

    pending: Pending
    parts: list[SentPart]
    attempt: int
    first_attempt_at: datetime | None
    started_s: float
    unknown: bool = False
    """Whether the attempt on the next part may have succeeded."""
    attempted: bool = False
    """Whether an attempt was begun since the last error."""
    last_unknown_at: datetime | None = None
    losses: list[str] = field(default_factory=list)
    give_up_files: bool = False
    bugs: int = 0

    @property
    def is_simple(self) -> bool:
        """Whether it can be begun without reading links or fetching files."""
        event = self.pending.event
        return isinstance(event, MessageCreated) and not event.content.attachments and event.content.reply_to is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a delivery goes, resolved."""

    end: RouteEnd
    chat: ChatRef
    platform: str
    adapter: Adapter

    @property
    def options(self) -> RelayOptions:
        return self.end.options


class Courier:
    """Stateless but for its collaborators. `origin_of` tells how an event's origin is called."""

    def __init__(
        self,
        *,
        journal: Journal,
        files: FileFetcher,
        people: Callable[[], People],
        names: Callable[[], Names],
        origin_of: Callable[[ChatRef], Origin],
        journal_id: str,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._files = files
        self._people = people
        self._names = names
        self._origin_of = origin_of
        self._journal_id = journal_id
        self._clock = clock

    async def carry(self, work: Work, place: Place, record: Record) -> Sequence[Change]:
        """Carry the delivery to its end; returns the changes that make it final, not yet recorded. Raises what the adapter raises.

        A part's receipt is recorded before the next part is begun, except the last one's, which is among the returned changes.
        """
        event = work.pending.event
        match event:
            case MessageCreated():
                return await self._create(work, event, place, record)
            case MessageEdited():
                return await self._edit(work, event, place, record)
            case MessageDeleted():
                return await self._delete(work, event, place, record)
            case ReactionsChanged():
                return await self._react(work, event, place, record)
            case PinsChanged() if isinstance(place.adapter, Pins):
                return await self._pin(work, event, place, record, place.adapter)
            case MembershipChanged() | ChatRenamed() | PinsChanged() | StatusChanged():
                text = notice_text(event, origin=self._origin_of(event.meta.origin), names=self._names())
                parts = render_notice(text, target=_target(place)).parts
                return await self._send_parts(work, place, parts, record, event_seq=work.pending.event_seq)
            case TypingStarted():
                return [self._skip(work, "typing is not kept")]
            case _:
                assert_never(event)

    # -- messages -----------------------------------------------------------------------------------------------------------

    async def _create(self, work: Work, event: MessageCreated, place: Place, record: Record) -> Sequence[Change]:
        async with AsyncExitStack() as stack:
            settled = await self._settled(work, event, place, stack)
            reply = await self._reply(event.content.reply_to, event.meta.origin, work, place)
            rendered = self._render(event, place, settled, reply)
            work.losses = list(rendered.losses)
            return await self._send_parts(work, place, rendered.parts, record, event_seq=work.pending.event_seq)

    async def _settled(self, work: Work, event: MessageCreated, place: Place, stack: AsyncExitStack) -> Sequence[Settled]:
        attachments = event.content.attachments
        if not attachments:
            return ()
        if not place.options.files:
            return [Settled(attachment=attachment) for attachment in attachments]
        return await self._files.settle(
            stack,
            event_seq=work.pending.event_seq,
            origin=event.meta.origin.account,
            attachments=attachments,
            most_bytes=most_bytes(place.adapter.capabilities.limits, place.options),
            give_up=work.give_up_files,
        )

    async def _send_parts(
        self, work: Work, place: Place, parts: Sequence[Part], record: Record, *, event_seq: int
    ) -> Sequence[Change]:
        """Send the parts that have no receipt yet."""
        final: list[Change] = []
        for index in range(len(work.parts), len(parts)):
            if final:
                await record(final)
            sent = await self._send_part(work, place, index, parts[index], record)
            final = [self._part_sent(work, place, event_seq, index, sent, parts[index])]
            work.parts.append(SentPart(part=index, copy=_copy(place, sent, _carried(parts[index]))))
            work.attempt, work.unknown, work.attempted = 0, False, False
        return [*final, self._delivered(work)]

    async def _send_part(self, work: Work, place: Place, index: int, part: Part, record: Record) -> Receipt:
        outbound = Outbound(
            token=token_for(work.pending.delivery_id, index, self._journal_id),
            attempt=work.attempt + 1,
            chat_id=place.chat.chat_id,
            thread_id=work.pending.thread_id,
            text=part.text,
            files=part.files,
            sender=part.sender,
            reply=part.reply,
            mass_mentions=part.mass_mentions,
            previews=part.previews,
        )
        if work.unknown:
            found = await self._reconcile(work, place, outbound)
            if found is not None:
                return found
        await self._begin(work, index, record)
        receipt = await place.adapter.send(outbound)
        work.losses += [loss for loss in receipt.losses if loss not in work.losses]
        return receipt

    async def _reconcile(self, work: Work, place: Place, outbound: Outbound) -> Receipt | None:
        """Ask the platform whether the message of unknown outcome is there. None: it is not, or nobody can tell (the lane has asked
        the route's policy before it comes here)."""
        if not (isinstance(place.adapter, Reconciles) and can_reconcile(place.adapter)):
            return None
        since = work.last_unknown_at or work.first_attempt_at or work.pending.event.meta.received_at
        found = await place.adapter.reconcile(outbound, since)
        work.unknown = False
        log.info("reconciled", delivery=work.pending.delivery_id, target=str(work.pending.target), found=found is not None)
        return found

    async def _begin(self, work: Work, part: int, record: Record) -> None:
        now = self._clock.now()
        work.attempt += 1
        work.first_attempt_at = work.first_attempt_at or now
        await record([AttemptStarted(delivery_id=work.pending.delivery_id, part=part, attempt=work.attempt, at=now)])
        work.attempted = True
        work.last_unknown_at = now

    def _part_sent(self, work: Work, place: Place, event_seq: int, index: int, receipt: Receipt, part: Part) -> PartSent:
        return PartSent(
            delivery_id=work.pending.delivery_id,
            event_seq=event_seq,
            part=index,
            chat=place.chat,
            target=work.pending.target,
            receipt=msgspec.structs.replace(receipt, via=_carried(part).wrap(receipt.via)),
            at=self._clock.now(),
        )

    def _render(
        self,
        event: MessageCreated | MessageEdited,
        place: Place,
        settled: Sequence[Settled],
        reply: Reply | None,
        existing: Sequence[bool] | None = None,
    ) -> Rendered:
        return render(
            event,
            origin=self._origin_of(event.meta.origin),
            target=_target(place),
            settled=settled,
            reply=reply,
            people=self._people(),
            names=self._names(),
            existing=existing,
        )

    async def _reply(self, to: ReplyTo | None, origin: ChatRef, work: Work, place: Place) -> Reply | None:
        if to is None:
            return None
        chat = ChatRef(origin.account, to.chat_id) if to.chat_id else origin
        link = await self._journal.link(MessageRef(chat, to.message_id), work.pending.target) if to.message_id else None
        copy = _copy_here(link, place)
        # of a copy the origin knows only that the bridge said it, and its words may begin with the author's name
        author_name = (link.author_name if link else "") or to.author_name
        is_copy = link is not None and not link.is_original
        return Reply(
            message_id=copy.message_ids[0] if copy else "",
            thread_id=copy.thread_id if copy else None,
            author_name=author_name,
            excerpt=to.excerpt.removeprefix(author_name).lstrip() if is_copy else to.excerpt,
        )

    # -- changes of messages ------------------------------------------------------------------------------------------------

    async def _edit(self, work: Work, event: MessageEdited, place: Place, record: Record) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        if link is None or not link.copies:
            return [self._skip(work, "the edited message has no copy here")]
        if not isinstance(place.adapter, Edits):
            return [self._skip(work, "this platform cannot edit")]
        reply = await self._reply(event.content.reply_to, event.meta.origin, work, place)
        copies = [(sent.part, *unwrap(sent.copy)) for sent in link.copies]
        # an edit leaves files as they are: `render` keeps the lines of those that the target never got, the others are there
        settled = [Settled(attachment=attachment) for attachment in event.content.attachments]
        rendered = self._render(event, place, settled, reply, existing=[carried.files for _, _, carried in copies])
        work.losses = list(rendered.losses)
        await self._begin(work, 0, record)
        changes: list[Change] = []
        for (number, copy, carried), part in zip(copies, rendered.parts, strict=False):
            if part.surplus:
                if isinstance(place.adapter, Deletes):
                    await place.adapter.delete(OutboundDelete(copy=copy))
                    changes.append(PartGone(event_seq=link.event_seq, target=work.pending.target, part=number))
                continue
            if part.unchanged or not (part.text or carried.text):
                continue
            receipt = await place.adapter.edit(
                OutboundEdit(
                    token=token_for(work.pending.delivery_id, number, self._journal_id),
                    copy=copy,
                    text=part.text,
                    has_files=carried.files,
                    sender=part.sender,
                    reply=part.reply,
                    mass_mentions=part.mass_mentions,
                    previews=part.previews,
                )
            )
            now_carried = Carried(text=bool(part.text), files=carried.files)
            if (receipt.message_ids and receipt.message_ids != copy.message_ids) or now_carried != carried:
                kept = receipt.message_ids or copy.message_ids
                sent = msgspec.structs.replace(
                    receipt, message_ids=kept, via=now_carried.wrap(receipt.via or copy.via), thread_id=copy.thread_id
                )
                changes.append(self._changed_part(work, link, place, number, sent))
        await self._send_rest(work, link, place, rendered.parts[len(copies) :], copies[-1][0] + 1, record)
        return [*changes, self._delivered(work)]

    def _changed_part(self, work: Work, link: Link, place: Place, number: int, receipt: Receipt) -> PartSent:
        return PartSent(
            delivery_id=work.pending.delivery_id,
            event_seq=link.event_seq,
            part=number,
            chat=place.chat,
            target=work.pending.target,
            receipt=receipt,
            at=self._clock.now(),
        )

    async def _send_rest(self, work: Work, link: Link, place: Place, parts: Sequence[Part], first: int, record: Record) -> None:
        """The edit made the text longer than its parts hold: the rest follows as further messages."""
        for number, part in enumerate(parts, start=first):
            receipt = await self._send_part(work, place, number, part, record)
            await record([self._part_sent(work, place, link.event_seq, number, receipt, part)])

    async def _delete(self, work: Work, event: MessageDeleted, place: Place, record: Record) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        if link is None or not link.copies:
            return [self._skip(work, "the deleted message has no copy here")]
        if not link.is_original:
            return [self._skip(work, "only a copy was deleted")]
        if not isinstance(place.adapter, Deletes):
            return [self._skip(work, "this platform cannot delete")]
        await self._begin(work, 0, record)
        refused: Rejected | None = None
        gone: list[Change] = []
        for sent in link.copies:
            try:
                await place.adapter.delete(OutboundDelete(copy=unwrap(sent.copy)[0]))
            except Rejected as error:
                refused = error
                continue
            gone.append(PartGone(event_seq=link.event_seq, target=work.pending.target, part=sent.part))
        if refused is not None:
            await record(gone)
            raise refused
        return [*gone, self._delivered(work)]

    async def _react(self, work: Work, event: ReactionsChanged, place: Place, record: Record) -> Sequence[Change]:
        link = await self._link(work, event.message_id)
        copy = _copy_here(link, place)
        if link is None or copy is None:
            return [self._skip(work, "the message reacted to has no copy here")]
        if not isinstance(place.adapter, Reacts):
            return [self._skip(work, "this platform cannot react")]
        wanted = tuple(await self._journal.reactions(link.event_seq, not_in=place.chat))
        await self._begin(work, 0, record)
        await place.adapter.react(
            OutboundReaction(
                copy=copy,
                wanted=wanted,
                added=tuple(emoji for emoji in event.added if emoji in wanted),
                removed=tuple(emoji for emoji in event.removed if emoji not in wanted),
            )
        )
        return [self._delivered(work)]

    async def _pin(self, work: Work, event: PinsChanged, place: Place, record: Record, adapter: Pins) -> Sequence[Change]:
        copy = _copy_here(await self._link(work, event.message_id), place)
        if copy is None:
            return [self._skip(work, "the pinned message has no copy here")]
        await self._begin(work, 0, record)
        await adapter.pin(copy, event.pinned)
        return [self._delivered(work)]

    async def _link(self, work: Work, message_id: str) -> Link | None:
        return await self._journal.link(MessageRef(work.pending.event.meta.origin, message_id), work.pending.target)

    def _delivered(self, work: Work) -> Delivered:
        return Delivered(delivery_id=work.pending.delivery_id, at=self._clock.now(), losses=tuple(work.losses))

    def _skip(self, work: Work, rule: str) -> Skipped:
        return Skipped(delivery_id=work.pending.delivery_id, rule=rule, at=self._clock.now())


def _target(place: Place) -> Target:
    return Target(
        account=place.chat.account,
        platform=place.platform,
        capabilities=place.adapter.capabilities,
        measure=place.adapter.measure,
        options=place.options,
    )


def can_reconcile(adapter: Adapter) -> bool:
    """Whether the platform can be asked what became of a message."""
    return isinstance(adapter, Reconciles) and adapter.capabilities.native(Feature.RECONCILE)


def is_message(work: Work) -> bool:
    """Whether repeating the attempt could double something: edits, deletes and reactions can be repeated freely."""
    return isinstance(work.pending.event, MessageCreated | MembershipChanged | ChatRenamed | PinsChanged | StatusChanged)


def _carried(part: Part) -> Carried:
    return Carried(text=bool(part.text), files=bool(part.files))


def _copy(place: Place, receipt: Receipt, carried: Carried) -> Copy:
    return Copy(
        chat_id=place.chat.chat_id,
        message_ids=receipt.message_ids,
        thread_id=receipt.thread_id,
        via=carried.wrap(receipt.via),
    )


def _copy_here(link: Link | None, place: Place) -> Copy | None:
    """The message as it exists in the target: one of our copies, or the original itself if the target is where it was written."""
    if link is None:
        return None
    if link.copies:
        return unwrap(link.copies[0].copy)[0]
    if link.original.chat == place.chat:
        return Copy(chat_id=place.chat.chat_id, message_ids=(link.original.message_id,))
    return None
