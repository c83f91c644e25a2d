"""What the latest tally lines say, so that a burst of reactions is one edit: each edit shows all that was accepted by then, and
what would only repeat it is not sent."""

from __future__ import annotations

from bridge.model.rich_text import RichText

_MOST = 1000
"""Lines remembered. One that is not is edited once more than necessary."""

Place = tuple[str, str]
"""Chat and message of the line."""


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
