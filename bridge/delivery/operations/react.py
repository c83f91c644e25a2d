"""A reaction: the message, or its copy, gets the reactions that people hold elsewhere, and loses those that nobody holds any
more. What the target cannot show so is in a line below it (`tally`)."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery import throttled_calls
from bridge.delivery.copies import copy_here
from bridge.delivery.execution import Execution
from bridge.delivery.operations.tally import keep_tally
from bridge.delivery.operations.tools import Tools
from bridge.delivery.tally_pace import Shown, Turn
from bridge.journal.contract import Change, Link
from bridge.model.adapter import Copy, Edits, OutboundReaction, Reacts
from bridge.model.errors import MessageGone, Rejected
from bridge.model.events import ReactionsChanged
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.policy.routing import Reactions


async def react(event: ReactionsChanged, run: Execution, tools: Tools) -> Sequence[Change]:
    link = await tools.link(event.message_id, run)
    copy = copy_here(link, run.target)
    if link is None or copy is None:
        return [run.skipped(Skip.REACTION_WITHOUT_COPY)]
    run.delivery.at_former_chat, run.delivery.posts_further = copy.chat_id != run.target.chat.chat_id, False
    adapter, refused = run.target.adapter, list[Rejected]()
    needs_line = link.tally is not None
    if isinstance(adapter, Reacts) and run.target.options.reactions is Reactions.NATIVE:
        try:
            needs_line = bool(await _show(event, link, copy, adapter, run, tools)) or needs_line
        except MessageGone as error:
            return [run.refused(Skip.REACTION_REFUSED, error)]
        except Rejected as error:
            refused.append(error)
            needs_line = True
    else:
        await tools.sender.begin(run)
        needs_line = True
    if not needs_line:
        return [run.delivered()]
    if not isinstance(adapter, Edits):  # a line for each change would be worse than none
        return [run.refused(Skip.REACTION_REFUSED, refused[0]) if refused else run.skipped(Skip.CANNOT_REACT)]
    if tools.turn(Shown.REACTIONS, link, run) is Turn.SHOWN_LATER:
        return [run.skipped(Skip.REACTIONS_SHOWN_LATER)]
    held = await tools.journal.tally(link.event_seq, not_on=messages_here(link, run.pending.target.account))
    try:
        changes = await keep_tally(held, link, copy, adapter, run, tools)
    except Rejected as error:
        return [run.refused(Skip.REACTION_REFUSED, error)]
    tools.changed(Shown.REACTIONS, link, run)
    return [*changes, run.delivered()]


async def _show(event: ReactionsChanged, link: Link, copy: Copy, adapter: Reacts, run: Execution, tools: Tools) -> Sequence[str]:
    """React natively; returns what cannot be shown so."""
    wanted = await _wanted(link, run, tools)
    await tools.sender.begin(run)
    outbound = OutboundReaction(
        copy=copy,
        wanted=tuple(wanted),
        added=tuple(emoji for emoji in event.added if emoji in wanted),
        token=tools.sender.token(run, 0),
        removed=tuple(emoji for emoji in event.removed if emoji not in wanted),
        occurred_at=event.meta.occurred_at,
    )
    return await throttled_calls.react(adapter, outbound, run)


async def _wanted(link: Link, run: Execution, tools: Tools) -> dict[str, None]:
    """The reactions that people hold elsewhere on the message, and on those merged with it."""
    account = run.pending.target.account
    merged = await tools.journal.merged(link.event_seq, run.pending.target, link.thread_id) if link.copies else None
    wanted: dict[str, None] = {}
    here = messages_here(link, account)
    for seq in (link.event_seq, *(piece.event_seq for piece in (merged.pieces if merged else ()))):
        wanted.update(dict.fromkeys(await tools.journal.reactions(seq, not_on=here)))
    return wanted


def messages_here(link: Link, account: AccountName) -> list[MessageRef]:
    """The native messages that are the copy, or the original itself where there is none; and the line about reactions."""
    sent_here = [*link.copies, *(line for line in (link.tally, link.votes) if line is not None)]
    ids = [(sent.copy.chat_id, message_id) for sent in sent_here for message_id in sent.copy.message_ids]
    if not link.copies:
        ids += [(link.original.chat.chat_id, message_id) for message_id in (link.original.message_id, *link.also_ids)]
    return [MessageRef(ChatRef(account, chat_id), message_id) for chat_id, message_id in ids]
