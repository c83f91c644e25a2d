"""What the self-test can say about one check between an origin and a target."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    OK = "ok"
    """As on the origin, by the target's own means."""
    DEGRADED = "degraded"
    """Less than that, as the capabilities of one of the two declare."""
    FAILED = "failed"


class Verdict(msgspec.Struct, frozen=True):
    outcome: Outcome
    reason: str = ""


OK = Verdict(Outcome.OK)


def degraded(reason: str) -> Verdict:
    return Verdict(Outcome.DEGRADED, reason)


class Failed(Exception):
    """A check's promise is broken; the text says how."""


class Refused(Failed):
    """A messenger does not let a person do what the check wants to do."""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the table."""

    check: str
    origin: str
    target: str
    outcome: Outcome
    reason: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table. `faults` concern no pair: dead letters, input that was not understood."""

    cells: tuple[Cell, ...]
    faults: tuple[str, ...] = ()
    took_s: float = 0.0

    @property
    def passed(self) -> bool:
        return not self.faults and all(cell.outcome is not Outcome.FAILED for cell in self.cells)
