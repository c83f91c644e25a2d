"""The log of the changes in an emulator's chats: numbered, bounded, with any number of readers.

A reader that falls behind by more than the log keeps gets `ChangesLost`; nothing is left out silently. An entry is rendered when it
is read, not when it is made: benchmarks make many that nobody reads.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from adapters.common.emulation.contract import ChangesLost, SeenChange, SeenMessage

_T = TypeVar("_T")


class ChangeLog(Generic[_T]):
    """The latest `kept` changes. `show` renders an entry as a person sees it."""

    def __init__(self, show: Callable[[_T], SeenMessage], kept: int) -> None:
        self._show = show
        self._entries: deque[tuple[str, _T, float]] = deque(maxlen=kept)
        self._last_seq = 0
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    def keep(self, kept: int) -> None:
        """Change the bound."""
        self._entries = deque(self._entries, maxlen=kept)

    def record(self, kind: str, entry: _T) -> None:
        """Add a change; `kind` as in `SeenChange`."""
        self._entries.append((kind, entry, time.monotonic()))
        self._last_seq += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self, since_seq: int = 0) -> AsyncIterator[SeenChange]:
        """Every change after `since_seq`, forever. Raises ChangesLost when the next one is no longer kept."""
        at = since_seq
        while True:
            changed = self._changed
            while at < self._last_seq:
                before_oldest = self._last_seq - len(self._entries)
                if at < before_oldest:
                    raise ChangesLost(before_oldest)
                kind, entry, at_s = self._entries[at - before_oldest]
                at += 1
                yield SeenChange(seq=at, kind=kind, message=self._show(entry), at_s=at_s)
            await changed.wait()
