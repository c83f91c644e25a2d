"""Remembers earlier requests: a later request with the same id edits the message, and a repeated request is recognised.

Kept in `Cursor`s, which the core stores together with the events. Each end has a fixed number of them, each of bounded size, so
that a sender cannot fill the memory with invented ids. The oldest entries are dropped first: an update of a dropped one is a new
message."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from bridge.model.adapter import Cursor

SHARDS = 16
MOST_IDS, MOST_REQUESTS = 64, 64
"""Entries in each shard."""


class Incident(msgspec.Struct, array_like=True, frozen=True):
    """A message that a sender's id names."""

    message_id: str
    digest: str
    """Digest of the content that it shows now."""
    version: int = 0
    over: bool = False


class _Shard(msgspec.Struct, array_like=True):
    incidents: dict[str, Incident] = {}
    requests: dict[str, str] = {}
    """Identifiers of accepted requests, with the ids of their messages."""


class Incidents:
    """The memory of one account. `read` returns the value of a cursor, `is_known` whether the core has an event of that key.
    Handles one batch at a time."""

    def __init__(self, read: Callable[[str], Awaitable[str | None]], is_known: Callable[[str], Awaitable[bool]]) -> None:
        self._read = read
        self._is_known = is_known
        self._created: set[str] = set()
        """Keys of the messages in the current batch."""
        self._shards: dict[str, _Shard] = {}
        self._changed: dict[str, _Shard] = {}

    async def request(self, end: str, request_id: str) -> str | None:
        """The id of the message that an earlier copy of this request became; None if the request is new."""
        _, shard = await self._shard(end, request_id)
        return shard.requests.get(digest_of(request_id))

    async def remember_request(self, end: str, request_id: str, message_id: str) -> None:
        name, shard = await self._shard(end, request_id)
        shard.requests[digest_of(request_id)] = message_id
        _bound(shard.requests, MOST_REQUESTS)
        self._changed[name] = shard

    async def get(self, end: str, incident_id: str) -> Incident | None:
        _, shard = await self._shard(end, incident_id)
        return shard.incidents.get(digest_of(incident_id))

    async def set(self, end: str, incident_id: str, incident: Incident) -> None:
        name, shard = await self._shard(end, incident_id)
        shard.incidents.pop(digest_of(incident_id), None)
        shard.incidents[digest_of(incident_id)] = incident
        _bound(shard.incidents, MOST_IDS)
        self._changed[name] = shard

    def created(self, event_key: str) -> None:
        self._created.add(event_key)

    async def is_message(self, event_key: str) -> bool:
        """Whether the message can still be edited: ids are bounded in number, while messages are kept for some time."""
        return event_key in self._created or await self._is_known(event_key)

    def cursors(self) -> list[Cursor]:
        """The cursors changed since `stored`, to be stored together with the events of the batch."""
        return [Cursor(name=name, value=msgspec.json.encode(shard).decode()) for name, shard in self._changed.items()]

    def stored(self) -> None:
        self._changed.clear()
        self._created.clear()

    def forget(self) -> None:
        """Drop changes that were not stored; the next use reads the stored state."""
        for name in self._changed:
            self._shards.pop(name, None)
        self.stored()

    async def _shard(self, end: str, key: str) -> tuple[str, _Shard]:
        name = f"ids/{end}/{int(digest_of(key)[:4], 16) % SHARDS}"
        if name not in self._shards:
            stored = await self._read(name)
            try:
                self._shards[name] = msgspec.json.decode(stored, type=_Shard) if stored else _Shard({}, {})
            except msgspec.DecodeError:  # written by another version: its entries are dropped
                self._shards[name] = _Shard({}, {})
        return name, self._shards[name]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


def _bound(kept: dict[str, str] | dict[str, Incident], most: int) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]
