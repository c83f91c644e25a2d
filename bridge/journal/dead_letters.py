"""All dead letters in their order, for who retries many: the same bounds wherever that is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bridge.journal.contract import DeadLetterStore, DeadMark

MOST = 10_000
"""Letters that are retried at once; who has more does it again."""
AT_ONCE = 200
"""Letters that one transaction takes: relaying writes in between."""
_PAGE = 1000


async def marks(journal: DeadLetterStore) -> AsyncIterator[DeadMark]:
    """From the oldest delivery on. Each is told once, also if it dies again meanwhile. Raises JournalError."""
    after = 0
    while True:
        page = await journal.dead_marks(after=after, limit=_PAGE)
        for mark in page:
            yield mark
        if len(page) < _PAGE:
            return
        after = page[-1].delivery_id
