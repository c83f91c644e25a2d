"""Every kind of event has an operation: a new one cannot be forgotten."""

from __future__ import annotations

from bridge.delivery.operations import OPERATIONS
from bridge.model.events import KINDS


def test_every_kind_of_event_has_an_operation() -> None:
    assert set(OPERATIONS) == set(KINDS)
