"""Whether messages that a page of a history no longer holds were deleted, or the server gives less than it is believed to give.
Used by `catch_up`.

A page may be short although others follow it: the server gives fewer items at once than its dialect says, or takes some out
after it cut the page. A page may also begin anywhere: the server knows another name for `after`. So the page behind the last item
is asked for before anything counts as missing. A history that is empty all of a sudden is that of a chat which the bot may not
read any more, or of a server that is being repaired, more often than that of a chat in which everything was deleted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from adapters.teamspirit.errors import Gone, TooFar
from adapters.teamspirit.inbound.compare import Compare, Problem, State, last_id
from adapters.teamspirit.inbound.readings import Reading

ReadBehind = Callable[[str], Awaitable[list[Reading]]]
"""The page behind a message. Raises a DeliveryError, AccountDown."""

_MOST_PAGES = 50
_MANY = 3
"""So many messages are not taken for deleted while the history shows no message at all."""

NOT_BEHIND = (
    "deleted messages cannot be told: the server gives the same messages again when it is asked for those behind the last one",
    "compare `history` of the dialect with the server (`messenger-bridge dialect test`): how it names `after`, and its order",
)
EMPTIED = (
    "the history is empty all of a sudden: its messages are not taken for deleted until one is shown again",
    "look whether the bot is still in the chat and may read it",
)


@dataclass(frozen=True, kw_only=True)
class Looked:
    readings: Sequence[Reading]
    """The page, with those behind it that belong to it."""
    missing: frozenset[str] = frozenset()
    problem: Problem | None = None
    """Why nothing is taken for missing."""


async def look(compare: Compare, state: State, start: int, page: Sequence[Reading], read_behind: ReadBehind) -> Looked:
    """The page behind `state.seen[start]`, and what is missing from it. Raises what `read_behind` raises."""
    missing = compare.missing(state, start, page)
    if not missing:
        return Looked(readings=page)
    if not last_id(page):
        is_emptied = len(missing) >= _MANY
        return Looked(readings=page, missing=frozenset() if is_emptied else missing, problem=EMPTIED if is_emptied else None)
    readings = list(page)
    for _ in range(_MOST_PAGES):
        last, here = last_id(readings), {one.message_id for one in readings if one.message_id}
        try:
            behind = await read_behind(last)
        except (Gone, TooFar):
            return Looked(readings=page)  # deleted meanwhile: the next look decides
        ids = {one.message_id for one in behind if one.message_id}
        if ids & (here - {last}):
            return Looked(readings=page, problem=NOT_BEHIND)
        if compare.is_full(page) or not ids - here:
            return Looked(readings=readings, missing=compare.missing(state, start, readings))
        readings += [one for one in behind if one.message_id != last]
        if not compare.missing(state, start, readings):
            break
    return Looked(readings=readings)
