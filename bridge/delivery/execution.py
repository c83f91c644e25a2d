"""What every operation gets: the delivery, its target, and what it may ask of its lane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.delivery.state import DeliveryState
from bridge.delivery.target import ResolvedTarget
from bridge.journal.contract import Change, Delivered, OpenDelivery, Skipped
from bridge.model.capabilities import Operation
from bridge.model.clock import Clock
from bridge.model.errors import Rejected
from bridge.model.outcomes import NamedSkip, Skip, SkipRule


class NotNow(Exception):
    """The delivery is set aside: what remains to be done must not delay later deliveries. Nothing of it is in progress."""

    def __init__(self, reason: str, *, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


class Poisoned(Exception):
    """The platform never takes the message, and said that it is not there: it is given up, for the reason in the text."""


class AsItIsNow(Exception):
    """For a retried dead letter of unknown outcome: it is known by now whether the next part is there, or cannot be known. For
    another message of unknown outcome: it is not there, and was changed since. It is taken up again, as later changes have made
    it."""


class DeliveryContext(Protocol):
    """What an operation needs of its lane."""

    async def record(self, changes: Sequence[Change]) -> None:
        """Returns once they are on disk."""
        ...

    def is_changed(self, delivery: DeliveryState) -> bool:
        """Whether the message, of which nothing is there, was deleted or edited since it was taken up."""
        ...

    def claim(self, pending: OpenDelivery) -> bool:
        """Whether its first attempt, which is made now, is on disk already."""
        ...

    def prerecord_next(self, now: datetime) -> Sequence[Change]:
        """The attempts of the next deliveries, to be recorded together with this one's."""
        ...

    async def admit(self, target: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        """Returns once this many messages may be sent, or this many calls of that kind made, and counts them."""
        ...

    def mark_accepted(self, target: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        """The platform accepted them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One delivery as it is carried out, once."""

    delivery: DeliveryState
    target: ResolvedTarget
    context: DeliveryContext
    clock: Clock

    @property
    def pending(self) -> OpenDelivery:
        return self.delivery.pending

    def delivered(self) -> Delivered:
        return Delivered(delivery_id=self.pending.delivery_id, at=self.clock.now(), losses=tuple(self.delivery.losses))

    def skipped(self, rule: SkipRule) -> Skipped:
        return Skipped(delivery_id=self.pending.delivery_id, rule=rule, at=self.clock.now())

    def refused(self, rule: Skip, error: Rejected) -> Skipped:
        """For a change that the platform does not accept. It makes no dead letter: the message itself is there, and a manual retry
        would not help."""
        return self.skipped(NamedSkip(rule, f"{rule}: {error.reason}"))

    async def admit(self, messages: int, operation: Operation = Operation.SEND) -> None:
        await self.context.admit(self.target, messages, operation)

    def mark_accepted(self, messages: int, operation: Operation = Operation.SEND) -> None:
        self.context.mark_accepted(self.target, messages, operation)
