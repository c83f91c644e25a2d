"""Deliveries on their way out: `lanes` keeps one ordered lane per target chat and decides about failures; `courier` carries out one
delivery; `files` has its attachments on disk meanwhile. Fed by intake, and by the journal after a restart."""

from bridge.outbox.lanes import Outbox

__all__ = ["Outbox"]
