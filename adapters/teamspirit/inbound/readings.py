"""Reads the items of a history page, and finds the place of the page among the known messages. Pure; used by `compare`.

An item that cannot be read as a message still has a place in its chat: its id and its times, if present.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adapters.common.queries import find, find_text
from adapters.teamspirit.inbound.decode_parts import time_of, truth_of
from adapters.teamspirit.wire import NativeMessage, in_ms

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.events import Fields


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One item. `message` is None if the item is not a message; `problem` then gives the reason."""

    item: Any
    message: NativeMessage | None
    problem: str
    message_id: str
    """Empty if it has none."""
    sent_at: datetime | None
    changed_ms: int
    """Unix time of its latest change in milliseconds; 0 if the server does not say."""
    is_deleted: bool

    @classmethod
    def of(cls, item: Any, found: NativeMessage | str, fields: Fields) -> Reading:
        """The reading of an item. `found`: the message, or why it is not one."""
        if isinstance(found, str):
            sent_at = time_of(find(fields.sent_at, item))
            changed_at = time_of(find(fields.updated_at, item)) or sent_at
            message, problem, message_id = None, found, find_text(fields.message_id, item)
            is_deleted = truth_of(find(fields.deleted, item))
        else:
            sent_at, changed_at = found.sent_at, found.updated_at or found.sent_at
            message, problem, message_id, is_deleted = found, "", found.message_id, found.deleted
        return cls(
            item=item,
            message=message,
            problem=problem,
            message_id=message_id,
            sent_at=sent_at,
            changed_ms=in_ms(changed_at) if changed_at else 0,
            is_deleted=is_deleted,
        )

    @property
    def is_system(self) -> bool:
        return self.message is not None and self.message.system

    @cached_property
    def digest(self) -> str:
        """Tells one item from another, and an item from what it was. A chat's cursor keeps it of items that are no messages."""
        return hashlib.sha256(json.dumps(self.item, sort_keys=True).encode()).hexdigest()[:12]


def expected_in(page: Sequence[Reading], seen: Sequence[str], at_ms: int) -> Sequence[str]:
    """The seen messages, oldest first, that a full page must contain if they still exist. Messages beyond the page's end may be
    on the next page. `at_ms`: Unix time of the latest message that was seen."""
    for one in reversed(page):
        if one.message_id in seen:
            return seen[: seen.index(one.message_id)]
        if one.message_id and (one.changed_ms > at_ms or (one.message is not None and not one.changed_ms)):
            return seen  # it is newer than all of them
    return ()


def in_order(seen: Sequence[str], ids: Iterable[str], page: Sequence[str]) -> list[str]:
    """`ids` in the order of the chat: ids seen before, and ids of the page, at the place where the page has them. All lists are
    oldest first."""
    wanted = set(ids)
    old = [one for one in seen if one in wanted]
    places = {one: place for place, one in enumerate(old)}
    found: list[str] = []
    late: list[str] = []
    at = 0
    for one in dict.fromkeys(page):
        place = places.get(one)
        if place is None:
            late += [one] if one in wanted else []
        elif place >= at:
            found += [*old[at:place], *late, one]
            late, at = [], place + 1
    return [*found, *old[at:], *late]


SURE = 3
"""Times of so many items tell a server's order for good: of two, the server's clock may have been set back in between."""


def order_told(page: Sequence[Reading]) -> tuple[bool | None, int]:
    """Whether the server gives the newest items first, against what its dialect says (None: the page does not tell), and by how
    many different times that is known."""
    times = [one.sent_at for one in page if one.sent_at is not None]
    pairs = list(itertools.pairwise(times))
    count = len(set(times))
    if count > 1 and all(one >= other for one, other in pairs):
        return True, count
    return (False if count > 1 and all(one <= other for one, other in pairs) else None), count
