"""Which message a native message is linked to, and which messages stop being copies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeVar

from bridge.journal.contract import TALLY_PART, Elsewhere, StoredPart

K = TypeVar("K")


class LinkKind(IntEnum):
    ORIGINAL = 0
    COPY = 1
    GONE = 2
    """A copy that is there no more. It leads nowhere, and is kept since its deletion comes back as an echo."""


class KnownMessage(NamedTuple):
    """A native message that the journal knows: which created event it belongs to, and as what."""

    event_seq: int
    kind: LinkKind


def leads_somewhere(kind: LinkKind) -> bool:
    return kind is not LinkKind.GONE


def elsewhere(copies: Mapping[str | None, Sequence[StoredPart]]) -> tuple[Elsewhere, ...]:
    """Copies by their thread, in the order in which they are tried: the chat itself first, then threads by their ids."""
    threads = sorted(copies, key=lambda thread_id: (thread_id is not None, thread_id or ""))
    there = [(thread_id, *without_tally(copies[thread_id])) for thread_id in threads]
    return tuple(Elsewhere(thread_id=thread_id, copies=parts, tally=tally) for thread_id, parts, tally in there if parts)


def without_tally(parts: Iterable[StoredPart]) -> tuple[tuple[StoredPart, ...], StoredPart | None]:
    """The copies, and the line about reactions among them."""
    found = list(parts)
    tally = next((one for one in found if one.part == TALLY_PART), None)
    return tuple(one for one in found if one is not tally), tally


def no_copies_any_more(before: Iterable[K], now: Iterable[K] = ()) -> list[K]:
    """A part is replaced or removed: returns the messages that are gone. An id that the part still has stays a copy."""
    kept = set(now)
    return [message for message in before if message not in kept]
