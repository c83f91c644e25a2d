"""Polls: as the bot posts them, and their end.

The bot posts them and not a webhook: nobody can end a webhook's poll [#ghostty-org/discord-bot#165]. Its text then names the
author. Source: API reference, poll resource, August 2026."""

from __future__ import annotations

import math
from datetime import datetime

from adapters.discord.errors import INVALID_FORM, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, Refused
from adapters.discord.outbound import bodies
from adapters.discord.transport import Route, Transport
from bridge.model.adapter import Copy
from bridge.model.errors import ChangeRefused, MessageGone, PollRejected
from bridge.model.events import Poll

LONGEST_H = 768
SEND_POLLS = 1 << 49
"""The permission "Create Polls". Source: discord.py 2.7.1, permissions.py."""
POLL_EXPIRED = 520001
POLL_CODES = frozenset({520000, POLL_EXPIRED, 520002, 520003, 520004, 520006})
"""Codes about polls: voting is blocked, it has expired, the channel's type has no polls, a poll cannot be edited, an emoji in it
cannot be used, the message has no poll. Source: the tables of Discord's codes in public libraries (Discord.Net, discord-api-types),
compared on 2026-11-27. None has 520005, which is handled as any code that is not known: the message is refused."""


def poll_body(poll: Poll, now: datetime) -> bodies.PollBody:
    """Discord's polls have an end, in whole hours: it is the next hour after the poll's own. Raises PollRejected for one that is
    over."""
    hours = LONGEST_H
    if poll.closes_at is not None:
        left_s = (poll.closes_at - now).total_seconds()
        if left_s <= 0:
            raise PollRejected("the poll is over")
        hours = min(max(math.ceil(left_s / 3600), 1), LONGEST_H)
    return {
        "question": {"text": poll.question},
        "answers": [{"poll_media": {"text": option.text}} for option in poll.options],
        "duration": hours,
        "allow_multiselect": poll.multiple,
        "layout_type": 1,
    }


def is_about_poll(refused: Refused) -> bool:
    """Whether a message with a poll was refused for the poll."""
    fields = refused.refusal.fields
    if refused.code == INVALID_FORM:
        return any(field.startswith("poll") for field in fields)
    return refused.code in POLL_CODES or refused.code == MISSING_PERMISSIONS


async def close_poll(transport: Transport, copy: Copy) -> None:
    """See `bridge.model.abilities.ClosesPolls`."""
    path = f"/channels/{copy.thread_id or copy.chat_id}/polls"
    try:
        await transport.call(Route("POST", f"{path}/{copy.message_ids[0]}/expire", f"{path}/expire"))
    except Refused as refused:
        if refused.code == POLL_EXPIRED:
            return
        if refused.code in (UNKNOWN_MESSAGE, UNKNOWN_CHANNEL):
            raise MessageGone(str(refused)) from None
        if refused.code in POLL_CODES or refused.code == MISSING_PERMISSIONS:
            raise ChangeRefused(str(refused)) from None
        raise refused.error from None
