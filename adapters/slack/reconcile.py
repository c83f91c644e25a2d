"""After an unknown outcome: is the message there? Called by `adapter.reconcile`.

Our token is in the message's metadata and in the id of its block. A file share without text has neither: it is recognised by being
ours, later than the attempt, with files of the same names and sizes.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec

from adapters.slack.decode_context import Identity, delivery_id
from adapters.slack.errors import MissingScope
from adapters.slack.payloads import Message
from adapters.slack.transport import Transport
from bridge.contract import Outbound, Receipt
from bridge.errors import DeliveryError, RetryLater

_CLOCK_SLACK = timedelta(seconds=30)
"""Our clock and Slack's may differ by that much."""
NAMED = "named"
"""In `Receipt.via`: the sender's name is part of the text, so it must be in edits as well."""

_SHARE_WAITS_S = (0.0, 1.0, 2.0, 4.0)
"""When to look for a file share: Slack makes the message some time after it took the request."""
_PAGE = 200
_MAX_PAGES = 10


async def find_delivery(transport: Transport, identity: Identity, outbound: Outbound, sent_after: datetime) -> Receipt | None:
    """The receipt of a message that was posted after all; None if it surely was not. Raises RetryLater if that cannot be told now,
    MissingScope if never."""
    since = sent_after - _CLOCK_SLACK
    oldest = f"{int(since.timestamp())}.{since.microsecond:06d}"
    threads: set[str | None] = {outbound.thread_id}
    if outbound.reply is not None:
        threads |= {outbound.reply.thread_id, outbound.reply.message_id}
    places: list[dict[str, str]] = [{"ts": thread} for thread in threads if thread]
    try:
        for wait_s in _SHARE_WAITS_S if outbound.files else (0.0,):
            await asyncio.sleep(wait_s)
            for place in [*places, {}]:
                found = await _search(transport, identity, outbound, oldest, place)
                if found is not None:
                    return found
    except (RetryLater, MissingScope):
        raise
    except DeliveryError as error:
        raise RetryLater(f"cannot look whether the message arrived: {error.reason}") from error
    return None


async def _search(
    transport: Transport, identity: Identity, outbound: Outbound, oldest: str, place: dict[str, str]
) -> Receipt | None:
    method = "conversations.replies" if place else "conversations.history"
    cursor = ""
    for _ in range(_MAX_PAGES):
        arguments = {"channel": outbound.chat_id, "oldest": oldest, "limit": _PAGE, "include_all_metadata": True}
        answer = await transport.call(
            method, {**arguments, **place, "cursor": cursor or None}, tolerate=("thread_not_found", "message_not_found")
        )
        for entry in answer.get("messages") or []:
            try:
                message = msgspec.json.decode(msgspec.json.encode(entry), type=Message)
            except msgspec.DecodeError:
                continue
            if message.ts >= oldest and _is_it(message, identity, outbound):
                thread = message.thread_ts if message.thread_ts != message.ts else None
                named = (NAMED,) if outbound.sender is not None and not message.username else ()
                via = " ".join((*named, *(file.id for file in message.files or ())))
                return Receipt(message_ids=(message.ts,), thread_id=thread, via=via)
        cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            return None
    raise RetryLater("too many messages to look whether ours arrived")


def _is_it(message: Message, identity: Identity, outbound: Outbound) -> bool:
    mark = delivery_id(message)
    if mark:
        return mark == outbound.token
    if not identity.owns(message) or not outbound.files or outbound.text:
        return False
    there = sorted((file.title or file.name or "", file.size or 0) for file in message.files or ())
    return there == sorted((file.name, file.size_bytes) for file in outbound.files)
