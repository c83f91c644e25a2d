"""What humans are told of what is wrong, and when: each change once, and of a storm the sum. Pure; times are passed in.

A subject (an account, an end, a disk) is in trouble, well, or undecided, as after a start. What changes is told at once; what
changes again soon afterwards is told when its quiet time is over, as far as it is different then. Happenings (dead letters, gaps)
are counted in the same way. At most `MOST_MESSAGES` are sent within one quiet time, each with at most `MOST_LINES` lines."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from bridge.identity.names import clean_line, shorten
from bridge.ops.happenings import MOST_SUBJECTS, Counted, Happenings

MOST_MESSAGES = 5
MOST_MINOR_MESSAGES = 2
"""Messages with nothing but minor lines: so the others have places left."""
MOST_LINES = 12
LONGEST_LINE = 500
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Trouble:
    reason: str
    action: str = ""
    is_grave: bool = False

    @property
    def kind(self) -> tuple[bool, str]:
        """What makes it another one: what a human has to do, or else its words, whatever the numbers in them (seconds that pass).
        The same refusal has other words at each thing that is tried."""
        return self.is_grave, _NUMBERS.sub("#", self.action or self.reason)

    def __str__(self) -> str:
        return f"{self.reason} - {self.action}" if self.action else self.reason


class Other(Enum):
    WELL = "well"
    UNDECIDED = "undecided"


State = Trouble | Other


@dataclass(slots=True)
class _Standing:
    told: Trouble | None
    """What humans believe; None: that it is well."""
    now: Trouble | None
    since_s: float
    told_at_s: float | None = None
    changes: int = 0
    """Since it was told."""


class Telling:
    """`told`: what an earlier run of the bridge has told, by subject; the property gives it back. `happened` may be added to at any
    time, by others."""

    def __init__(self, told: Mapping[str, Trouble], happened: Happenings, *, now_s: float) -> None:
        self._standing = {subject: _Standing(told=trouble, now=trouble, since_s=now_s) for subject, trouble in told.items()}
        self._happened = happened
        self._sent: deque[float] = deque()

    @property
    def told(self) -> dict[str, Trouble]:
        """The troubles that humans know of."""
        return {subject: one.told for subject, one in self._standing.items() if one.told is not None}

    def see(self, states: Mapping[str, State], now_s: float) -> None:
        """How all subjects are now. One that there is no more is forgotten; nothing is said about it."""
        for subject in [one for one in self._standing if one not in states]:
            del self._standing[subject]
        for subject, state in states.items():
            if state is Other.UNDECIDED:
                continue
            new = state if isinstance(state, Trouble) else None
            standing = self._standing.get(subject)
            if standing is None:
                if new is not None and len(self._standing) < MOST_SUBJECTS:
                    self._standing[subject] = _Standing(told=None, now=new, since_s=now_s, changes=1)
            elif _kind(standing.now) != _kind(new):
                standing.now, standing.changes, standing.since_s = new, standing.changes + 1, now_s

    def due(self, now_s: float, quiet_s: float) -> dict[str, str]:
        """The lines to tell now, by subject, as one message; they count as told with `were_told`. Empty while too much was told."""
        while self._sent and now_s - self._sent[0] >= quiet_s:
            self._sent.popleft()
        if len(self._sent) >= MOST_MESSAGES:
            return {}
        lines: dict[str, str] = {}
        minor: dict[str, str] = {}
        for subject, one in list(self._standing.items()):
            if _is_quiet(one.told_at_s, now_s, quiet_s):
                continue
            if line := _line(subject, one):
                lines[subject] = line
            elif one.told is None and one.now is None:
                del self._standing[subject]
        for subject, counted in list(self._happened.by_subject()):
            if _is_quiet(counted.told_at_s, now_s, quiet_s):
                continue
            if counted.count:
                (minor if counted.last.is_minor else lines)[subject] = _count_line(counted)
            else:
                self._happened.forget(subject)
        return lines | minor if lines or len(self._sent) < MOST_MINOR_MESSAGES else {}

    def were_told(self, lines: Mapping[str, str], now_s: float) -> None:
        self._sent.append(now_s)
        for subject in lines:
            if (one := self._standing.get(subject)) is not None:
                one.told, one.told_at_s, one.changes = one.now, now_s, 0
            self._happened.were_told(subject, now_s)


def message(lines: Mapping[str, str]) -> str:
    """As one text."""
    shown = list(lines.values())
    if len(shown) > MOST_LINES:
        rest = len(shown) - MOST_LINES
        shown = [*shown[:MOST_LINES], f"and {rest} more: see /health, or systemctl status messenger-bridge"]
    return "\n".join(shown)


def _kind(trouble: Trouble | None) -> tuple[bool, str] | None:
    return None if trouble is None else trouble.kind


def _is_quiet(told_at_s: float | None, now_s: float, quiet_s: float) -> bool:
    return told_at_s is not None and now_s - told_at_s < quiet_s


def _line(subject: str, one: _Standing) -> str:
    often = f" (changed {one.changes} times)" if one.changes > 2 else ""
    if one.now is None and (one.told is not None or one.changes > 1):
        return f"✅ {subject} is well again{often}"
    if one.now is not None and (_kind(one.told) != one.now.kind or one.changes > 1):
        return _clean(f"⚠️ {subject}: {one.now}{often}")
    return ""


def _count_line(counted: Counted) -> str:
    last = counted.last
    more = f"{counted.count} times, at last: " if counted.count > 1 else ""
    action = f" - {last.action}" if last.action else ""
    return _clean(f"⚠️ {last.subject}: {more}{last.example}{action}")


def _clean(line: str) -> str:
    """What a platform says of an error may be anything."""
    return shorten(clean_line(line), LONGEST_LINE)
