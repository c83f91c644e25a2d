"""What became of a thread is done to its partner: a new name, a closing, a reopening, a deletion. Where the target cannot, a line
in the partner says it, once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from bridge.delivery import throttled_calls
from bridge.delivery.copies import stored_part
from bridge.delivery.execution import Execution, NotNow
from bridge.delivery.message_plan import Plan, decode_plan, encode_plan
from bridge.delivery.operations.further import send_further
from bridge.delivery.operations.tools import Tools
from bridge.delivery.state import Placed
from bridge.identity.names import title_line
from bridge.journal.contract import Change, Made, Partner, PartnerState, PlanSet
from bridge.model.errors import NoThread, Rejected, RetryLater
from bridge.model.events import ThreadChange, ThreadChanged, ThreadDeleted
from bridge.model.outcomes import Loss, LossNote, LossOf, Skip
from bridge.model.refs import ThreadRef
from bridge.model.threads import ClosesThreads, DeletesThreads, HasMainThread, RenamesThreads, ThreadCopy
from bridge.policy.routing import Deletes

LONGEST_IN_LINE_S = 10.0
"""What a platform's rate for names of threads delays longer waits beside the line: messages do not wait for a name."""


_Call = Callable[[], Coroutine[Any, Any, None]]


async def follow(event: ThreadChanged | ThreadDeleted, run: Execution, tools: Tools) -> Sequence[Change]:
    found = await tools.places.partners_of(event, run)
    if found is None:
        return await _without_partner(event, run, tools)
    here, there = found
    if isinstance(event, ThreadChanged) and _is_old(event, here):
        return [run.skipped(Skip.THREAD_CHANGED_SINCE)]
    if isinstance(event, ThreadDeleted) and here.made is not Made.THERE:
        return [run.skipped(Skip.COPY_DELETED)]  # made anew since: at a message it has the same id again
    run.delivery.placed = Placed(there.thread_id or None, from_partner=True)
    try:
        if run.delivery.parts:
            return [run.delivered()]
        if (call := _native(event, there, run, tools)) is None:
            return await _say(event, Loss.THREAD_CHANGE_AS_LINE, run, tools)
        await tools.sender.begin(run)
        try:
            await _carry_out(call, event, run)
        except NoThread:
            raise
        except Rejected as error:
            why = LossOf(Loss.THREAD_CHANGE_AS_LINE, f"{Loss.THREAD_CHANGE_AS_LINE}: {error.reason}")
            return await _say(event, why, run, tools)
    except NoThread:
        return [run.skipped(Skip.THREAD_GONE)]
    await _note(event, there, run, tools)
    return [run.delivered()]


def _is_old(event: ThreadChanged, here: Partner) -> bool:
    """Whether what it says of the conversation is not so any more: the newest change wins, in whichever order they are done."""
    if event.change is ThreadChange.RENAMED:
        return title_line(event.name) != here.title
    return (event.change is ThreadChange.CLOSED) is not here.is_closed


def _native(event: ThreadChanged | ThreadDeleted, there: Partner, run: Execution, tools: Tools) -> _Call | None:
    """The call that does the same to the partner; None: there is none, or it is not to be made."""
    adapter, chat_id = run.target.adapter, run.target.chat.chat_id
    thread_id = there.thread_id or (adapter.main_thread_id if isinstance(adapter, HasMainThread) else "")
    if not thread_id:
        return None  # the chat itself is the partner
    token = tools.sender.token(run, 0)
    thread = ThreadCopy(token=token, chat_id=chat_id, thread_id=thread_id, is_alone=there.made is Made.ALONE)
    match event:
        case ThreadDeleted():
            # what people made is theirs: a copy's fate does not touch it, nor that of a thread that was taken for the same
            is_ours = there.made is not Made.THERE and run.target.options.deletes is not Deletes.MARK
            return partial(adapter.delete_thread, thread) if is_ours and isinstance(adapter, DeletesThreads) else None
        case ThreadChanged(change=ThreadChange.RENAMED):
            return partial(adapter.rename_thread, thread, title_line(event.name)) if isinstance(adapter, RenamesThreads) else None
        case _:
            is_closed = event.change is ThreadChange.CLOSED
            return partial(adapter.close_thread, thread, is_closed) if isinstance(adapter, ClosesThreads) else None


async def _carry_out(call: _Call, event: ThreadChanged | ThreadDeleted, run: Execution) -> None:
    try:
        await throttled_calls.change_thread(call, run)
    except RetryLater as error:
        if isinstance(event, ThreadChanged) and error.rate_limited and (error.after_s or 0.0) > LONGEST_IN_LINE_S:
            kept = replace(decode_plan(run.pending.plan) or Plan(parts=()), had_partner=True)
            await run.context.record([PlanSet(delivery_id=run.pending.delivery_id, content=encode_plan(kept))])
            raise NotNow(error.reason, after_s=error.after_s) from None
        raise


async def _note(event: ThreadChanged | ThreadDeleted, there: Partner, run: Execution, tools: Tools) -> None:
    partners, now = tools.places.partners, run.clock.now()
    if isinstance(event, ThreadDeleted):
        await partners.forget_thread(ThreadRef(there.chat, there.thread_id))
    elif event.change is ThreadChange.REOPENED and there.state is PartnerState.ENDED:
        here = ThreadRef(event.meta.origin, event.meta.thread_id or "")
        await partners.set_partner(here, there.chat, there.thread_id, title=there.title, at=now, made=there.made)


async def _without_partner(event: ThreadChanged | ThreadDeleted, run: Execution, tools: Tools) -> Sequence[Change]:
    """In the chat itself names of threads are news like those of chats; that one takes no more messages is always said. Where the
    partner went while the change waited, there is nobody left to tell."""
    if _had_partner(run):
        return [run.skipped(Skip.THREAD_GONE)]
    if isinstance(event, ThreadDeleted):
        return [run.skipped(Skip.THREAD_WITHOUT_PARTNER)]
    if event.change is ThreadChange.RENAMED and not run.target.options.renames:
        return [run.skipped(Skip.THREAD_WITHOUT_PARTNER)]
    return await _say(event, None, run, tools)


def _had_partner(run: Execution) -> bool:
    """Whether an earlier attempt found the thread's partner: in this line, or before the change was set aside."""
    plan, placed = decode_plan(run.pending.plan), run.delivery.placed
    return (plan is not None and plan.had_partner) or (placed is not None and placed.from_partner)


async def _say(event: ThreadChanged | ThreadDeleted, loss: LossNote | None, run: Execution, tools: Tools) -> Sequence[Change]:
    if run.delivery.parts:
        return [run.delivered()]
    (part, *_) = tools.renderer.notice(event, run.target)
    receipt = await send_further(part, 0, run, tools)
    run.delivery.parts.append(stored_part(run.target, 0, receipt, part))
    run.delivery.lose([loss] if loss is not None else [])
    return [tools.sender.receipt(run.pending, run, 0, receipt, part), run.delivered()]
