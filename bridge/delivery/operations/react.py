"""A reaction: the message, or its copy, gets the reactions that people hold elsewhere, and loses those that nobody holds any
more."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.delivery import throttled_calls
from bridge.delivery.copies import copy_here
from bridge.delivery.execution import Execution
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import Change, Link
from bridge.model.adapter import OutboundReaction, Reacts
from bridge.model.errors import Rejected
from bridge.model.events import ReactionsChanged
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatRef, MessageRef


async def react(event: ReactionsChanged, run: Execution, tools: Tools) -> Sequence[Change]:
    link = await tools.link(event.message_id, run)
    copy = copy_here(link, run.target)
    if link is None or copy is None:
        return [run.skipped(Skip.REACTION_WITHOUT_COPY)]
    if not isinstance(run.target.adapter, Reacts):
        return [run.skipped(Skip.CANNOT_REACT)]
    run.delivery.at_former_chat = copy.chat_id != run.target.chat.chat_id
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
    try:
        await throttled_calls.react(run.target.adapter, outbound, run)
    except Rejected as error:
        return [run.refused(Skip.REACTION_REFUSED, error)]
    return [run.delivered()]


async def _wanted(link: Link, run: Execution, tools: Tools) -> dict[str, None]:
    """The reactions that people hold elsewhere on the message, and on those merged with it."""
    account = run.pending.target.account
    merged = await tools.journal.merged(link.event_seq, run.pending.target, link.thread_id) if link.copies else None
    wanted: dict[str, None] = {}
    here = _messages_here(link, account)
    for seq in (link.event_seq, *(piece.event_seq for piece in (merged.pieces if merged else ()))):
        wanted.update(dict.fromkeys(await tools.journal.reactions(seq, not_on=here)))
    return wanted


def _messages_here(link: Link, account: AccountName) -> list[MessageRef]:
    """The native messages that are the copy, or the original itself where there is none."""
    ids = [(sent.copy.chat_id, message_id) for sent in link.copies for message_id in sent.copy.message_ids]
    if not link.copies:
        ids = [(link.original.chat.chat_id, message_id) for message_id in (link.original.message_id, *link.also_ids)]
    return [MessageRef(ChatRef(account, chat_id), message_id) for chat_id, message_id in ids]
