"""Which parts a created message has: as rendered now, or as planned when it was begun, apart from changes by later edits."""

from __future__ import annotations

import msgspec

from bridge.delivery.copies import file_mark
from bridge.delivery.execution import Execution
from bridge.delivery.message_plan import Plan, decode_plan, plan_of
from bridge.delivery.operations.edit_files import standing
from bridge.delivery.operations.part_files import PartFiles, stand_in
from bridge.delivery.operations.tools import Tools
from bridge.delivery.state import DeliveryState
from bridge.delivery.target import can_reconcile
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.outcomes import Loss
from bridge.model.refs import MessageRef
from bridge.model.rich_text import EMPTY
from bridge.render.long_text import is_whole_text
from bridge.render.message import FetchResult


def begun_plan(run: Execution) -> Plan | None:
    """The stored plan of a message that was begun, which continues with it."""
    delivery, made = run.delivery, run.delivery.made
    plan = (made.plan if delivery.parts or made.file_refused else None) or decode_plan(run.pending.plan)
    if plan is not None and plan.says_nothing:
        return None
    if plan is not None and not delivery.parts and plan.chat_id not in ("", run.target.chat.chat_id):
        # the chat has moved since: the message that it answers may be another's number there
        made.is_reworded, made.file_refused = plan.event is not None, False
        return None
    return plan


def can_ask(run: Execution) -> bool:
    """Whether the platform can say if the next part is there."""
    return run.delivery.unknown.is_open and can_reconcile(run.target.adapter)


def begins_at(plan: Plan | None, delivery: DeliveryState) -> int:
    """The first part that was not sent. Parts that were sent may have been removed since by an edit."""
    return plan.done if plan is not None and plan.done else len(delivery.parts)


async def new_plan(files: PartFiles, run: Execution, tools: Tools) -> Plan:
    said, target, renderer = tools.places.said_by_place(files.event, run), run.target, tools.renderer
    event = await tools.places.with_title(said, run.pending.event_seq, run)
    fetched = list(await files.fetch_all())
    if can_ask(run):  # as it was when it was tried, with all its files
        fetched = [
            FetchResult(attachment=one.attachment, file=stand_in(index, one)) if one.late else one
            for index, one in enumerate(fetched)
        ]
    reply = await tools.places.reply(event, run)
    rendered = await renderer.render(event, target, fetched, reply)
    if rendered.left_out and not any(map(is_whole_text, event.content.attachments)):
        fetched.append(await files.fetch_added(await renderer.with_whole_text(event, target)))
        event = await tools.places.with_title(tools.places.said_by_place(files.event, run), run.pending.event_seq, run)
        rendered = await renderer.render(event, target, fetched, reply)
    placed = run.delivery.placed
    titled = () if event is said else (Loss.TITLE_AS_LINE,)
    run.delivery.losses = [*(placed.losses if placed is not None else ()), *titled, *rendered.losses]
    several = len(rendered.parts) > 1 or any(one.file is not None or one.late for one in fetched)
    plan = plan_of(rendered, fetched, renderer.tail(event, target) if several else EMPTY)
    if any(part.reply and part.reply.message_id for part in plan.parts):
        plan = msgspec.structs.replace(plan, chat_id=target.chat.chat_id)
    return msgspec.structs.replace(plan, event=event) if run.delivery.made.is_reworded else plan


def since_edited(delivery: DeliveryState, plan: Plan | None, event: MessageCreated) -> tuple[Plan | None, MessageEdited | None]:
    """For a message that was edited after some of it was sent, when the edit was executed: the plan if only files are left,
    otherwise the edit, since it changed text that is still to be sent. What was begun as the edit continues as the edit."""
    begun, changed = plan.edit if plan is not None else None, delivery.pending.later
    if not delivery.is_beside_line or not delivery.parts or not isinstance(changed, MessageEdited):
        return plan, begun
    left = None if begun is not None else _without_removed_files(plan, begins_at(plan, delivery), event, changed)
    if left is not None:
        return left, None
    return plan, msgspec.structs.replace(changed, meta=event.meta, message_id=event.message_id)


def _without_removed_files(plan: Plan | None, sent: int, event: MessageCreated, changed: MessageEdited) -> Plan | None:
    """None: more than files is left. Files that the edit removed are left out."""
    if plan is None or not all(part.late for part in plan.parts[sent:]):
        return None
    if not changed.attachments_known:
        return plan
    left = {file_mark(attachment) for attachment in changed.content.attachments}
    attachments = event.content.attachments
    rest = [part for part in plan.parts[sent:] if all(file_mark(attachments[index]) in left for index in part.files)]
    return msgspec.structs.replace(plan, parts=(*plan.parts[:sent], *rest))


async def beside_edits(plan: Plan, event: MessageCreated, run: Execution, tools: Tools) -> tuple[Plan, frozenset[int]]:
    """While it was set aside, edits may have posted some of its files, and others: the plan without those, and the part numbers of
    the copy that are taken."""
    pending, delivery = run.pending, run.delivery
    link = await tools.journal.link(MessageRef(event.meta.origin, event.message_id), pending.target, pending.thread_id)
    own = {sent.part for sent in delivery.parts}
    others = [one for one in standing(link) if one.number not in own] if link is not None else []
    held = {mark for one in others for mark in one.carried.marks}
    at, attachments = begins_at(plan, delivery), event.content.attachments
    left = [
        part for part in plan.parts[at:] if not part.late or not all(file_mark(attachments[index]) in held for index in part.files)
    ]
    return msgspec.structs.replace(plan, parts=(*plan.parts[:at], *left)), frozenset(one.number for one in others)
