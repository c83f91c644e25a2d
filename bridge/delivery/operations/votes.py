"""Votes on a poll: a copy that is text shows the votes of all chats; below a native poll, a line shows those cast elsewhere. Once
the original is closed, its native copies are closed too.

What is shown is what is known when it is shown, not what the event says: so a repetition does no harm, and a few changes can become
one (`tally_pace`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from bridge.delivery import throttled_calls
from bridge.delivery.copies import carried_by, copy_here, first_id
from bridge.delivery.execution import Execution
from bridge.delivery.operations.copies import edit_copy, new_receipt, part_gone
from bridge.delivery.operations.edit import edit_copies_of
from bridge.delivery.operations.further import further_sent, send_further
from bridge.delivery.operations.react import messages_here
from bridge.delivery.operations.tools import Tools
from bridge.delivery.tally_pace import Shown, Turn
from bridge.journal.contract import VOTES_PART, Change, KnownPoll, Link
from bridge.model.abilities import ClosesPolls
from bridge.model.adapter import Copy, Edits, Reply
from bridge.model.capabilities import Feature
from bridge.model.errors import ChangeRefused, MessageGone, Rejected
from bridge.model.events import MessageEdited, Poll, PollVotesChanged
from bridge.model.outcomes import Skip
from bridge.model.refs import MessageRef
from bridge.render.degrade import degrade
from bridge.render.message import Part
from bridge.render.notices import votes_line
from bridge.render.polls import counted


async def votes(event: PollVotesChanged, run: Execution, tools: Tools) -> Sequence[Change]:
    link = await tools.link(event.message_id, run)
    copy = copy_here(link, run.target)
    if link is None or copy is None:
        return [run.skipped(Skip.VOTES_WITHOUT_COPY)]
    if tools.turn(Shown.VOTES, link, run) is Turn.SHOWN_LATER:
        return [run.skipped(Skip.VOTES_SHOWN_LATER)]
    known = await tools.journal.poll(link.event_seq)
    if known is None or known.created.content.poll is None:
        return [run.skipped(Skip.POLL_UNKNOWN)]
    run.delivery.at_former_chat, run.delivery.posts_further = copy.chat_id != run.target.chat.chat_id, False
    if link.copies and not any(sent.carried.poll for sent in link.copies):
        changes = await edit_copies_of(link, _as_edit(known), run, tools)
    else:
        changes = await _of_native(known, link, copy, run, tools)
    tools.changed(Shown.VOTES, link, run)
    return changes


# -- a copy that is text ----------------------------------------------------------------------------------------------------


def _as_edit(known: KnownPoll) -> MessageEdited:
    """The message as its author wrote it, with the votes of all chats."""
    created = known.created
    content = msgspec.structs.replace(created.content, poll=_elsewhere(known, not_on=()))
    return MessageEdited(meta=created.meta, message_id=created.message_id, content=content)


# -- a native poll ----------------------------------------------------------------------------------------------------------


async def _of_native(known: KnownPoll, link: Link, copy: Copy, run: Execution, tools: Tools) -> Sequence[Change]:
    refused: Rejected | None = None
    await tools.sender.begin(run)
    if _is_closed(known) and link.copies:
        try:
            await _close(link, run)
        except MessageGone as error:
            return [run.refused(Skip.EDIT_REFUSED, error)]
        except ChangeRefused as error:
            refused = error
    adapter = run.target.adapter
    if not isinstance(adapter, Edits):  # a line for each vote would be worse than none
        return [run.skipped(Skip.CANNOT_EDIT)]
    poll = _elsewhere(known, not_on=messages_here(link, run.pending.target.account))
    changes: Sequence[Change] = ()
    if link.votes is not None or any(option.votes for option in poll.options):
        try:
            changes = await _keep_line(poll, link, copy, adapter, run, tools)
        except (ChangeRefused, MessageGone) as error:
            refused = refused or error
    return [*changes, run.refused(Skip.EDIT_REFUSED, refused) if refused else run.delivered()]


async def _close(link: Link, run: Execution) -> None:
    adapter = run.target.adapter
    if isinstance(adapter, ClosesPolls):
        for sent in link.copies:
            if sent.carried.poll:
                await throttled_calls.close_poll(adapter, sent.copy, run)


async def _keep_line(poll: Poll, link: Link, copy: Copy, adapter: Edits, run: Execution, tools: Tools) -> Sequence[Change]:
    """Post the line, or edit it. Returns the state to record."""
    part = _line(poll, link, copy, run)
    if link.votes is not None:
        standing = link.votes
        where = (standing.copy.chat_id, first_id(standing.copy))
        if tools.shown_tallies.says(where, part.text):
            return []
        try:
            edited = await edit_copy(VOTES_PART, standing.copy, part, standing.carried, adapter, run, tools)
        except MessageGone:  # the line was deleted on the platform
            await run.context.record([part_gone(link, VOTES_PART, run)])
        else:
            tools.shown_tallies.remember(where, part.text)
            return [] if edited is None else [new_receipt(link, link.event_seq, VOTES_PART, *edited, run, tools)]
    receipt = await send_further(part, VOTES_PART, run, tools)
    await run.context.record([new_receipt(link, link.event_seq, VOTES_PART, receipt, carried_by(part), run, tools)])
    further_sent(run.delivery)
    if receipt.message_ids:
        tools.shown_tallies.remember((run.target.chat.chat_id, receipt.message_ids[0]), part.text)
    return []


def _line(poll: Poll, link: Link, copy: Copy, run: Execution) -> Part:
    points = copy.chat_id == run.target.chat.chat_id and run.target.capabilities.native(Feature.REPLY)
    return Part(
        text=degrade(votes_line(poll, of="" if points else link.author_name), run.target.capabilities, {}),
        reply=Reply(message_id=first_id(copy), thread_id=copy.thread_id) if points else None,
        previews=False,
        silent=True,
    )


# -- what is known ----------------------------------------------------------------------------------------------------------


def _original(known: KnownPoll) -> MessageRef:
    return MessageRef(known.created.meta.origin, known.created.message_id)


def _is_closed(known: KnownPoll) -> bool:
    """Only where the poll was posted first it is closed for all: a copy may end earlier, by the limits of its platform."""
    return any(one.closed and one.message == _original(known) for one in known.votes)


def _elsewhere(known: KnownPoll, *, not_on: Collection[MessageRef]) -> Poll:
    """The poll with the votes cast on its messages, but for these."""
    poll, original = known.created.content.poll, _original(known)
    assert poll is not None
    counts = {one.message: one.votes for one in known.votes}
    counts.setdefault(original, tuple(option.votes or 0 for option in poll.options))
    return counted(poll, [votes for message, votes in counts.items() if message not in not_on], closed=_is_closed(known))
