"""Deliveries on their way out. `outbox` keeps one ordered `lane` per target chat, which decides about failures and merging.

`executor` carries out one delivery (`send`: one part on its way). `operations.change` is about messages that are there; their edits
are in `operations.edit`, with the decisions about files in `operations.edit_files`. `backlog` has what a lane has still to do,
`attempt_log` what it writes down and when, `throttle` what rates hold back, `files` the attachments on disk meanwhile. Fed by
intake, and by the journal after a restart."""

from bridge.delivery.outbox import Outbox

__all__ = ["Outbox"]
