"""Where a delivery stands."""

from __future__ import annotations

from enum import StrEnum


class DeliveryStatus(StrEnum):
    """The state of a delivery. Every delivery ends in one of the last three."""

    WAITING = "waiting"
    """Not begun, or deferred until `not_before`."""
    SENDING = "sending"
    """An attempt was recorded and its outcome was not: after a crash the outcome is unknown."""
    BEHIND = "behind"
    """Waiting beside the line: nothing waits for it. A file that comes after its words, a dead letter that is retried."""
    HELD = "held"
    """Its outcome is unknown and the route says `unknown: hold`: counts as dead until a human decides."""
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    DEAD = "dead"
