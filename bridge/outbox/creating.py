"""Created messages on their way: planned, then sent part by part with every attempt recorded before it is made.

What concerns one file stays with that file: one that the target refuses, or that is gone, becomes a line; one that cannot be had
now comes behind the words, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

from bridge.albums import suited
from bridge.capabilities import Feature
from bridge.contract import OutboundFile, Receipt, Reply
from bridge.degrade import Losses
from bridge.errors import FileRejected
from bridge.events import MessageCreated, MessageEdited
from bridge.journal.contract import Change, PlanSet, SentPart, State
from bridge.outbox.changes import Changes
from bridge.outbox.files import FileFetcher, FileNotYet, most_bytes
from bridge.outbox.plan import Plan, PlannedPart, decode_plan, encode_plan, plan_of, without_files
from bridge.outbox.sending import Sending
from bridge.outbox.work import NotNow, Place, Steps, Work, carried_by, copy_of, delivered, file_mark, unwrap
from bridge.render import Part, Settled, why_missing
from bridge.text import EMPTY


class Creating:
    """Stateless but for its collaborators."""

    def __init__(self, sending: Sending, files: FileFetcher, changes: Changes) -> None:
        self._sending = sending
        self._files = files
        self._changes = changes

    async def create(self, work: Work, event: MessageCreated, place: Place, steps: Steps) -> Sequence[Change]:
        begun = work.plan if work.parts or work.refused else None
        plan = begun or decode_plan(work.pending.plan)
        if plan is not None and plan.event is not None:
            event = plan.event
        changed = work.pending.later
        if work.pending.state is State.BEHIND and work.parts and isinstance(changed, MessageEdited):
            plan = _without_removed_files(plan, len(work.parts), event, changed)
            if plan is None:
                edit = msgspec.structs.replace(changed, meta=event.meta, message_id=event.message_id)
                return await self._changes.edit(work, edit, place, steps)
        async with AsyncExitStack() as stack:
            sending = _Sending(self._sending, self._files, work, event, place, steps, stack)
            if plan is None:
                plan = await sending.new_plan()
            return await sending.send(plan)


def _without_removed_files(plan: Plan | None, sent: int, event: MessageCreated, changed: MessageEdited) -> Plan | None:
    """What was edited when some of it had been sent, and the edit carried out: only files are still to come, and those that the
    edit took away do not. None: there are words to come, which the edit has changed."""
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
        work: Work,
        event: MessageCreated,
        place: Place,
        steps: Steps,
        stack: AsyncExitStack,
    ) -> None:
        self._sending = sending
        self._files = files
        self._work, self._event, self._place, self._steps = work, event, place, steps
        self._stack = stack
        self._fetched: dict[int, Settled] = {}

    async def new_plan(self) -> Plan:
        work, event, place = self._work, self._event, self._place
        settled = await self._settle()
        self._fetched = dict(enumerate(settled))
        reply = await self._sending.reply(event.content.reply_to, event.meta.origin, work, place)
        rendered = await self._sending.render(event, place, settled, reply)
        work.losses = list(rendered.losses)
        several = len(rendered.parts) > 1 or any(one.file is not None or one.late for one in settled)
        plan = plan_of(rendered, settled, self._sending.lines(event, place).tail if several else EMPTY)
        return msgspec.structs.replace(plan, event=event) if work.reworded else plan

    async def send(self, plan: Plan) -> Sequence[Change]:
        """Send the parts that have no receipt yet."""
        work, final = self._work, list[Change]()
        while (index := len(work.parts)) < len(plan.parts):
            if final:
                await self._steps.record(final)
                final = []
            planned = plan.parts[index]
            files, problems = await self._files_of(planned)
            if problems:
                plan = self._without(plan, index, problems)
                continue
            self._keep(plan)
            part = self._part(planned, files)
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
        return [*final, delivered(work, self._sending.clock.now())]

    def _sent(self, index: int, part: Part, receipt: Receipt) -> Change:
        work = self._work
        work.parts.append(SentPart(part=index, copy=copy_of(self._place, receipt, carried_by(part))))
        work.attempt, work.unknown, work.attempted = 0, False, False
        return self._sending.part_sent(work.pending, work.pending.event_seq, self._place, index, receipt, part)

    # -- the plan -----------------------------------------------------------------------------------------------------------

    def _keep(self, plan: Plan) -> None:
        """On disk with the attempt that comes next, if there is anything to remember."""
        work = self._work
        if plan is work.plan:
            return
        work.plan = plan
        stored = encode_plan(plan)
        if not plan.is_simple and stored != work.pending.plan:
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
        copy = unwrap(self._work.parts[0].copy)[0]
        if copy.chat_id != self._place.chat.chat_id or not copy.message_ids:
            return None
        return Reply(message_id=copy.message_ids[0], thread_id=copy.thread_id)

    # -- files --------------------------------------------------------------------------------------------------------------

    async def _files_of(self, planned: PlannedPart) -> tuple[tuple[OutboundFile, ...], dict[int, str]]:
        """The part's files on disk, and why those that are not cannot be had. Raises NotNow if one may still come."""
        files: list[OutboundFile] = []
        problems: dict[int, str] = {}
        for place in planned.files:
            one = self._fetched.get(place)
            if one is None:
                try:
                    one = self._fetched[place] = (await self._settle(only=place))[place]
                except FileNotYet as error:
                    if self._work.parts:
                        raise NotNow(error.reason, after_s=error.after_s) from error
                    raise
            if one.late:
                raise NotNow(one.problem, after_s=one.after_s)
            problem = why_missing(one, self._place.target)
            if problem or one.file is None:
                problems[place] = problem
            else:
                files.append(suited(one.file, self._place.target, same_platform=self._same_platform))
        return tuple(files), problems

    @property
    def _same_platform(self) -> bool:
        return self._sending.origin_of(self._event.meta.origin).platform == self._place.target.platform

    async def _settle(self, only: int | None = None) -> Sequence[Settled]:
        attachments = self._event.content.attachments
        if not attachments:
            return ()
        if not self._place.options.files:
            return [Settled(attachment=attachment) for attachment in attachments]
        return await self._files.settle(
            self._stack,
            event_seq=self._work.pending.event_seq,
            origin=self._event.meta.origin.account,
            attachments=attachments,
            most_bytes=most_bytes(self._place.target.capabilities.limits, self._place.options),
            patience=self._work.patience,
            only=None if only is None else {only},
        )
