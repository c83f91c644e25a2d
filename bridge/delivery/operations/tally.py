"""The tally: a line below a message that lists reactions which the target cannot show natively, or should not.

It is a separate message, posted once without a notification, edited when the reactions change, and deleted with the last of them
or with its message. Once posted, it lists all reactions of people elsewhere, so that it is complete by itself."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery import throttled_calls
from bridge.delivery.copies import carried_by, first_id
from bridge.delivery.execution import Execution
from bridge.delivery.operations.copies import edit_copy, new_receipt, part_gone
from bridge.delivery.operations.further import further_sent, send_further
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import TALLY_PART, Change, Link, ReactedWith, StoredPart
from bridge.model.adapter import Copy, Deletes, Edits, Reply
from bridge.model.capabilities import Feature
from bridge.model.errors import MessageGone
from bridge.model.events import Author
from bridge.render.degrade import degrade
from bridge.render.message import Part
from bridge.render.notices import Tallied, tally_line


async def keep_tally(
    held: Sequence[ReactedWith], link: Link, copy: Copy, adapter: Edits, run: Execution, tools: Tools
) -> Sequence[Change]:
    """Update the line to the current reactions. Returns the state to record. Raises what the adapter raises."""
    gone: list[Change] = []
    if link.tally is not None:
        try:
            return await _follow(link.tally, held, link, adapter, run, tools)
        except MessageGone:  # the line was deleted on the platform
            gone = [part_gone(link, TALLY_PART, run)]
    if not held:
        return gone
    part = _part(held, link, copy, run, tools)
    await run.context.record(gone)
    receipt = await send_further(part, TALLY_PART, run, tools)
    sent = new_receipt(link, link.event_seq, TALLY_PART, receipt, carried_by(part), run, tools)
    await run.context.record([sent])
    further_sent(run.delivery)
    if receipt.message_ids:
        tools.shown_tallies.remember((run.target.chat.chat_id, receipt.message_ids[0]), part.text)
    return []


async def _follow(
    standing: StoredPart, held: Sequence[ReactedWith], link: Link, adapter: Edits, run: Execution, tools: Tools
) -> Sequence[Change]:
    copy = standing.copy
    if not held and isinstance(adapter, Deletes):
        await throttled_calls.delete(adapter, copy, run)
        return [part_gone(link, TALLY_PART, run)]
    part, place = _part(held, link, copy, run, tools), (copy.chat_id, first_id(copy))
    if tools.shown_tallies.says(place, part.text):
        return []
    edited = await edit_copy(TALLY_PART, copy, part, standing.carried, adapter, run, tools)
    tools.shown_tallies.remember(place, part.text)
    return [] if edited is None else [new_receipt(link, link.event_seq, TALLY_PART, *edited, run, tools)]


def _part(held: Sequence[ReactedWith], link: Link, copy: Copy, run: Execution, tools: Tools) -> Part:
    here = copy.chat_id == run.target.chat.chat_id
    points = here and run.target.capabilities.native(Feature.REPLY)
    tallied = [Tallied(one.emoji, one.people, _names(one, run, tools)) for one in held]
    text = tally_line(tallied, of="" if points else link.author_name)
    return Part(
        text=degrade(text, run.target.capabilities, {}),
        reply=Reply(message_id=first_id(copy), thread_id=copy.thread_id) if points else None,
        previews=False,
        silent=True,
    )


def _names(held: ReactedWith, run: Execution, tools: Tools) -> tuple[str, ...]:
    """Of those who reacted so, where the end wants names; a person who is to be named nowhere is only counted."""
    if not run.target.options.reactions_names:
        return ()
    names = (tools.renderer.name_of(one.account, Author(user_id=one.user_id, name=one.name)) for one in held.named)
    return tuple(filter(None, names))
