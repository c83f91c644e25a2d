"""Sends one part of a delivery: admitted by the limits, its attempt recorded, sent, or found to be there already."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bridge.delivery.copies import carried_by
from bridge.delivery.execution import AsItIsNow, Execution, Poisoned
from bridge.delivery.recent_posts import Posted
from bridge.delivery.target import can_reconcile
from bridge.journal.contract import AttemptStarted, Carried, Change, OpenDelivery, PartReceipt
from bridge.model.adapter import Outbound, Receipt, Reconciles
from bridge.model.clock import Clock
from bridge.model.events import MessageCreated
from bridge.policy.echo import Tokens
from bridge.render.message import Part
from bridge.render.original import bare_original

log = structlog.get_logger("outbox")


class PartSender:
    """`posted` remembers what was posted, until the journal has it."""

    def __init__(self, *, tokens: Tokens, clock: Clock, posted: Posted | None = None) -> None:
        self._clock = clock
        self._tokens = tokens
        self.posted = posted or Posted()

    async def send(self, run: Execution, index: int, part: Part) -> Receipt:
        """Raises what the adapter raises."""
        if run.delivery.unknown.is_open:
            found = await self.ask(run, index, part)
            if found is not None:
                return found
            if run.delivery.faults.verdict and not run.delivery.unknown.is_open:
                raise Poisoned(run.delivery.faults.verdict)
        outbound = self._outbound(run, self.token(run, index), part)
        messages = max(1, len(part.files)) if run.target.capabilities.rates.counts_files else 1
        await run.admit(messages)
        await self.begin(run, index, posts=True)
        receipt = await run.target.call(run.target.adapter.send(outbound))
        self.posted.add(run.target.chat, receipt.message_ids)
        run.mark_accepted(messages)
        run.delivery.lose(receipt.losses)
        return receipt

    def _outbound(self, run: Execution, token: str, part: Part) -> Outbound:
        event = run.pending.event
        return Outbound(
            token=token,
            attempt=run.delivery.attempts.number + 1,
            chat_id=run.target.chat.chat_id,
            thread_id=run.delivery.thread_id,
            text=part.text,
            files=part.files,
            sender=part.sender,
            reply=part.reply,
            mass_mentions=part.mass_mentions,
            previews=part.previews,
            silent=part.silent,
            location=part.location,
            contact=part.contact,
            poll=part.poll,
            listed_files=part.listed,
            original=part.original or bare_original(event.meta, kind=str(type(event).__struct_config__.tag)),
        )

    async def ask(self, run: Execution, index: int, part: Part) -> Receipt | None:
        """For a part of unknown outcome: its receipt if it is there. None: it is not, or that cannot be found out (the lane has
        already asked the route's policy; a dead letter is retried because an admin wished it). Raises what the adapter raises, and
        AsItIsNow for a message that is not there, if it is a retried letter or was changed since."""
        found = await self._found(run, self.token(run, index), part)
        delivery = run.delivery
        is_message = isinstance(run.pending.event, MessageCreated) and not delivery.posts_further
        if found is None and is_message and (delivery.unknown.is_of_letter or run.context.is_changed(delivery)):
            raise AsItIsNow
        return found

    async def ask_for(self, run: Execution, part: Part, *, sent_for: int) -> Receipt | None:
        """The same for a whole message that was sent for another delivery."""
        return await self._found(run, self._tokens.of(sent_for), part)

    async def _found(self, run: Execution, token: str, part: Part) -> Receipt | None:
        delivery, adapter = run.delivery, run.target.adapter
        if not (isinstance(adapter, Reconciles) and can_reconcile(adapter)):
            return None
        since = delivery.unknown.since(self._clock) or run.pending.first_attempt_at or run.pending.event.meta.received_at
        found = await run.target.call(adapter.reconcile(self._outbound(run, token, part), since))
        delivery.unknown.close()
        log.info("reconciled", delivery=run.pending.delivery_id, target=str(run.pending.target), found=found is not None)
        if found is not None:
            self.posted.add(run.target.chat, found.message_ids)
        return found

    async def begin(self, run: Execution, part: int = 0, *, posts: bool = False) -> None:
        """Record the attempt, of all that go together. `posts`: it posts a message."""
        delivery, now, now_s = run.delivery, self._clock.now(), self._clock.monotonic_s()
        delivery.attempts.count()
        delivery.time.start(now_s)
        spent_s = delivery.time.spent_s(now_s)
        changes: list[Change] = [
            AttemptStarted(
                delivery_id=pending.delivery_id,
                part=part,
                attempt=delivery.attempts.number,
                at=now,
                first_attempt_at=now - timedelta(seconds=spent_s) if spent_s else None,
            )
            for pending in delivery.together
        ]
        unrecorded, group = delivery.made.unrecorded, delivery.group
        changes += unrecorded
        if group.followers:
            changes.append(delivery.set_pieces(group.pieces))
        is_prerecorded = run.context.claim(run.pending)  # always asked: it applies to one attempt only
        if group.followers or part or unrecorded or not is_prerecorded:
            await run.context.record([*changes, *run.context.prerecord_next(now)])
        delivery.made.unrecorded = []
        delivery.attempts.begin()
        if posts:
            delivery.unknown.posting(now, now_s)

    def token(self, run: Execution, part: int) -> str:
        return self._tokens.of(run.pending.delivery_id, part)

    def receipt(self, pending: OpenDelivery, run: Execution, index: int, receipt: Receipt, part: Part) -> PartReceipt:
        """The change that records a part's receipt."""
        return self.receipt_of(pending, pending.event_seq, run, index, receipt, carried_by(part))

    def receipt_of(
        self, pending: OpenDelivery, event_seq: int, run: Execution, index: int, receipt: Receipt, carried: Carried
    ) -> PartReceipt:
        """The same for what the part carries by now. `event_seq`: the created event that it is a copy of."""
        return PartReceipt(
            delivery_id=pending.delivery_id,
            event_seq=event_seq,
            part=index,
            chat=run.target.chat,
            target=pending.target,
            thread_id=pending.thread_id,
            receipt=receipt,
            carried=carried,
            at=self._clock.now(),
        )
