"""Tells a message that always fails without a final refusal from a platform with an outage.

The rule and its bounds are in docs/decisions/0008."""

from __future__ import annotations

from bridge.delivery.state import DeliveryState
from bridge.model.errors import DeliveryError, OutcomeUnknown, RetryLater, Scope
from bridge.policy.retry import Policy


class Poison:
    """One per lane. An outage affects all chats of an account: a failure counts against the message only while other chats are
    served. A second such message in a row counts against the chat, which then waits."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._is_chat = False
        """Whether the last message was given up, and none was delivered since."""

    def delivered(self) -> None:
        self._is_chat = False

    def given_up(self) -> None:
        self._is_chat = True

    def is_one(self, delivery: DeliveryState, error: DeliveryError, served: int, now_s: float) -> bool:
        """Called after an attempt that failed. `served`: how many deliveries of the account were executed so far; while this one is
        first in its chat, they are of other chats."""
        if not _is_about_the_message(error) or delivery.is_beside_line or delivery.group.followers:
            return False
        faults = delivery.faults
        before, faults.served_before = faults.served_before, served
        if before is None:
            faults.first_s = now_s
        elif served > before:
            faults.beside_others += 1
        enough = faults.beside_others >= self._policy.poison_attempts
        return enough and not self._is_chat and now_s - faults.first_s >= self._policy.poison_after_s


def reason(delivery: DeliveryState, error: DeliveryError) -> str:
    return f"{delivery.attempts.number} attempts failed while other chats of the account were served; the last one: {error.reason}"


def _is_about_the_message(error: DeliveryError) -> bool:
    if isinstance(error, RetryLater):
        return error.scope is Scope.CHAT and not error.rate_limited
    return isinstance(error, OutcomeUnknown)
