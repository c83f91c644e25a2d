"""A created message: planned, then sent part by part with every attempt recorded before it is made.

A failing file costs only itself: one that the target refuses, or that is gone, becomes a line; one that cannot be fetched now
follows the text, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

from bridge.delivery.age import is_too_old, why_too_old
from bridge.delivery.copies import stored_part
from bridge.delivery.execution import AsItIsNow, Execution, NotNow
from bridge.delivery.message_plan import Plan, PlannedPart, encode_plan, without_extras, without_files, without_poll
from bridge.delivery.operations.create_plan import begins_at, begun_plan, beside_edits, can_ask, new_plan, since_edited
from bridge.delivery.operations.delete import delete
from bridge.delivery.operations.edit import edit as carry_out_edit
from bridge.delivery.operations.part_files import PartFiles
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import Change, Dead, PlanSet
from bridge.model.adapter import Edits, OutboundFile, Receipt, Reply
from bridge.model.capabilities import Feature
from bridge.model.errors import ExtraRejected, FileRejected, PollRejected, Rejected
from bridge.model.events import MessageCreated, MessageDeleted
from bridge.model.outcomes import Skip
from bridge.render.attachments import takes_caption
from bridge.render.degrade import Losses
from bridge.render.emoji_pictures import as_pictures, wants_pictures
from bridge.render.message import FetchResult, Part


async def create(event: MessageCreated, run: Execution, tools: Tools) -> Sequence[Change]:
    delivery = run.delivery
    plan = begun_plan(run)
    now = run.clock.now()
    if plan is None and not delivery.parts and not delivery.is_beside_line and is_too_old(event, run.target.options, now):
        return [Dead(delivery_id=run.pending.delivery_id, reason=why_too_old(event, now), at=now)]
    if plan is not None and plan.taken_back:
        if not run.target.options.deletes:
            return [run.skipped(Skip.DELETED_BEFORE)]
        return await delete(MessageDeleted(meta=event.meta, message_id=event.message_id), run, tools)
    if plan is not None and plan.event is not None:
        event = plan.event
    has_files_more = _has_files_more(plan, event)
    if event.content.pictures and (has_files_more or (plan is None and wants_pictures(event, run.target.options))):
        event = as_pictures(event)
    elif has_files_more:
        event = await tools.renderer.with_whole_text(event, run.target)
    plan, edit = since_edited(delivery, plan, event)
    if edit is not None and isinstance(run.target.adapter, Edits):
        kept = msgspec.structs.replace(plan or Plan(parts=()), edit=edit)
        delivery.made.plan = kept
        delivery.made.unrecorded = [PlanSet(delivery_id=run.pending.delivery_id, content=encode_plan(kept))]
        return await carry_out_edit(edit, run, tools)
    async with AsyncExitStack() as stack:
        files = PartFiles(event, run, tools, stack)
        taken: frozenset[int] = frozenset()
        if plan is None:
            plan = await new_plan(files, run, tools)
        elif delivery.parts and (plan.done or delivery.is_beside_line):
            plan, taken = await beside_edits(plan, event, run, tools)
        return await _Creation(files, taken, run, tools).send(plan)


def _has_files_more(plan: Plan | None, event: MessageCreated) -> bool:
    """Whether the plan was made with files that are no attachments of the message."""
    return plan is not None and any(index >= len(event.content.attachments) for part in plan.parts for index in part.files)


class _Creation:
    """One message being sent. `taken`: numbers of the copy's parts that edits have posted."""

    def __init__(self, files: PartFiles, taken: frozenset[int], run: Execution, tools: Tools) -> None:
        self._files = files
        self._taken = taken
        self._run, self._tools = run, tools
        self._delivery = run.delivery

    async def send(self, plan: Plan) -> Sequence[Change]:
        """Send the parts that have no receipt yet."""
        final: list[Change] = []
        index = begins_at(plan, self._delivery)
        while index < len(plan.parts):
            if final:
                await self._run.context.record(final)
                final = []
            planned = plan.parts[index]
            files, problems, late = await self._files.of(planned)
            if problems:
                plan = self._without(plan, index, problems)
                continue
            part, receipt = self._part(planned, files), None
            if late is not None:
                receipt = await self._there_already(index, part)
                if receipt is None:
                    plan = await self._without_late(plan, index, late)
                    continue
            else:
                self._keep(plan)
                try:
                    receipt = await self._tools.sender.send(self._run, index, part)
                except FileRejected as refused:
                    plan = self._refused(plan, index, part, refused)
                    continue
                except (PollRejected, ExtraRejected) as refused:
                    plan = self._as_words(plan, index, refused)
                    continue
            final = [self._sent(index, part, receipt)]
            if self._delivery.unknown.is_of_letter:
                self._delivery.unknown.is_of_letter = False
                if self._delivery.pending.later is not None:
                    await self._run.context.record(final)
                    raise AsItIsNow
            index += 1
            if plan.done:
                plan = self._delivery.made.plan = msgspec.structs.replace(plan, done=index)
                final.append(self._plan_set(plan))
        return [*final, self._run.delivered()]

    async def _there_already(self, index: int, part: Part) -> Receipt | None:
        """The receipt of a part of unknown outcome that arrived; asking for it needs no files."""
        return await self._tools.sender.ask(self._run, index, part) if can_ask(self._run) else None

    async def _without_late(self, plan: Plan, index: int, late: FetchResult) -> Plan:
        """The plan to continue with while a file cannot be fetched. Raises NotNow if only such files are left."""
        if self._delivery.parts or plan.parts[index].late:
            self._keep(msgspec.structs.replace(plan, done=index))
            raise NotNow(late.problem, after_s=late.after_s)
        # nothing of it is there: text first
        return msgspec.structs.replace(await new_plan(self._files, self._run, self._tools), event=plan.event)

    def _refused(self, plan: Plan, index: int, part: Part, refused: FileRejected) -> Plan:
        """The plan without the files that the target refused. Raises the refusal if it concerns none of its files."""
        if not part.files:
            raise refused
        at = [number for number in refused.indexes if number < len(part.files)] or range(len(part.files))
        plan = self._without(plan, index, {plan.parts[index].files[number]: refused.reason for number in at})
        self._delivery.part_over()
        self._delivery.made.file_refused = True
        return plan

    def _as_words(self, plan: Plan, index: int, refused: PollRejected | ExtraRejected) -> Plan:
        part, losses = plan.parts[index], Losses()
        if isinstance(refused, PollRejected) and part.poll is not None:
            changed = without_poll(plan, index, self._run.target.rendering, losses)
        elif isinstance(refused, ExtraRejected) and (part.location is not None or part.contact is not None):
            changed = without_extras(plan, index, self._run.target.rendering, losses)
        else:
            raise Rejected("the target refused what the message does not have")
        self._delivery.lose([*losses])
        self._delivery.part_over()
        self._delivery.made.file_refused = True
        return changed

    def _sent(self, index: int, part: Part, receipt: Receipt) -> Change:
        delivery = self._delivery
        used = {*self._taken, *(sent.part for sent in delivery.parts)}
        number = index if index not in used else max(used) + 1
        delivery.parts.append(stored_part(self._run.target, number, receipt, part))
        delivery.part_over()
        return self._tools.sender.receipt(delivery.pending, self._run, number, receipt, part)

    # -- the plan -----------------------------------------------------------------------------------------------------------

    def _keep(self, plan: Plan) -> None:
        """Recorded with the next attempt, if there is anything to store."""
        made = self._delivery.made
        if plan is made.plan:
            return
        made.plan = plan
        if (made.file_refused or not plan.is_simple) and encode_plan(plan) != self._delivery.pending.plan:
            made.unrecorded.append(self._plan_set(plan))

    def _plan_set(self, plan: Plan) -> PlanSet:
        return PlanSet(delivery_id=self._delivery.pending.delivery_id, content=encode_plan(plan))

    def _without(self, plan: Plan, index: int, problems: dict[int, str]) -> Plan:
        losses: Losses = {}
        attachments = self._files.event.content.attachments
        link = self._tools.renderer.links_of(self._files.event)
        changed = without_files(plan, index, problems, attachments, self._run.target.rendering, losses, link)
        self._delivery.lose([*losses])
        return changed

    def _with_links(self, files: tuple[OutboundFile, ...]) -> tuple[OutboundFile, ...]:
        """Programs are told where a file can be had, too."""
        if not files or not self._run.target.capabilities.takes_data:
            return files
        link = self._tools.renderer.links_of(self._files.event)
        return tuple(msgspec.structs.replace(file, url=link(file.attachment)) for file in files)

    def _part(self, planned: PlannedPart, files: tuple[OutboundFile, ...]) -> Part:
        return Part(
            text=planned.text,
            files=self._with_links(files),
            sender=planned.sender,
            reply=self._to_words() if planned.late or (planned.alone and self._delivery.parts) else planned.reply,
            mass_mentions=planned.mass_mentions,
            previews=planned.previews,
            silent=self._files.event.content.silent or bool(planned.alone and self._delivery.parts),
            location=planned.location,
            contact=planned.contact,
            poll=planned.poll,
            listed=planned.listed,
            original=planned.original,
            alone=planned.alone,
            has_files=bool(files),
            wordless=not planned.text and not takes_caption(files, self._run.target.capabilities),
        )

    def _to_words(self) -> Reply | None:
        """What follows its text replies to it, where replies are native."""
        target = self._run.target
        if not self._delivery.parts or not target.capabilities.native(Feature.REPLY):
            return None
        copy = self._delivery.parts[0].copy
        if copy.chat_id != target.chat.chat_id or not copy.message_ids:
            return None
        return Reply(message_id=copy.message_ids[0], thread_id=copy.thread_id)
