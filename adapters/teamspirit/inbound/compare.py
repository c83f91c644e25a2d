"""Compares a reading of a chat's history with earlier ones: new, edited and deleted messages. Pure; used by `catch_up`.

Two ways, as the dialect states. `after`: a page of messages behind a known one; edits and deletes are found by comparing the latest
messages with what they were. `since`: everything that changed since a moment, as the server itself knows it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.common.queries import find_text
from adapters.teamspirit.inbound.decodings import Decodings, digest
from adapters.teamspirit.wire import NativeMessage, in_ms
from bridge.model.events import ChatEvent

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import History

OVERLAP_MS = 2000
"""How far `since` reads back over what was read: changes may become visible a little out of order."""
START = ""
"""Stands for the beginning of a chat, where nothing comes before its first message."""
_PLACES = 3
"""Messages remembered beyond those that are compared: places to read on from. One would do, if no server forgot deleted ones."""
_FOR_EVER_MS = 2**62
_DELETED = "deleted"
_UNKNOWN_REMEMBERED = 20


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where we are in one chat; stored as the chat's cursor.

    `seen` are (id, version) of the latest messages, oldest first. For `after`, the first one is where reading the latest again goes
    on from; only the others are compared. It is START while all that was ever said is among them."""

    seen: tuple[tuple[str, str], ...] = ()
    at_ms: int = 0
    """Time of the latest message or, for `since`, of the latest change."""
    unknown: tuple[str, ...] = ()
    """Digests of the latest items that could not be read, so that each is kept once."""


@dataclass
class Found:
    """The result of one reading of the history."""

    state: State
    events: list[ChatEvent] = field(default_factory=list)
    unknown: list[tuple[bytes, str]] = field(default_factory=list)
    missing: frozenset[str] = frozenset()
    """Messages that were not where they had been, for the first time: only the second time they count as deleted."""
    more: bool = False
    place: int = -1
    """With `more`: where in `state.seen` to read on from, -1 for the last one."""


