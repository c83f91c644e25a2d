"""Tells a message that its platform never takes, and never refuses for good, from a platform in trouble.

The rule and its bounds are in docs/decisions/0008."""

from __future__ import annotations

from bridge.delivery.state import DeliveryState
from bridge.model.errors import DeliveryError, OutcomeUnknown, RetryLater, Scope
from bridge.policy.retry import Policy


class Poison:
    """Of one lane. An outage meets all chats of an account: only while others of them are served does a failure count against the
    message. A second one in a row counts against the chat: it is waited for."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._is_chat = False
        """Whether the last message ended so, and none was delivered since."""

    def delivered(self) -> None:
        self._is_chat = False

    def given_up(self) -> None:
        self._is_chat = True

    def is_one(self, delivery: DeliveryState, error: DeliveryError, served: int, now_s: float) -> bool:
        """After an attempt that failed. `served`: how many deliveries of the account were carried out so far; while this one is in
        front of its chat they are other chats'."""
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
