"""Outgoing deliveries. `outbox` keeps one ordered `lane` per target chat.

How a message is sent: `lane` takes a delivery (`line`, `backlog`), waits at the `gate`, and lets the `executor` run the operation
for its kind of event (`operations`: a deletion in `operations/delete.py`); `rendering` says how it looks, `send` sends one part,
`throttled_calls` change existing messages. If that fails, `failure` says what the error means, and the lane acts on it. `state` is
the delivery in memory, `groups` says what goes out as one message, `attempt_log` decides what is recorded and when, `throttle`
applies rate limits. Deliveries come from intake, and after a restart from the journal."""

from bridge.delivery.outbox import Outbox

__all__ = ["Outbox"]
