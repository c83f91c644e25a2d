"""How often to log something that repeats. Pure. A condition that lasts is logged when it begins and when it changes, and then ever
more rarely, with the number of times."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
"""Numbers such as waits and ids differ each time; the problem is the same."""


class Repeats:
    """One per source."""

    def __init__(self) -> None:
        self._said = ""
        self._count = 0

    def again(self, reason: str) -> int:
        """How often this was said in a row, this time included, if it is to be written down now: the 1st, 2nd, 4th, 8th time and so
        on. Else 0."""
        said = _NUMBER.sub("#", reason)
        self._count = self._count + 1 if said == self._said else 1
        self._said = said
        return self._count if self._count & (self._count - 1) == 0 else 0

    def over(self) -> None:
        """It is over: the next time is the first."""
        self._said, self._count = "", 0
