"""One part of a delivery on its way: rendered, admitted by the limits, its attempt recorded, sent, or found to be there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

import msgspec
import structlog

from bridge.delivery.recent_posts import Posted
from bridge.delivery.state import DeliveryContext, DeliveryState, ResolvedTarget, can_reconcile, carried_by, copy_here, copy_nearby
from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.journal.contract import AttemptStarted, AuthorName, Carried, Change, Link, LinkStore, OpenDelivery, PartReceipt
from bridge.model.adapter import Outbound, Receipt, Reconciles, Reply
from bridge.model.clock import Clock
from bridge.model.events import Content, MessageCreated, MessageEdited, ReplyTo
from bridge.model.pauses import beside, beside_if
from bridge.model.refs import ChatAddress, ChatRef, MessageRef
from bridge.model.rich_text import RichText, is_long
from bridge.policy.echo import token_for
from bridge.render.long_text import with_whole_text
from bridge.render.message import FetchResult, Part, Rendered, TextParts, render, render_lines
from bridge.render.origin import Origin

log = structlog.get_logger("outbox")

_Message = TypeVar("_Message", MessageCreated, MessageEdited)


class Sending:
    """Stateless but for its collaborators. `origin_of` tells how an event's origin is called, `has_end` whether a chat, or a thread
    of it, is an end of some route."""

    def __init__(
        self,
        *,
        journal: LinkStore,
        people: Callable[[], People],
        names: Callable[[], Names],
        origin_of: Callable[[ChatRef], Origin],
        has_end: Callable[[ChatAddress, str | None], bool],
        journal_id: str,
        clock: Clock,
        posted: Posted | None = None,
    ) -> None:
        self.journal = journal
        self.people = people
        self.names = names
        self.origin_of = origin_of
        self.has_end = has_end
        self.clock = clock
        self._journal_id = journal_id
        self.posted = posted or Posted()

    # -- how it looks -------------------------------------------------------------------------------------------------------

    async def render(
        self,
        event: MessageCreated | MessageEdited,
        place: ResolvedTarget,
        settled: Sequence[FetchResult],
        reply: Reply | None,
        existing: Sequence[bool] | None = None,
        notes: Sequence[RichText] = (),
    ) -> Rendered:
        made = partial(
            render,
            event,
            origin=self.origin_of(event.meta.origin),
            target=place.target,
            settled=settled,
            reply=reply,
            people=self.people(),
            names=self.names(),
            existing=existing,
            notes=notes,
        )
        return await beside_if(is_long(event.content.text), made)

    def lines(self, event: MessageCreated | MessageEdited, place: ResolvedTarget, settled: Sequence[FetchResult] = ()) -> TextParts:
        """A text message in the pieces that merged messages are put together from."""
        return render_lines(
            event,
            origin=self.origin_of(event.meta.origin),
            target=place.target,
            people=self.people(),
            names=self.names(),
            settled=settled,
        )

    def tail(self, event: MessageCreated | MessageEdited, place: ResolvedTarget) -> RichText:
        """The line above what follows the message's first part."""
        return self.lines(msgspec.structs.replace(event, content=Content()), place).tail

    async def with_whole_text(self, event: _Message) -> _Message:
        """The event with a file more, which holds its whole text: for targets that show only the beginning."""
        author = event.meta.author
        name = self.names().plain_name(event.meta.origin.account, author) if author else ""
        content = await beside(partial(with_whole_text, event.content, event.meta, name))
        return msgspec.structs.replace(event, content=content)

    async def reply(self, to: ReplyTo | None, origin: ChatRef, work: DeliveryState, place: ResolvedTarget) -> Reply | None:
        if to is None:
            return None
        chat = ChatRef(origin.account, to.chat_id) if to.chat_id else origin
        end = (work.pending.target, work.pending.thread_id)
        link = await self.journal.link(MessageRef(chat, to.message_id), *end) if to.message_id else None
        copy = copy_here(link, place) or copy_nearby(link)
        if copy is not None and copy.chat_id != place.chat.chat_id:
            copy = None  # the chat has a new id since, where that number may be another message's
        # of a copy the origin knows only that the bridge said it, and its words may begin with the author's name
        said_name = (link.author_name if link else "") or to.author_name
        is_copy = link is not None and not link.is_original
        return Reply(
            message_id=copy.message_ids[0] if copy else "",
            thread_id=copy.thread_id if copy else None,
            author_name=self._answered(link, said_name) if link and link.author_name else "",
            excerpt=to.excerpt.removeprefix(said_name).lstrip() if is_copy else to.excerpt,
        )

    def _answered(self, link: Link, name: str) -> str:
        """As the bridge shows the author of an original."""
        who = name if isinstance(name, AuthorName) else AuthorName(name)
        return self.names().told_name(link.original.chat.account, who, user_id=who.user_id, username=who.username)

    # -- sending ------------------------------------------------------------------------------------------------------------

    async def send_part(
        self, work: DeliveryState, place: ResolvedTarget, index: int, part: Part, steps: DeliveryContext
    ) -> Receipt:
        """Raises what the adapter raises."""
        if work.unknown:
            found = await self.ask(work, place, index, part)
            if found is not None:
                return found
        outbound = self._outbound(work, place, index, part)
        messages = max(1, len(part.files)) if place.target.capabilities.rates.counts_files else 1
        await steps.admit(place, messages)
        await self.begin(work, index, steps)
        receipt = await place.call(place.adapter.send(outbound))
        self.posted.add(place.chat, receipt.message_ids)
        steps.mark_accepted(place, messages)
        work.losses += [loss for loss in receipt.losses if loss not in work.losses]
        return receipt

    def _outbound(self, work: DeliveryState, place: ResolvedTarget, index: int, part: Part) -> Outbound:
        return Outbound(
            token=self.token(work, index),
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

    async def ask(self, work: DeliveryState, place: ResolvedTarget, index: int, part: Part) -> Receipt | None:
        """For a part of unknown outcome: its receipt if it is there after all. Raises what the adapter raises."""
        found = await self._reconcile(work, place, self._outbound(work, place, index, part))
        if found is not None:
            self.posted.add(place.chat, found.message_ids)
        return found

    async def _reconcile(self, work: DeliveryState, place: ResolvedTarget, outbound: Outbound) -> Receipt | None:
        """Ask the platform whether the message of unknown outcome is there. None: it is not, or nobody can tell (the lane has asked
        the route's policy before it comes here)."""
        if not (isinstance(place.adapter, Reconciles) and can_reconcile(place.adapter)):
            return None
        if work.unknown_since_s is not None:  # the wall clock may have stepped since
            since = self.clock.now() - timedelta(seconds=self.clock.monotonic_s() - work.unknown_since_s)
        else:
            since = work.last_unknown_at or work.first_attempt_at or work.pending.event.meta.received_at
        found = await place.call(place.adapter.reconcile(outbound, since))
        work.unknown = False
        log.info("reconciled", delivery=work.pending.delivery_id, target=str(work.pending.target), found=found is not None)
        return found

    async def begin(self, work: DeliveryState, part: int, steps: DeliveryContext) -> None:
        """Record the attempt, of all that go together."""
        now, now_s = self.clock.now(), self.clock.monotonic_s()
        work.attempt += 1
        work.attempts_made += 1
        if work.counting_since_s is None:
            work.counting_since_s = now_s
        spent_s = work.spent_s(now_s)
        work.first_attempt_at = now - timedelta(seconds=spent_s)
        changes: list[Change] = [
            AttemptStarted(
                delivery_id=pending.delivery_id,
                part=part,
                attempt=work.attempt,
                at=now,
                first_attempt_at=work.first_attempt_at if spent_s else None,
            )
            for pending in work.together
        ]
        changes += work.unrecorded
        if work.followers:
            changes.append(work.set_pieces(work.pieces))
        is_begun = steps.claim(work.pending)  # asked in any case: it holds for one attempt only
        if work.followers or part or work.unrecorded or not is_begun:
            await steps.record([*changes, *steps.prerecord_next(now)])
        work.unrecorded = []
        work.attempted = True
        work.last_unknown_at, work.unknown_since_s = now, now_s

    def token(self, work: DeliveryState, part: int) -> str:
        return token_for(work.pending.delivery_id, part, self._journal_id)

    def part_sent(
        self, pending: OpenDelivery, event_seq: int, place: ResolvedTarget, index: int, receipt: Receipt, part: Part
    ) -> PartReceipt:
        """The change that records a part's receipt. `event_seq`: the created event that it is a copy of."""
        return self.part_is(pending, event_seq, place, index, receipt, carried_by(part))

    def part_is(
        self, pending: OpenDelivery, event_seq: int, place: ResolvedTarget, index: int, receipt: Receipt, carried: Carried
    ) -> PartReceipt:
        """The same for what the part carries by now."""
        return PartReceipt(
            delivery_id=pending.delivery_id,
            event_seq=event_seq,
            part=index,
            chat=place.chat,
            target=pending.target,
            thread_id=pending.thread_id,
            receipt=receipt,
            carried=carried,
            at=self.clock.now(),
        )
