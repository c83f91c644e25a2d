"""Who types in which chat of an emulated messenger, as its client shows it for some seconds. For those with such a mark."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

MOST_CHATS = 1000


class TypingNow:
    """`for_s` is how long the platform's clients show a mark; `now` is monotonic, in seconds."""

    def __init__(self, for_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._for_s = for_s
        self._now = now
        self._until: dict[str, dict[str, float]] = {}

    def note(self, chat_id: str, name: str) -> None:
        """Somebody began to type, or still does."""
        marks = self._until.pop(chat_id, {})
        self._until[chat_id] = marks | {name: self._now() + self._for_s}
        if len(self._until) > MOST_CHATS:
            del self._until[next(iter(self._until))]

    def wrote(self, chat_id: str, name: str) -> None:
        """What was typed is there."""
        self._until.get(chat_id, {}).pop(name, None)

    def names(self, chat_id: str) -> Sequence[str]:
        """Whose marks are shown now, in the order in which they began."""
        now_s = self._now()
        alive = {name: until_s for name, until_s in self._until.get(chat_id, {}).items() if until_s > now_s}
        if chat_id in self._until:
            self._until[chat_id] = alive
        return list(alive)
