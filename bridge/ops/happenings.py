"""What happened since humans were last told (dead letters, gaps, what rules left out), counted by its subject. Bounded: of more
subjects than `MOST_SUBJECTS` the sum is kept. What is minor has bounds of its own, so that no flood of it hides what is grave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

MOST_SUBJECTS = 500
OTHERS, MINOR_OTHERS = "others", "others that were left out"
"""The subjects of what happens to more than `MOST_SUBJECTS` at once."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that does not last. `example`: one of them, in words."""

    subject: str
    example: str
    action: str = ""
    is_minor: bool = False
    """May wait: it takes no place that something grave may need."""


@dataclass(slots=True)
class Counted:
    """`last`: the latest of them. `told_at_s`: when humans were told of this subject, on the clock of who tells."""

    last: Happened
    count: int
    told_at_s: float | None = None


class Happenings:
    def __init__(self) -> None:
        self._grave: dict[str, Counted] = {}
        self._minor: dict[str, Counted] = {}

    def add(self, what: Happened) -> None:
        counts, others = (self._minor, MINOR_OTHERS) if what.is_minor else (self._grave, OTHERS)
        known = counts.get(what.subject)
        if known is None and len(counts) >= MOST_SUBJECTS:  # so many at once: the sum is what matters
            what = replace(what, subject=others, example=f"{what.subject}: {what.example}")
            known = counts.get(others)
        if known is None:
            counts[what.subject] = Counted(what, 1)
        else:
            known.last, known.count = what, known.count + 1

    def by_subject(self) -> Iterator[tuple[str, Counted]]:
        """What is grave first."""
        yield from self._grave.items()
        yield from self._minor.items()

    def were_told(self, subject: str, now_s: float) -> None:
        for counts in (self._grave, self._minor):
            if (counted := counts.get(subject)) is not None:
                counted.count, counted.told_at_s = 0, now_s

    def forget(self, subject: str) -> None:
        """Nothing of it happened in its quiet time."""
        self._grave.pop(subject, None)
        self._minor.pop(subject, None)

    def clear(self) -> None:
        self._grave.clear()
        self._minor.clear()
