"""Messages at an end that several created events were merged into."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.journal.contract import DeliveryStatus, Merged, Piece


def merged(lead_seq: int, pieces: Sequence[tuple[int, bytes]]) -> Merged:
    """From (event, content) of each piece: the order of events is the order within the message."""
    return Merged(lead_seq=lead_seq, pieces=tuple(Piece(event_seq=seq, content=content) for seq, content in sorted(pieces)))


def names_its_message(state: DeliveryStatus) -> bool:
    """Whether an open delivery shows which merged message it is part of: only after an attempt was made to send that. A waiting
    delivery may be merged differently, and so may a retried dead letter: its plan knows what it was in."""
    return state is DeliveryStatus.SENDING


def shared_with(pieces: int) -> int:
    """With how many other messages a message shares its copy."""
    return max(0, pieces - 1)
