"""The time from which a chat's messages count as new, for chats that were never read: when their route was loaded, not when they
were first read. Used by `receiver` and `catch_up`."""

from __future__ import annotations

from datetime import datetime

from adapters.common.platform_time import PlatformTime

_LOOKS_S = 5.0
"""Looks that are further apart say nothing about the time between them."""


class Beginnings:
    """Outlives the runs of an account: a server that is away when the bridge starts does not move the moment."""

    def __init__(self, time: PlatformTime) -> None:
        self._time = time
        self._begun_s: dict[str, float] = {}
        self._looked_at_s: float | None = None
        self._started_s: float | None = None

    def now(self) -> datetime:
        """The time, by the server's clock as far as that is known."""
        return self._time.now()

    def start(self) -> bool:
        """The account is asked for the first thing; whether it is the first time."""
        first = self._started_s is None
        if self._started_s is None:
            self._started_s = self._time.steady_now_s()
        return first

    def look(self, routed: frozenset[str]) -> None:
        """These chats are relayed now. One that was not at the last look, a moment ago, counts from there: nothing that was said
        in between is lost."""
        self.start()
        now_s = self._time.steady_now_s()
        last_s = self._looked_at_s
        if last_s is None:
            since_s = self._started_s or now_s
        else:
            since_s = last_s if now_s - last_s < _LOOKS_S else now_s
        self._looked_at_s = now_s
        self._begun_s = {chat_id: self._begun_s.get(chat_id, since_s) for chat_id in routed}

    def put_off(self, chat_id: str) -> None:
        """The chat is not ours to read yet: what is said there now is not meant for the bridge."""
        if chat_id in self._begun_s:
            self._begun_s[chat_id] = self._time.steady_now_s()

    def since(self, chat_id: str) -> datetime | None:
        """By the server's clock; None if that is not known, or the chat is not relayed."""
        begun_s = self._begun_s.get(chat_id)
        return None if begun_s is None or not self._time.is_known else self._time.at(begun_s)
