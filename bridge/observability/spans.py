"""Spans of what the bridge does with a message, for whoever collects them: received, processed, sent. `otel` makes them; while it
is off, `active` is None, and that is all it costs.

`active` is of the process, as the log is: the daemon sets it before the loop starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from bridge.journal.contract import Change, OpenDelivery
from bridge.model.events import ChatEvent
from bridge.model.refs import AccountName


class Batch(Protocol):
    """Events that an account handed over together."""

    def planned(self, event: ChatEvent) -> None:
        """Its routes are planned. Called in the order of the events."""
        ...

    def stored(self, event: ChatEvent, delivery_ids: Sequence[int]) -> None:
        """It was new, and is on disk with these deliveries."""
        ...


class Spans(Protocol):
    def received(self, account: AccountName) -> Batch:
        """An account hands over events now."""
        ...

    def sending(self, together: Sequence[OpenDelivery], attempt: int) -> AbstractContextManager[Callable[[Sequence[Change]], None]]:
        """Around an attempt to send; what it gives is called with what became of it."""
        ...


active: Spans | None = None