class Compare:
    """For one chat. `window` is how many of the latest messages are remembered."""

    def __init__(self, decodings: Decodings, history: History, chat_id: str, window: int) -> None:
        self.decodings = decodings
        self.decoder = decodings.decoder
        self.history = history
        self.chat_id = chat_id
        self.window = window
        self.horizon_ms = _FOR_EVER_MS
        """Times of the server beyond this are none: they would hide everything that follows."""
        decodings.make_room(window + history.page_size)

    def first(self, items: Sequence[Any], *, whole: bool, since: datetime | None = None) -> State:
        """The state of a chat that was never read before: what was said before `since`, when the bridge was told of the chat, is no
        news; what comes after it is left to be read (None: nothing is news). `items` are its latest ones, `whole` tells that
        there are no others."""
        count = self._before(items, since)
        if not count and items and self.history.by == "after" and not whole:
            count = 1  # a place to read on from
        messages, unknown = self._decoded(items[:count])
        entries = {START: ""} if whole and self.history.by == "after" else {}
        entries.update({message.message_id: message.version for message in messages if not message.deleted})
        digests = dict.fromkeys(digest(item) for item, _ in unknown)
        at_ms = max((at_ms for at_ms in map(_changed_ms, messages) if at_ms <= self.horizon_ms), default=0)
        if since is not None and items and not count:
            # there may be others further back
            at_ms = in_ms(since) - 1 + (OVERLAP_MS if self.history.by == "since" else 0)
        return self._state(entries, at_ms, digests)

    def _before(self, items: Sequence[Any], since: datetime | None) -> int:
        """How many of the items, oldest first, were said before that moment."""
        for count, item in enumerate(items):
            message = self.decodings.read(item, self.chat_id)
            if since is not None and not isinstance(message, str) and message.sent_at is not None and message.sent_at >= since:
                return count
        return len(items)

    def after(self, state: State, items: Sequence[Any], start: int, now: datetime, *, missing_before: frozenset[str]) -> Found:
        """What the page behind `state.seen[start]` says; -1: a page without `after`, as the server knows none of the seen ones."""
        messages, unknown = self._decoded(items)
        found = Found(state, more=len(items) >= self.history.page_size)
        entries = dict(state.seen) if start >= 0 else {}
        for message in messages:
            one, before = message.message_id, entries.get(message.message_id)
            if message.deleted:
                if entries.pop(one, None) is not None:
                    found.events.append(self.decoder.deleted(self.chat_id, one, now))
                continue
            entries[one] = message.version
            if message.system or before == message.version:
                continue
            if before is not None:
                found.events.append(self.decoder.edited(message, now))
            elif start >= 0 or _changed_ms(message) > state.at_ms:
                found.events.append(self.decoder.created(message, now))
        # a full newest page does not reach back to all that was seen
        newest = start >= 0 and state.seen[start][0] == START and self.history.without_after == "newest"
        if start >= 0 and not (newest and found.more) and self.history.deletes == "missing":
            missing = self._missing(state, start, messages, full=found.more)
            found.missing = missing - missing_before
            for one in (one for one, _ in state.seen if one in missing & missing_before):
                del entries[one]
                found.events.append(self.decoder.deleted(self.chat_id, one, now))
        self._finish(found, state, entries, messages, unknown)
        if found.more and messages and messages[-1].message_id in dict(state.seen):
            order = [one for one, _ in found.state.seen]
            found.place = order.index(messages[-1].message_id) if messages[-1].message_id in order else -1
        return found

    def since(self, state: State, items: Sequence[Any], now: datetime) -> Found:
        """What the changes since `state.at_ms` say. A known version is no news; an unknown message is new if it was sent since."""
        messages, unknown = self._decoded(items)
        found = Found(state)
        entries = dict(state.seen)
        from_ms = state.at_ms - OVERLAP_MS
        for message in messages:
            one, sent_ms = message.message_id, in_ms(message.sent_at) if message.sent_at else state.at_ms
            before = entries.pop(one, None)
            version = entries[one] = _DELETED if message.deleted else message.version
            if message.system or before == version:
                continue
            if message.deleted:
                if before is not None or sent_ms <= state.at_ms:
                    found.events.append(self.decoder.deleted(self.chat_id, one, now))
            elif before is not None or sent_ms <= from_ms < _last_edit_ms(message):
                found.events.append(self.decoder.edited(message, now))
            elif sent_ms > from_ms:
                found.events.append(self.decoder.created(message, now))
        self._finish(found, state, entries, messages, unknown)
        found.more = len(items) >= self.history.page_size and found.state.at_ms > state.at_ms
        return found

    def last_id(self, items: Sequence[Any]) -> str:
        """Id of the last item that has one; empty if none has."""
        for item in reversed(items):
            if found := find_text(self.decoder.dialect.message_fields.message_id, item):
                return found
        return ""

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _decoded(self, items: Sequence[Any]) -> tuple[list[NativeMessage], list[tuple[Any, str]]]:
        messages: list[NativeMessage] = []
        unknown: list[tuple[Any, str]] = []
        for item in items:
            found = self.decodings.read(item, self.chat_id)
            if isinstance(found, str):
                unknown.append((item, found))
            else:
                messages.append(found)
        return messages, unknown

    def _missing(self, state: State, start: int, messages: Sequence[NativeMessage], *, full: bool) -> frozenset[str]:
        """Seen messages that the page should hold and does not. If a full page ends with a seen one, those behind that may be on
        the next page."""
        expected = [one for one, _ in state.seen[start + 1 :]]
        here = {message.message_id for message in messages}
        if full and messages and messages[-1].message_id in expected:
            expected = expected[: expected.index(messages[-1].message_id)]
        return frozenset(one for one in expected if one not in here)

    def _finish(
        self,
        found: Found,
        state: State,
        entries: dict[str, str],
        messages: Sequence[NativeMessage],
        unknown: Sequence[tuple[Any, str]],
    ) -> None:
        digests = dict.fromkeys(state.unknown)
        for item, reason in unknown:
            one = digest(item)
            if one not in digests:
                digests[one] = None
                found.unknown.append((json.dumps(item).encode(), reason))
        changed = [at_ms for at_ms in map(_changed_ms, messages) if at_ms <= self.horizon_ms]
        found.state = self._state(entries, max([state.at_ms, *changed]), digests)

    def _state(self, entries: dict[str, str], at_ms: int, digests: dict[str, None]) -> State:
        seen = tuple(entries.items())[-(self.window + _PLACES) :]
        return State(seen=seen, at_ms=at_ms, unknown=tuple(digests)[-_UNKNOWN_REMEMBERED:])


def _changed_ms(message: NativeMessage) -> int:
    """0 if the server does not say."""
    changed_at = message.updated_at or message.sent_at
    return in_ms(changed_at) if changed_at else 0


def _last_edit_ms(message: NativeMessage) -> int:
    """0 if it was never edited. Of a message with cards every change may be one."""
    edited_at = message.edited_at or (message.updated_at if message.has_cards else None)
    return in_ms(edited_at) if edited_at else 0
