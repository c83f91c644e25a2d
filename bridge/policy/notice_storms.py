"""How many statuses of one person, or joins and leaves, a chat is told. Pure. Each is announced by a message, and costs its owner
nothing: without a limit one member could flood all other chats of the route, and use up the rate that their messages need."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable

MOST = 6
WITHIN_S = 600.0
_REMEMBERED = 10_000
"""Of so many people and chats, those seen last."""


class NoticeStorms:
    """Times are of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[Hashable, str], deque[tuple[float, int]]] = OrderedDict()

    def admits(self, chat: Hashable, person: str, delivery_id: int, now_s: float) -> bool:
        """Whether the chat may be told, which then counts: at most `MOST` within `WITHIN_S`. `person`: with what it is about.
        Another attempt at the same delivery is admitted as the first was, and does not count again."""
        told = self._told.setdefault((chat, person), deque())
        self._told.move_to_end((chat, person))
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        while told and now_s - told[0][0] >= WITHIN_S:
            told.popleft()
        if any(known == delivery_id for _, known in told):
            return True
        if len(told) >= MOST:
            return False
        told.append((now_s, delivery_id))
        return True
