"""Remembers the latest tally lines, so that a burst of reactions becomes one edit: each edit shows all reactions accepted so far,
and an edit that changes nothing is not sent."""

from __future__ import annotations

from bridge.model.rich_text import RichText

_MOST = 1000
"""Lines remembered. A forgotten line is edited once more than necessary."""

Place = tuple[str, str]
"""Chat and message id of the line."""


class ShownTallies:
    def __init__(self) -> None:
        self._shown: dict[Place, RichText] = {}

    def says(self, place: Place, text: RichText) -> bool:
        return self._shown.get(place) == text

    def remember(self, place: Place, text: RichText) -> None:
        self._shown.pop(place, None)
        self._shown[place] = text
        while len(self._shown) > _MOST:
            del self._shown[next(iter(self._shown))]
