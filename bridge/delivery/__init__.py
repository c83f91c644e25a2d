"""Deliveries on their way out. `outbox` keeps one ordered `lane` per target chat.

A message's way: `lane` takes a delivery up (`line`, `backlog`), waits at the `gate`, and has the `executor` carry it out by the
operation for its kind of event (`operations`: a deletion in `operations/delete.py`); `rendering` says how it looks, `send`
brings one part to the target, `throttled_calls` change what is there. When that fails, `failure` says what it means, and the
lane does it. `state` is the delivery in memory, `attempt_log` what is written down and when, `throttle` what rates hold back.
Fed by intake, and by the journal after a restart."""

from bridge.delivery.outbox import Outbox

__all__ = ["Outbox"]
