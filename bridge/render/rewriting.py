"""Applies the replacements of the target end to a message. Pure; called by `delivery` before rendering."""

from __future__ import annotations

import msgspec

from bridge.model.adapter import Reply
from bridge.model.events import Content
from bridge.model.outcomes import Loss, LossNote, LossOf
from bridge.policy.rewrites import Rewrite, rewritten, rewritten_words


def rewritten_content(content: Content, rewrites: tuple[Rewrite, ...]) -> tuple[Content, tuple[LossNote, ...]]:
    """The message with replaced text, quotes included, and a loss for each rule that was left out."""
    if not rewrites:
        return content, ()
    text, left_out = rewritten(content.text, rewrites)
    reply = content.reply_to
    if reply is not None and reply.excerpt:
        reply = msgspec.structs.replace(reply, excerpt=rewritten_words(reply.excerpt, rewrites))
    losses = tuple(LossOf(Loss.NOT_REWRITTEN, f"{name} was left out: it took too long, or made too much") for name in left_out)
    return msgspec.structs.replace(content, text=text, reply_to=reply), losses


def rewritten_reply(reply: Reply | None, rewrites: tuple[Rewrite, ...]) -> Reply | None:
    if reply is None or not reply.excerpt or not rewrites:
        return reply
    return msgspec.structs.replace(reply, excerpt=rewritten_words(reply.excerpt, rewrites))
