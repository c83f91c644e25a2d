"""How long a message waits for its files: a moment, then it goes without them, and they come behind it."""

from __future__ import annotations

from bridge.delivery.state import DeliveryState
from bridge.files.fetch import Patience

_FILE_WAIT_S = 3.0
"""So long a message waits for files that cannot be fetched now; then it goes, and they come behind it."""
_DOWNLOAD_WAIT_S = _FILE_WAIT_S
"""So long it waits for downloads that are under way."""
_LEAST_DOWNLOAD_WAIT_S = 1.0
"""The same for one that is begun late, because another file could not be fetched before."""
_FILE_PATIENCE_S = 3600.0
"""Then a file that was not to be had is a line."""


def be_patient(delivery: DeliveryState, now_s: float) -> None:
    """With files that cannot be fetched, or slowly. A message that was not begun waits a moment for them; then it goes without.
    Beside the line nothing waits: what is under way is looked at."""
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
