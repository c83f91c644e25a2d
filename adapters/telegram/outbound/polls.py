"""Polls -> sendPoll, and the end of one. Pure but for `close_poll`'s call.

Source: Bot API reference 10.3, sendPoll (description, close_date), stopPoll; refusals: tdlib/telegram-bot-api, tdlib/td."""

from __future__ import annotations

from adapters.telegram import errors
from adapters.telegram.errors import Refused
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call, Json
from bridge.model.adapter import Copy
from bridge.model.errors import MessageGone
from bridge.model.events import Poll

LONGEST_S = 2_628_000
"""The furthest that a close date may be ahead. One that is to be open longer has none: the bridge closes it with the original."""
SOONEST_S = 5
NO_NAMES = "non-anonymous polls"
"""Where only anonymous polls are allowed: channels."""
_CLOSED = "already been closed"
_NO_POLL = ("poll to stop not found", "message to stop", "message_id_invalid")


def poll_call(poll: Poll, place: Json, text: Json) -> Call:
    """`place` and `text` as of a message; the text becomes the poll's description."""
    params: Json = {
        "question": poll.question,
        "options": [{"text": option.text} for option in poll.options],
        "is_anonymous": poll.anonymous,
        "allows_multiple_answers": poll.multiple,
    }
    if text["text"]:
        params["description"] = text["text"]
        if "entities" in text:
            params["description_entities"] = text["entities"]
    if poll.closes_at is not None:
        params["close_date"] = int(poll.closes_at.timestamp())
    return Call("SendPoll", place | params)


async def close_poll(transport: Transport, copy: Copy) -> None:
    """See `bridge.model.abilities.ClosesPolls`."""
    params = {"chat_id": copy.chat_id, "message_id": int(copy.message_ids[0])}
    try:
        await transport.call(Call("StopPoll", params))
    except Refused as refusal:
        if refusal.says(_CLOSED):
            return
        if refusal.says(*_NO_POLL):
            raise MessageGone(refusal.reason) from None
        raise errors.change_fault(refusal) from None
