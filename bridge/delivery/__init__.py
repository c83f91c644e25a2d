"""Deliveries on their way out. `lanes` keeps one ordered `lane` per target chat, which decides about failures and merging.

`executor` carries out one delivery (`sending`: one part on its way). `changes` is about messages that are there; their edits are in
`editing`, with the decisions about files in `edited_files`. `backlog` has what a lane has still to do, `records` what it writes
down and when, `pace` what rates hold back, `files` the attachments on disk meanwhile. Fed by intake, and by the journal after a
restart.
"""

from bridge.delivery.outbox import Outbox

__all__ = ["Outbox"]
