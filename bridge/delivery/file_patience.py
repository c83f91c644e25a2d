"""How long a message waits for its files: a few seconds, then it is sent without them, and they follow."""

from __future__ import annotations

from bridge.delivery.state import DeliveryState
from bridge.files.fetch import Patience
from bridge.journal.contract import OpenDelivery
from bridge.model.events import MessageCreated, MessageEdited

_FILE_WAIT_S = 3.0
"""How long a message waits for files that cannot be fetched now; then it is sent, and they follow."""
_DOWNLOAD_WAIT_S = _FILE_WAIT_S
"""How long it waits for downloads in progress."""
_LEAST_DOWNLOAD_WAIT_S = 1.0
"""The minimum for a download that starts late because another file could not be fetched before."""
_FILE_PATIENCE_S = 3600.0
"""After this time, a file that could not be fetched becomes a line."""


def be_patient(delivery: DeliveryState, now_s: float) -> None:
    """Set how long to wait for files that cannot be fetched or are slow. A message that was not begun waits for some seconds; then
    it is sent without them. Beside the line nothing waits: downloads in progress are only checked."""
    files, is_beside = delivery.files, delivery.is_beside_line
    if files.asked_s is None:
        files.asked_s = now_s
    waited_s = now_s - files.asked_s
    files.wait_s = 0.0 if is_beside else max(_DOWNLOAD_WAIT_S - waited_s, _LEAST_DOWNLOAD_WAIT_S)
    if delivery.time.spent_s(now_s) > _FILE_PATIENCE_S:
        files.patience = Patience.OVER
    else:
        waits = not delivery.parts and not is_beside and waited_s < _FILE_WAIT_S
        files.patience = Patience.WAIT if waits else Patience.LATER


def file_count(pending: OpenDelivery) -> int:
    """How many files a delivery may have fetched."""
    event = pending.event
    if not isinstance(event, MessageCreated | MessageEdited):
        return 0
    return max(len(event.content.attachments), len(event.content.pictures))
