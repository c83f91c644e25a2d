"""The outcome of each delivery, counted and logged: one debug line per decision, and lasting conditions at info, ever more rarely.
No line contains message text, unless `log.content` asks for it: a message is identified by its ids, a rule or an error by its own
words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import structlog

from bridge.journal.contract import Dead, Delivered, OpenDelivery, Skipped
from bridge.model.errors import Scope
from bridge.model.events import ChatEvent, MessageCreated, MessageEdited
from bridge.model.outcomes import LossNote, Outcome, SkipRule
from bridge.model.refs import ChatAddress
from bridge.model.rich_text import text_of
from bridge.observability.verbosity import are_words_shown, is_debug_shown
from bridge.policy.repeats import Repeats

log = structlog.get_logger("outbox")

_LONGEST_WORDS = 500


class OutboxCounts(Protocol):
    """What the outbox counts; `observability.logs.Metrics` keeps it."""

    def delivered(self, account: str, route: str, lag_s: float, delivery_id: int | None = None) -> None: ...

    def outcome(self, account: str, route: str, outcome: Outcome, rule: SkipRule | None = None) -> None: ...

    def lost(self, account: str, route: str, loss: LossNote) -> None: ...

    def retried(self, account: str, why: str) -> None: ...


def reference(event: ChatEvent) -> str:
    """The event's message as `account/chat#id`, or its chat if it is of none."""
    message_id = getattr(event, "message_id", "")
    return f"{event.meta.origin}#{message_id}" if message_id else str(event.meta.origin)


def words(event: ChatEvent) -> dict[str, str]:
    """What people said, as a field of a debug line, where the configuration wants it (`log.content`)."""
    if not are_words_shown() or not isinstance(event, MessageCreated | MessageEdited):
        return {}
    return {"words": text_of(event.content.text)[:_LONGEST_WORDS]}


class Verdicts:
    """Of one lane."""

    def __init__(self, address: ChatAddress, counts: OutboxCounts) -> None:
        self._address = address
        self._counts = counts
        self._waits = Repeats()
        self._unknowns = Repeats()

    def ended(self, pending: OpenDelivery, end: Delivered | Skipped | Dead, *, lag_s: float, attempt: int) -> None:
        account = self._address.account
        match end:
            case Delivered():
                self._counts.delivered(account, pending.route, lag_s, pending.delivery_id)
                self._counts.outcome(account, pending.route, Outcome.DELIVERED)
                for loss in end.losses:
                    self._counts.lost(account, pending.route, loss)
                self._decided(Outcome.DELIVERED, pending, attempt=attempt, losses=[str(loss) for loss in end.losses])
                self._waits.over()
                self._unknowns.over()
            case Skipped():
                self._counts.outcome(account, pending.route, Outcome.SKIPPED, end.rule)
                self._decided(Outcome.SKIPPED, pending, attempt=attempt, rule=str(end.rule))
            case Dead():
                self._counts.outcome(account, pending.route, Outcome.DEAD)
                self._decided(Outcome.DEAD, pending, attempt=attempt, reason=end.reason)

    def deferred(self, together: Iterable[OpenDelivery], after_s: float, scope: Scope, reason: str, *, attempt: int) -> None:
        """An attempt did not succeed, or could not be made; another follows."""
        for pending in together:
            self._counts.outcome(self._address.account, pending.route, Outcome.DEFERRED)
            self._decided(Outcome.DEFERRED, pending, attempt=attempt, reason=reason)
        times = self._waits.again(reason)
        if times:
            log.info("waiting", target=str(self._address), wait_s=round(after_s, 1), scope=scope.value, reason=reason, times=times)

    def unknown(self, together: Iterable[OpenDelivery], reason: str, *, attempt: int) -> None:
        """It is unknown whether the attempt succeeded."""
        first: OpenDelivery | None = None
        for pending in together:
            first = first or pending
            self._counts.outcome(self._address.account, pending.route, Outcome.UNKNOWN)
            self._decided(Outcome.UNKNOWN, pending, attempt=attempt, reason=reason)
        times = self._unknowns.again(reason)
        if times and first is not None:
            log.warning("outcome unknown", target=str(self._address), delivery=first.delivery_id, reason=reason, times=times)

    def _decided(self, outcome: Outcome, pending: OpenDelivery, **details: object) -> None:
        if not is_debug_shown():
            return
        log.debug(
            outcome.value,
            key=pending.event.meta.event_key,
            message=reference(pending.event),
            route=pending.route,
            target=str(pending.target),
            delivery=pending.delivery_id,
            **details,
        )
