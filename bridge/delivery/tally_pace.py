"""When what is kept up to date may change again (the votes of a poll, the line about reactions, a place that moves): at most once
in a while per copy, and the last change always comes.

Each delivery shows all that is known by then. So one that comes too early waits beside the line, and those that come while it waits
have nothing left to do. In memory alone: after a restart the waiting one is taken up from the journal, and at worst one change more
is shown."""

from __future__ import annotations

from enum import Enum, auto

_MOST = 4096
"""Copies remembered. A forgotten one changes once more than necessary."""
_GRACE_S = 120.0
"""A waiting delivery that did not come so long after its turn (an admin dropped it) is waited for no longer."""


class Shown(Enum):
    """What is kept up to date."""

    VOTES = auto()
    REACTIONS = auto()
    PLACE = auto()


Place = tuple[str, str | None, int, Shown]
"""Target, thread, the created event, and what of it."""


class Turn(Enum):
    NOW = auto()
    WAIT = auto()
    """Beside the line, for `wait_s`."""
    SHOWN_LATER = auto()
    """Another delivery waits, and will show it."""


class _Copy:
    __slots__ = ("changed_at_s", "due_at_s", "waiting")

    def __init__(self) -> None:
        self.changed_at_s = float("-inf")
        self.waiting: int | None = None
        self.due_at_s = 0.0


class TallyPace:
    def __init__(self) -> None:
        self._copies: dict[Place, _Copy] = {}

    def turn(self, place: Place, delivery_id: int, now_s: float, every_s: float) -> tuple[Turn, float]:
        """Whether this delivery may change the copy now, and otherwise how long it waits, in seconds."""
        copy = self._copies.setdefault(place, _Copy())
        self._trim()
        left_s = copy.changed_at_s + every_s - now_s
        if copy.waiting is not None and now_s > copy.due_at_s + _GRACE_S:
            copy.waiting = None
        if left_s <= 0:
            if copy.waiting == delivery_id:
                copy.waiting = None
            return Turn.NOW, 0.0
        if copy.waiting is not None and copy.waiting != delivery_id:
            return Turn.SHOWN_LATER, 0.0
        copy.waiting, copy.due_at_s = delivery_id, now_s + left_s
        return Turn.WAIT, left_s

    def changed(self, place: Place, now_s: float) -> None:
        """The copy was changed just now."""
        copy = self._copies.pop(place, None) or _Copy()
        copy.changed_at_s = now_s
        self._copies[place] = copy
        self._trim()

    def _trim(self) -> None:
        while len(self._copies) > _MOST:
            del self._copies[next(iter(self._copies))]
