"""Compares a reading of a chat's history with earlier ones: new, edited and deleted messages. Pure; used by `catch_up`.

Two ways, as the dialect states. `after`: a page of messages behind a known one; edits and deletes are found by comparing the latest
messages with what they were. `since`: everything that changed since a moment, as the server itself knows it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from adapters.teamspirit.inbound.decodings import Decodings
from adapters.teamspirit.inbound.readings import Reading, expected_in, in_order
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
UNREAD = "?"
"""Begins the version of what is a place to read on from and no message: an item whose id alone could be read, or a deleted one.
Versions of messages are hexadecimal."""
_GONE = f"{UNREAD}deleted"
_MOST_UNKNOWN_REMEMBERED = 1000

Problem = tuple[str, str]
"""What is wrong with a server's history, and what a human should do."""


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where we are in one chat; stored as the chat's cursor.

    `seen` are (id, version) of the latest items of the chat, oldest first. Of some only the id could be read: they are places
    to read on from like any other. For `after`, the first one is where reading the latest again goes on from; only the others are
    compared. It is START while all that was ever said is among them."""

    seen: tuple[tuple[str, str], ...] = ()
    at_ms: int = 0
    """Time of the latest message or, for `since`, of the latest change."""
    unknown: tuple[str, ...] = ()
    """Digests of the latest items that could not be read and are not among `seen`, so that each is kept once."""


@dataclass
class Found:
    """The result of one reading of the history."""

    state: State
    events: list[ChatEvent] = field(default_factory=list)
    unknown: list[tuple[bytes, str]] = field(default_factory=list)
    missing: frozenset[str] = frozenset()
    """Messages that were not where they had been, for the first time: only the second time they count as deleted."""
    full: bool = False
    """As many items as the server gives at once: there may be more."""
    more: bool = False
    """There may be more, and the place to read on from has moved."""
    place: int = -1
    """With `more`: where in `state.seen` to read on from, -1 for the last one."""
    problem: Problem | None = None
    """Why what is missing cannot be told."""


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
        self._longest_newest = 0
        decodings.make_room(window + history.page_size)

    def first(self, readings: Sequence[Reading], *, whole: bool, since: datetime | None = None) -> State:
        """The state of a chat that was never read before: what was said before `since`, when the bridge was told of the chat, is no
        news; what comes after it is left to be read (None: nothing is news). `readings` are its latest items, `whole` tells that
        there are no others."""
        count = _before(readings, since)
        if not count and readings and self.history.by == "after" and not whole:
            # a place to read on from
            count = next((at for at, one in enumerate(readings, 1) if one.message_id), 1)
        before = readings[:count]
        entries = {START: ""} if whole and self.history.by == "after" else {}
        for one in before:
            if one.message_id and (self.history.by == "after" or (one.message is not None and not one.is_deleted)):
                entries[one.message_id] = _version(one)
        digests = dict.fromkeys(one.digest for one in before if one.message is None and one.message_id not in entries)
        at_ms = self._latest_ms(0, before)
        if since is not None and readings and not count:
            # there may be others further back
            at_ms = in_ms(since) - 1 + (OVERLAP_MS if self.history.by == "since" else 0)
        return self._state(entries, at_ms, digests)

    def after(
        self,
        state: State,
        readings: Sequence[Reading],
        start: int,
        now: datetime,
        *,
        missing: frozenset[str],
        missing_before: frozenset[str],
    ) -> Found:
        """What the page behind `state.seen[start]` says; -1: a page without `after`, as the server knows none of the seen ones.
        `missing`: of the seen ones, those that it should hold and does not."""
        found = Found(state, full=self.is_full(readings), missing=missing - missing_before)
        entries = dict(state.seen) if start >= 0 else {}
        for one in readings:
            before = entries.get(one.message_id)
            if one.message is None or one.is_deleted:
                if one.message_id and (one.is_deleted or before is None or not is_read(before)):
                    entries[one.message_id] = _version(one)
                if one.is_deleted and is_read(before or UNREAD):
                    found.events.append(self.decoder.deleted(self.chat_id, one.message_id, now))
                continue
            entries[one.message_id] = one.message.version
            if one.message.system:
                if before is None and (start >= 0 or one.changed_ms > state.at_ms):
                    self._tell(found, one.message, now)
                continue
            if before == one.message.version:
                continue
            if before is not None and is_read(before):
                found.events.append(self._edited(one.message, now))
            elif before is not None or start >= 0 or one.changed_ms > state.at_ms:
                found.events.append(self.decoder.created(one.message, now))
        for gone in (gone for gone, _ in state.seen if gone in missing & missing_before):
            if is_read(entries.pop(gone)):
                found.events.append(self.decoder.deleted(self.chat_id, gone, now))
        if start >= 0:
            # an item without an id has no place: START is no id of an item
            page = [reading.message_id for reading in readings if reading.message_id]
            entries = {one: entries[one] for one in in_order(list(dict(state.seen)), entries, page)}
        self._finish(found, state, entries, readings)
        order = [one for one, _ in found.state.seen]
        last = last_id(readings)
        if found.full and last in dict(state.seen) and last in order:
            found.place = order.index(last)
        asked_from = state.seen[start][0] if start >= 0 else None
        found.more = found.full and bool(order) and order[found.place] != asked_from
        return found

    def since(self, state: State, readings: Sequence[Reading], now: datetime) -> Found:
        """What the changes since `state.at_ms` say. A known version is no news; an unknown message is new if it was sent since."""
        found = Found(state, full=self.is_full(readings))
        entries = dict(state.seen)
        from_ms = state.at_ms - OVERLAP_MS
        for one in readings:
            before = entries.pop(one.message_id, None)
            if one.message is None and not (one.is_deleted and one.message_id):
                if before is not None:
                    entries[one.message_id] = before
                continue
            if one.message is not None and one.is_system:
                if one.changed_ms > from_ms:  # twice perhaps, which its key shows; it is not worth a place
                    self._tell(found, one.message, now)
                continue
            version = entries[one.message_id] = _DELETED if one.is_deleted else _version(one)
            if before == version:
                continue
            sent_ms = in_ms(one.sent_at) if one.sent_at else state.at_ms
            if one.message is None or one.is_deleted:
                if before is not None or sent_ms <= state.at_ms:
                    found.events.append(self.decoder.deleted(self.chat_id, one.message_id, now))
            elif before is not None or sent_ms <= from_ms < _last_edit_ms(one.message):
                found.events.append(self._edited(one.message, now))
            elif sent_ms > from_ms:
                found.events.append(self.decoder.created(one.message, now))
        self._finish(found, state, entries, readings)
        found.more = found.full and found.state.at_ms > state.at_ms
        if found.full and not found.more:
            # so much changed at once that the overlap fills the page: on without it, else nothing that follows was ever read
            latest_ms = self._latest_ms(0, readings)
            at_ms = max(state.at_ms + 1, latest_ms + OVERLAP_MS - 1)
            found.more = at_ms > state.at_ms + 1
            found.state = msgspec.structs.replace(found.state, at_ms=at_ms)
        return found

    def missing(self, state: State, start: int, readings: Sequence[Reading]) -> frozenset[str]:
        """Seen messages that the page behind `state.seen[start]` should hold and does not."""
        if start < 0 or self.history.deletes != "missing":
            return frozenset()
        full = self.is_full(readings)
        if state.seen[start][0] == START and self.history.without_after == "newest":
            # a newest page that is full does not reach back to all that was seen; a server may call fewer items a full page
            self._longest_newest = max(self._longest_newest, len(readings))
            if full or len(readings) == self._longest_newest:
                return frozenset()
        seen = [one for one, _ in state.seen[start + 1 :]]
        here = {reading.message_id for reading in readings}
        expected = expected_in(readings, seen, state.at_ms) if full else seen
        return frozenset(one for one in expected if one not in here)

    def is_full(self, readings: Sequence[Reading]) -> bool:
        """As many items as the server gives at once, by its dialect: there may be more."""
        return len(readings) >= self.history.page_size

    # -- parts --------------------------------------------------------------------------------------------------------------

    def _tell(self, found: Found, notice: NativeMessage, now: datetime) -> None:
        if (event := self.decoder.notice(notice, now)) is not None:
            found.events.append(event)

    def _edited(self, message: NativeMessage, now: datetime) -> ChatEvent:
        """Each change that is found is accepted once, together with the cursor that knows it: it needs no key of the server's."""
        return self.decoder.edited(message, now, told=now.isoformat())

    def _finish(self, found: Found, state: State, entries: dict[str, str], readings: Sequence[Reading]) -> None:
        digests, seen = dict.fromkeys(state.unknown), dict(state.seen)
        for one in readings:
            version = _version(one)
            if one.message is not None or version == _GONE:
                continue
            if one.digest not in digests and seen.get(one.message_id) != version:
                found.unknown.append((json.dumps(one.item).encode(), one.problem))
                if entries.get(one.message_id) != version:
                    digests[one.digest] = None
        found.state = self._state(entries, self._latest_ms(state.at_ms, readings), digests)

    def _latest_ms(self, at_ms: int, readings: Sequence[Reading]) -> int:
        return max([at_ms, *(one.changed_ms for one in readings if one.changed_ms <= self.horizon_ms)])

    def _state(self, entries: dict[str, str], at_ms: int, digests: dict[str, None]) -> State:
        seen = tuple(entries.items())[-(self.window + _PLACES) :]
        remembered = min(self.window + self.history.page_size, _MOST_UNKNOWN_REMEMBERED)
        return State(seen=seen, at_ms=at_ms, unknown=tuple(digests)[-remembered:])


def last_id(readings: Sequence[Reading]) -> str:
    """Id of the last item that has one; empty if none has."""
    return next((one.message_id for one in reversed(readings) if one.message_id), "")


def _before(readings: Sequence[Reading], since: datetime | None) -> int:
    """How many of the items, oldest first, were said before that moment."""
    for count, one in enumerate(readings if since is not None else ()):
        if one.sent_at is not None and since is not None and one.sent_at >= since:
            return count
    return len(readings)


def is_read(version: str) -> bool:
    """Whether it is the version of a message, and not of an item that could not be read."""
    return not version.startswith(UNREAD)


def _version(one: Reading) -> str:
    if one.is_deleted and one.message_id:
        return _GONE
    return one.message.version if one.message is not None else UNREAD + one.digest


def _last_edit_ms(message: NativeMessage) -> int:
    """0 if it was never edited. Of a message with cards every change may be one."""
    edited_at = message.edited_at or (message.updated_at if message.has_cards else None)
    return in_ms(edited_at) if edited_at else 0
