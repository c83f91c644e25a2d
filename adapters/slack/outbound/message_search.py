"""Searches for our message in its channel and threads when it is unknown whether it was posted. Called by `reconcile`.

Our token is in the message's metadata and in the id of its block, and counts only on a message of ours: anybody may write both.
A file share without text has neither: it is recognised by being ours, unknown to the bridge, and having files of the same names and
sizes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from adapters.slack.errors import MissingScope
from adapters.slack.identity import Identity
from adapters.slack.lenient import convert, next_cursor, objects
from adapters.slack.outbound import receipt_notes
from adapters.slack.transport import Transport
from adapters.slack.wire import Message
from bridge.model.adapter import Outbound, Receipt
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.errors import DeliveryError, RetryLater

_SHARE_WAITS_S = (0.0, 1.0, 2.0, 4.0)
"""When to look for a file share: Slack makes the message some time after it took the request."""
_PAGE = 200
_MAX_PAGES = 25


@dataclass(frozen=True, slots=True)
class Window:
    """From where to look, as `ts`. Nothing before `oldest` can be the message; nothing before `likely` is, unless a clock was
    wrong. Empty: not known, so there is no such bound."""

    oldest: str = ""
    likely: str = ""


async def find_delivery(
    transport: Transport,
    identity: Identity,
    outbound: Outbound,
    window: Window,
    known_ids: Collection[str] = (),
    clock: Clock = SYSTEM_CLOCK,
) -> Receipt | None:
    """The receipt of a message that was posted after all; None if it surely was not. `known_ids`: messages that the bridge knows,
    which are others. Raises RetryLater if it cannot be told now, MissingScope if never."""
    search = _Search(transport, identity, outbound, window, known_ids)
    threads: set[str | None] = {outbound.thread_id}
    if outbound.reply is not None:
        threads |= {outbound.reply.thread_id, outbound.reply.message_id}
    places = sorted(thread for thread in threads if thread)
    try:
        for wait_s in _SHARE_WAITS_S if outbound.files else (0.0,):
            await clock.sleep(wait_s)
            for place in [*places, ""]:
                found = await (search.thread(place) if place else search.channel())
                if found is not None:
                    return found
    except (RetryLater, MissingScope):
        raise
    except DeliveryError as error:
        raise RetryLater(f"cannot look whether the message arrived: {error.reason}") from error
    return None


class _Search:
    def __init__(
        self, transport: Transport, identity: Identity, outbound: Outbound, window: Window, known_ids: Collection[str]
    ) -> None:
        self._transport = transport
        self._identity = identity
        self._outbound = outbound
        self._window = window
        self._known_ids = known_ids

    async def channel(self) -> Receipt | None:
        """A channel's history comes newest first: read until what is too old."""
        cursor, last = "", ""
        for _ in range(_MAX_PAGES):
            messages, cursor = await self._page("conversations.history", {}, cursor)
            for message in messages:
                last = message.ts
                if last < self._window.oldest:
                    return None
                if self._is_it(message):
                    return self._receipt(message)
            if not cursor:
                return None
        if last and last < self._window.likely:
            return None  # only the margin is left
        raise RetryLater("too many messages to look whether ours arrived")

    async def thread(self, thread_ts: str) -> Receipt | None:
        """A thread comes oldest first: begin where ours may be."""
        cursor = ""
        for _ in range(_MAX_PAGES):
            messages, cursor = await self._page(
                "conversations.replies", {"ts": thread_ts, "oldest": self._window.oldest or None}, cursor
            )
            for message in messages:
                if message.ts >= self._window.oldest and self._is_it(message):
                    return self._receipt(message)
            if not cursor:
                return None
        raise RetryLater("too many replies to look whether ours arrived")

    async def _page(self, method: str, place: dict[str, str | None], cursor: str) -> tuple[list[Message], str]:
        arguments = {"channel": self._outbound.chat_id, "limit": _PAGE, "include_all_metadata": True, "cursor": cursor or None}
        answer = await self._transport.call(method, {**arguments, **place}, tolerate=("thread_not_found", "message_not_found"))
        found: list[Message] = []
        for entry in objects(answer.get("messages")):
            try:
                found.append(convert(entry, Message))
            except msgspec.ValidationError:
                continue
        return found, next_cursor(answer)

    def _receipt(self, message: Message) -> Receipt:
        thread = message.thread_ts if message.thread_ts != message.ts else None
        is_named = self._outbound.sender is not None and not message.username
        notes = receipt_notes.pack((file.id for file in message.files or ()), is_named=is_named)
        return Receipt(message_ids=(message.ts,), thread_id=thread, adapter_data=notes)

    def _is_it(self, message: Message) -> bool:
        if not self._identity.owns(message):
            return False
        mark = self._identity.delivery_id(message)
        if mark:
            return mark == self._outbound.token
        if not self._outbound.files or self._outbound.text or message.ts in self._known_ids:
            return False
        is_sized = all(file.size_bytes for file in self._outbound.files)  # of one that is being converted the name must do
        there = sorted((file.title or file.name or "", (file.size or 0) * is_sized) for file in message.files or ())
        return there == sorted((file.name, file.size_bytes * is_sized) for file in self._outbound.files)
