"""Created messages on their way: planned, then sent part by part with every attempt recorded before it is made.

What concerns one file stays with that file: one that the target refuses, or that is gone, becomes a line; one that cannot be had
now comes behind the words, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from bridge.delivery.message_plan import Plan, PlannedPart, decode_plan, encode_plan, plan_of, without_files
from bridge.delivery.operations.change import Changes
from bridge.delivery.operations.edit_files import standing
from bridge.delivery.send import Sending
from bridge.delivery.state import (
    DeliveryContext,
    DeliveryState,
    NotNow,
    ResolvedTarget,
    can_reconcile,
    delivered,
    file_mark,
    stored_part,
)
from bridge.files.fetch import FileFetcher, FileNotYet, most_bytes
from bridge.files.file_names import file_name, mime_of
from bridge.journal.contract import Change, DeliveryStatus, PlanSet
from bridge.model.adapter import Edits, OutboundFile, Receipt, Reply
from bridge.model.capabilities import Feature
from bridge.model.errors import FileRejected
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.refs import MessageRef
from bridge.model.rich_text import EMPTY
from bridge.render.attachments import as_sendable_kind
from bridge.render.degrade import Losses
from bridge.render.long_text import is_whole_text
from bridge.render.message import FetchResult, Part, why_missing


class Creating:
    """Stateless but for its collaborators."""

    def __init__(self, sending: Sending, files: FileFetcher, changes: Changes) -> None:
        self._sending = sending
        self._files = files
        self._changes = changes

    async def create(
        self, work: DeliveryState, event: MessageCreated, place: ResolvedTarget, steps: DeliveryContext
    ) -> Sequence[Change]:
        begun = work.plan if work.parts or work.refused else None
        plan = begun or decode_plan(work.pending.plan)
        if plan is not None and plan.event is not None:
            event = plan.event
        if plan is not None and not work.parts and plan.chat_id not in ("", place.chat.chat_id):
            # the chat has moved since: the message that it answers may be another's number there
            work.reworded, work.refused, plan = plan.event is not None, False, None
        if plan is not None and any(place >= len(event.content.attachments) for part in plan.parts for place in part.files):
            event = await self._sending.with_whole_text(event)
        plan, edit = _since_edited(work, plan, event)
        if edit is not None and isinstance(place.adapter, Edits):
            kept = msgspec.structs.replace(plan or Plan(parts=()), edit=edit)
            work.unrecorded = [PlanSet(delivery_id=work.pending.delivery_id, content=encode_plan(kept))]
            return await self._changes.edit(work, edit, place, steps)
        async with AsyncExitStack() as stack:
            sending = _Sending(self._sending, self._files, work, event, place, steps, stack)
            if plan is None:
                plan = await sending.new_plan()
            elif work.parts and (plan.done or work.pending.state is DeliveryStatus.BEHIND):
                plan = await sending.beside_edits(plan)
            return await sending.send(plan)


def _since_edited(work: DeliveryState, plan: Plan | None, event: MessageCreated) -> tuple[Plan | None, MessageEdited | None]:
    """For what was edited when some of it had been sent, and the edit carried out: the plan if only files are still to come, and
    else the edit, since there are words to come that it has changed. What was begun as the edit goes on as that."""
    begun, changed = plan.edit if plan is not None else None, work.pending.later
    if work.pending.state is not DeliveryStatus.BEHIND or not work.parts or not isinstance(changed, MessageEdited):
        return plan, begun
    left = None if begun is not None else _without_removed_files(plan, _begins_at(plan, work), event, changed)
    if left is not None:
        return left, None
    return plan, msgspec.structs.replace(changed, meta=event.meta, message_id=event.message_id)


def _begins_at(plan: Plan | None, work: DeliveryState) -> int:
    """The first part that was not sent. What was sent may be gone since, by an edit."""
    return plan.done if plan is not None and plan.done else len(work.parts)


def _without_removed_files(plan: Plan | None, sent: int, event: MessageCreated, changed: MessageEdited) -> Plan | None:
    """None: more than files is still to come. Those that the edit took away do not."""
    if plan is None or not all(part.late for part in plan.parts[sent:]):
        return None
    if not changed.attachments_known:
        return plan
    left = {file_mark(attachment) for attachment in changed.content.attachments}
    attachments = event.content.attachments
    rest = [part for part in plan.parts[sent:] if all(file_mark(attachments[place]) in left for place in part.files)]
    return msgspec.structs.replace(plan, parts=(*plan.parts[:sent], *rest))


class _Sending:
    """One message on its way."""

    def __init__(
        self,
        sending: Sending,
        files: FileFetcher,
        work: DeliveryState,
        event: MessageCreated,
        place: ResolvedTarget,
        steps: DeliveryContext,
        stack: AsyncExitStack,
    ) -> None:
        self._sending = sending
        self._files = files
        self._work, self._event, self._place, self._steps = work, event, place, steps
        self._stack = stack
        self._fetched: dict[int, FetchResult] = {}
        self._taken: frozenset[int] = frozenset()
        """Numbers of the copy's parts that edits have posted."""

    async def new_plan(self) -> Plan:
        work, event, place = self._work, self._event, self._place
        settled = await self._settle()
        self._fetched = dict(enumerate(settled))
        if self._can_ask:  # as it was when it was tried, with all its files
            settled = [
                FetchResult(attachment=one.attachment, file=_stand_in(at, one)) if one.late else one
                for at, one in enumerate(settled)
            ]
        reply = await self._sending.reply(event.content.reply_to, event.meta.origin, work, place)
        rendered = await self._sending.render(event, place, settled, reply)
        if rendered.left_out and not any(map(is_whole_text, event.content.attachments)):
            self._event = await self._sending.with_whole_text(event)
            whole = len(event.content.attachments)
            self._fetched[whole] = (await self._settle(only=whole))[whole]
            settled = [*settled, self._fetched[whole]]
            rendered = await self._sending.render(self._event, place, settled, reply)
        work.losses = list(rendered.losses)
        several = len(rendered.parts) > 1 or any(one.file is not None or one.late for one in settled)
        plan = plan_of(rendered, settled, self._sending.tail(event, place) if several else EMPTY)
        if any(part.reply and part.reply.message_id for part in plan.parts):
            plan = msgspec.structs.replace(plan, chat_id=place.chat.chat_id)
        return msgspec.structs.replace(plan, event=event) if work.reworded else plan

    async def beside_edits(self, plan: Plan) -> Plan:
        """While it was set aside, edits may have posted files of it, and others."""
        work, event = self._work, self._event
        pending = work.pending
        link = await self._sending.journal.link(MessageRef(event.meta.origin, event.message_id), pending.target, pending.thread_id)
        own = {sent.part for sent in work.parts}
        others = [one for one in standing(link) if one.number not in own] if link is not None else []
        self._taken = frozenset(one.number for one in others)
        held = {mark for one in others for mark in one.carried.marks}
        at, attachments = _begins_at(plan, work), event.content.attachments
        left = [
            part
            for part in plan.parts[at:]
            if not part.late or not all(file_mark(attachments[place]) in held for place in part.files)
        ]
        return msgspec.structs.replace(plan, parts=(*plan.parts[:at], *left))

    async def send(self, plan: Plan) -> Sequence[Change]:
        """Send the parts that have no receipt yet."""
        work, final = self._work, list[Change]()
        index = _begins_at(plan, work)
        while index < len(plan.parts):
            if final:
                await self._steps.record(final)
                final = []
            planned = plan.parts[index]
            files, problems, late = await self._files_of(planned)
            if problems:
                plan = self._without(plan, index, problems)
                continue
            part = self._part(planned, files)
            if late is not None:
                found = await self._ask(index, part)
                if found is None and (work.parts or planned.late):
                    self._keep(msgspec.structs.replace(plan, done=index))
                    raise NotNow(late.problem, after_s=late.after_s)
                if found is None:  # nothing of it is there: words first
                    plan = msgspec.structs.replace(await self.new_plan(), event=plan.event)
                    continue
                receipt = found
            else:
                self._keep(plan)
                try:
                    receipt = await self._sending.send_part(work, self._place, index, part, self._steps)
                except FileRejected as refused:
                    if not part.files:
                        raise
                    places = [at for at in refused.places if at < len(part.files)] or range(len(part.files))
                    plan = self._without(plan, index, {planned.files[at]: refused.reason for at in places})
                    work.attempt, work.unknown, work.attempted, work.refused = 0, False, False, True
                    continue
            final = [self._sent(index, part, receipt)]
            index += 1
            if plan.done:
                plan = work.plan = msgspec.structs.replace(plan, done=index)
                final.append(PlanSet(delivery_id=work.pending.delivery_id, content=encode_plan(plan)))
        return [*final, delivered(work, self._sending.clock.now())]

    @property
    def _can_ask(self) -> bool:
        return self._work.unknown and can_reconcile(self._place.adapter)

    async def _ask(self, index: int, part: Part) -> Receipt | None:
        """Whether a part of unknown outcome is there, which can be asked without its files."""
        return await self._sending.ask(self._work, self._place, index, part) if self._can_ask else None

    def _sent(self, index: int, part: Part, receipt: Receipt) -> Change:
        work = self._work
        used = {*self._taken, *(sent.part for sent in work.parts)}
        number = index if index not in used else max(used) + 1
        work.parts.append(stored_part(self._place, number, receipt, part))
        work.attempt, work.unknown, work.attempted = 0, False, False
        return self._sending.part_sent(work.pending, work.pending.event_seq, self._place, number, receipt, part)

    # -- the plan -----------------------------------------------------------------------------------------------------------

    def _keep(self, plan: Plan) -> None:
        """On disk with the attempt that comes next, if there is anything to remember."""
        work = self._work
        if plan is work.plan:
            return
        work.plan = plan
        stored = encode_plan(plan)
        if (work.refused or not plan.is_simple) and stored != work.pending.plan:
            work.unrecorded.append(PlanSet(delivery_id=work.pending.delivery_id, content=stored))

    def _without(self, plan: Plan, index: int, problems: dict[int, str]) -> Plan:
        losses: Losses = {}
        changed = without_files(plan, index, problems, self._event.content.attachments, self._place.target, losses)
        self._work.losses += [loss for loss in losses if loss not in self._work.losses]
        return changed

    def _part(self, planned: PlannedPart, files: tuple[OutboundFile, ...]) -> Part:
        return Part(
            text=planned.text,
            files=files,
            sender=planned.sender,
            reply=self._to_words() if planned.late else planned.reply,
            mass_mentions=planned.mass_mentions,
            previews=planned.previews,
            has_files=bool(files),
        )

    def _to_words(self) -> Reply | None:
        """What comes behind its words answers them, where answers are native."""
        if not self._work.parts or not self._place.target.capabilities.native(Feature.REPLY):
            return None
        copy = self._work.parts[0].copy
        if copy.chat_id != self._place.chat.chat_id or not copy.message_ids:
            return None
        return Reply(message_id=copy.message_ids[0], thread_id=copy.thread_id)

    # -- files --------------------------------------------------------------------------------------------------------------

    async def _files_of(self, planned: PlannedPart) -> tuple[tuple[OutboundFile, ...], dict[int, str], FetchResult | None]:
        """The part's files on disk, why those that are not cannot be had, and one that may still come, if any is: then what stands
        in its place is only good for asking."""
        files: list[OutboundFile] = []
        problems: dict[int, str] = {}
        late: FetchResult | None = None
        for place in planned.files:
            one = self._fetched.get(place) or await self._fetch(place)
            if one.late:
                late = one
                files.append(_stand_in(place, one))
                continue
            problem = why_missing(one, self._place.target)
            if problem or one.file is None:
                problems[place] = problem
            else:
                files.append(as_sendable_kind(one.file, self._place.target, same_platform=self._same_platform))
        return tuple(files), problems, late

    async def _fetch(self, place: int) -> FetchResult:
        try:
            one = (await self._settle(only=place))[place]
        except FileNotYet as error:
            if not self._work.parts:
                raise
            one = FetchResult(
                attachment=self._event.content.attachments[place], problem=error.reason, late=True, after_s=error.after_s
            )
        self._fetched[place] = one
        return one

    @property
    def _same_platform(self) -> bool:
        return self._sending.origin_of(self._event.meta.origin).platform == self._place.target.platform

    async def _settle(self, only: int | None = None) -> Sequence[FetchResult]:
        attachments = self._event.content.attachments
        if not attachments:
            return ()
        if not self._place.options.files:
            return [FetchResult(attachment=attachment) for attachment in attachments]
        return await self._files.settle(
            self._stack,
            event_seq=self._work.pending.event_seq,
            origin=self._event.meta.origin,
            content=self._event.content,
            most_bytes=most_bytes(self._place.target.capabilities.limits, self._place.options),
            patience=self._work.patience,
            within_s=self._work.file_wait_s,
            only=None if only is None else {only},
        )


def _stand_in(place: int, one: FetchResult) -> OutboundFile:
    """A file that is not on disk, in what can be known of it."""
    attachment = one.attachment
    name, mime = file_name(attachment), mime_of(attachment)
    return OutboundFile(attachment=attachment, path=Path(str(place)), name=name, mime=mime, size_bytes=attachment.size_bytes or 0)
