"""Which message a native message is linked to, and which messages stop being copies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeVar

from bridge.journal.contract import TALLY_PART, VOTES_PART, Elsewhere, StoredPart

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


def elsewhere(copies: Mapping[str | None, Sequence[StoredPart]]) -> tuple[Elsewhere, ...]:
    """Copies by their thread, in the order in which they are tried: the chat itself first, then threads by their ids."""
    threads = sorted(copies, key=lambda thread_id: (thread_id is not None, thread_id or ""))
    there = [(thread_id, *without_lines(copies[thread_id])) for thread_id in threads]
    return tuple(
        Elsewhere(thread_id=thread_id, copies=parts, tally=tally, votes=votes) for thread_id, parts, tally, votes in there if parts
    )


def without_lines(
    parts: Iterable[StoredPart],
) -> tuple[tuple[StoredPart, ...], StoredPart | None, StoredPart | None]:
    """The copies, and the lines about reactions and about votes among them."""
    found = {one.part: one for one in parts}
    tally, votes = found.pop(TALLY_PART, None), found.pop(VOTES_PART, None)
    return tuple(found.values()), tally, votes


def no_copies_any_more(before: Iterable[K], now: Iterable[K] = ()) -> list[K]:
    """A part is replaced or removed: returns the messages that are gone. An id that the part still has stays a copy."""
    kept = set(now)
    return [message for message in before if message not in kept]
