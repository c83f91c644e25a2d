"""The server's state: the cached messages of all topics in one order, and the subscribers. No HTTP.

Source of the rules: server/server.go and server/message_cache.go of binwiederhier/ntfy, read 2026-11-26.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import string
import time
from dataclasses import dataclass, field
from typing import Any

MESSAGE_ID = re.compile(r"[-_A-Za-z0-9]{12}")
_LETTERS = string.ascii_letters + string.digits
_DURATION = re.compile(r"(\d+)(s|m|h)")
_UNITS_S = {"s": 1, "m": 60, "h": 3600}


def new_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


@dataclass
class Message:
    """One event of a topic. `fields` are those of the wire beside the ones that every event has."""

    topic: str
    event: str = "message"
    message_id: str = field(default_factory=new_id)
    time_s: int = field(default_factory=lambda: int(time.time()))
    expires_s: int = 0
    sequence_id: str = ""
    fields: dict[str, Any] = field(default_factory=dict)

    def wire(self) -> dict[str, Any]:
        """The event's JSON: empty fields are left out, and so is a sequence_id that equals the id."""
        known: dict[str, Any] = {"id": self.message_id}
        if self.sequence_id and self.sequence_id != self.message_id:
            known["sequence_id"] = self.sequence_id
        known["time"] = self.time_s
        if self.expires_s:
            known["expires"] = self.expires_s
        return {**known, "event": self.event, "topic": self.topic, **{name: value for name, value in self.fields.items() if value}}


class InvalidSince(ValueError):
    """`since=` of no known form."""


class Topics:
    """The cache (`cache_s` long, at most `kept` messages) and the subscribers of all topics."""

    def __init__(self) -> None:
        self.cache_s = 12 * 3600
        self.kept = 50_000
        self._cached: list[Message] = []
        self._subscribers: dict[asyncio.Queue[Message], frozenset[str]] = {}

    def publish(self, message: Message, *, cache: bool = True) -> None:
        if cache:
            message.expires_s = message.time_s + self.cache_s
            self._cached.append(message)
            del self._cached[: -self.kept]
        for queue, topics in self._subscribers.items():
            if message.topic in topics:
                queue.put_nowait(message)

    def subscribe(self, topics: frozenset[str]) -> asyncio.Queue[Message]:
        queue: asyncio.Queue[Message] = asyncio.Queue()
        self._subscribers[queue] = topics
        return queue

    def unsubscribe(self, queue: asyncio.Queue[Message]) -> None:
        del self._subscribers[queue]

    def since(self, topics: frozenset[str], marker: str) -> list[Message]:
        """Cached messages after the marker: `all`, `none`, a message's id, a Unix time or a duration (`10m`). An id that is not
        cached any more stands for `all`. By time, those of one second in the order of their arrival."""
        now_s = int(time.time())
        self._cached = [message for message in self._cached if message.expires_s > now_s]
        found = sorted(self._after(marker, now_s), key=lambda message: message.time_s)
        return [message for message in found if message.topic in topics]

    def _after(self, marker: str, now_s: int) -> list[Message]:
        if marker == "none":
            return []
        if marker == "all":
            return self._cached
        if MESSAGE_ID.fullmatch(marker):
            places = [place for place, message in enumerate(self._cached) if message.message_id == marker]
            return self._cached[places[0] + 1 :] if places else self._cached
        if marker.isdecimal():
            return self._not_before(int(marker))
        if duration := _DURATION.fullmatch(marker):
            return self._not_before(now_s - int(duration[1]) * _UNITS_S[duration[2]])
        raise InvalidSince(marker)

    def _not_before(self, time_s: int) -> list[Message]:
        return [message for message in self._cached if message.time_s >= time_s]
