"""A line from the bridge itself: who joined or left, the chat's new name, what was pinned, who is away. Also events that are never
sent."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery.copies import stored_part
from bridge.delivery.execution import Execution
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import Change
from bridge.model.events import ChatRenamed, MembershipChanged, PinsChanged, StatusChanged, TypingStarted
from bridge.model.outcomes import Skip


async def notice(
    event: MembershipChanged | ChatRenamed | PinsChanged | StatusChanged, run: Execution, tools: Tools
) -> Sequence[Change]:
    """Send the parts that have no receipt yet."""
    if isinstance(event, StatusChanged | MembershipChanged) and not run.pending.attempt and not _is_admitted(event, run, tools):
        return [run.skipped(Skip.NOTICE_STORM)]
    delivery, final = run.delivery, list[Change]()
    parts = tools.renderer.notice(event, run.target)
    for index in range(len(delivery.parts), len(parts)):
        if final:
            await run.context.record(final)
        receipt = await tools.sender.send(run, index, parts[index])
        final = [tools.sender.receipt(run.pending, run, index, receipt, parts[index])]
        delivery.parts.append(stored_part(run.target, index, receipt, parts[index]))
        delivery.part_over()
    return [*final, run.delivered()]


def _is_admitted(event: StatusChanged | MembershipChanged, run: Execution, tools: Tools) -> bool:
    who = event.member if isinstance(event, MembershipChanged) else event.meta.author
    person = f"{type(event).__name__}:{event.meta.origin.account}:{who.user_id if who is not None else ''}"
    chat = (run.pending.target, run.pending.thread_id)
    return tools.storms.admits(chat, person, run.pending.delivery_id, run.clock.monotonic_s())


async def not_kept(_event: TypingStarted, run: Execution, _tools: Tools) -> Sequence[Change]:
    return [run.skipped(Skip.TYPING_NOT_KEPT)]
