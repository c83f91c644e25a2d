"""Posts the bridge's own lines in a chat, or its mark on a message: answers to commands, reports of failed copies."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bridge.delivery import throttled_calls
from bridge.delivery.copies import stored_part
from bridge.delivery.execution import Execution
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import Change
from bridge.model.abilities import Whispers
from bridge.model.adapter import Copy, OutboundReaction, Reacts, Reply
from bridge.model.capabilities import Feature
from bridge.model.errors import Rejected
from bridge.model.events import BridgeSaid
from bridge.model.outcomes import Skip
from bridge.render.message import Part
from bridge.render.notice_message import render_notice


async def say(event: BridgeSaid, run: Execution, tools: Tools) -> Sequence[Change]:
    """React with a mark that the chat accepts; else show the text to the one it is for, or post it: as a reply, where there are."""
    delivery, final = run.delivery, list[Change]()
    if event.marks and not delivery.parts and not delivery.unknown.is_open and await _mark(event, run, tools):
        return [run.delivered()]
    if event.unmark:
        return [run.skipped(Skip.CANNOT_REACT)]
    parts = list(render_notice(event.text, target=run.target.rendering).parts)
    if event.only_for and not delivery.parts and await _whisper(event, run, tools, parts):
        return [run.delivered()]
    if event.about and run.target.capabilities.native(Feature.REPLY):
        parts[0] = msgspec.structs.replace(parts[0], reply=Reply(message_id=event.about, thread_id=run.pending.thread_id))
    for index in range(len(delivery.parts), len(parts)):
        if final:
            await run.context.record(final)
        receipt = await tools.sender.send(run, index, parts[index])
        final = [tools.sender.receipt(run.pending, run, index, receipt, parts[index])]
        delivery.parts.append(stored_part(run.target, index, receipt, parts[index]))
        delivery.part_over()
    return [*final, run.delivered()]


async def _whisper(event: BridgeSaid, run: Execution, tools: Tools, parts: Sequence[Part]) -> bool:
    """False: the platform has no such messages, or not for that person there; then all may see it."""
    adapter = run.target.adapter
    if not isinstance(adapter, Whispers):
        return False
    for part in parts:
        await run.admit(1)
        await tools.sender.begin(run)
        try:
            await run.target.call(adapter.whisper(run.target.chat.chat_id, event.only_for, part.text, run.delivery.thread_id))
        except Rejected:
            return False
        run.mark_accepted(1)
    return True


async def _mark(event: BridgeSaid, run: Execution, tools: Tools) -> bool:
    """False: the bot cannot react there, or none of the marks is accepted."""
    adapter = run.target.adapter
    if not isinstance(adapter, Reacts) or not event.about:
        return False
    copy = Copy(chat_id=run.target.chat.chat_id, message_ids=(event.about,))
    await tools.sender.begin(run)
    for emoji in event.marks:
        here = () if event.unmark else (emoji,)
        outbound = OutboundReaction(
            copy=copy, wanted=here, added=here, removed=(emoji,) if event.unmark else (), token=tools.sender.token(run, 0)
        )
        try:
            await throttled_calls.react(adapter, outbound, run)
        except Rejected:
            continue
        if not event.unmark:
            return True
    return event.unmark
