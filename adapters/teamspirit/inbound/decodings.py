"""Messages of the history as they were decoded before. Bounded; used by `compare` and `catch_up`."""

from __future__ import annotations

import asyncio
import collections
import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.readings import Reading
from adapters.teamspirit.wire import NativeMessage, Undecodable

_STEP = 8
"""After so many items the loop has its turn: they take less than a millisecond."""


class Decodings:
    """Messages as they were read before, for all chats of an account together. Most items are the same at every look, and reading
    their markup is what takes time. As many are kept as one look at all chats needs, `most` at most."""

    def __init__(self, decoder: Decoder, most: int = 4000) -> None:
        self.decoder = decoder
        self._most = most
        self._kept = 0
        self._known: collections.OrderedDict[tuple[str, bytes], NativeMessage | str] = collections.OrderedDict()

    def make_room(self, messages: int) -> None:
        """One more chat, of which so many are looked at again and again."""
        self._kept = min(self._kept + messages, self._most)

    async def readings(self, items: Sequence[Any], chat_id: str) -> list[Reading]:
        """A page of a history, item by item. Long texts are decoded beside the loop, and others have the loop in between: a page
        may hold hundreds of items."""
        fields, readings = self.decoder.dialect.message_fields, []
        for number, item in enumerate(items, 1):
            readings.append(Reading.of(item, await self._read(item, chat_id), fields))
            if number % _STEP == 0:
                await asyncio.sleep(0)
        return readings

    async def _read(self, item: Any, chat_id: str) -> NativeMessage | str:
        """The message, or why it is none."""
        key = (chat_id, _hash(item))
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found
        await self.decoder.read_ahead(item)
        try:
            found = self.decoder.message(item, chat_id)
        except Undecodable as error:
            found = str(error)
        self._known[key] = found
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return found


def _hash(item: Any) -> bytes:
    """Tells one item from another, and an item from what it was. Kept in memory only."""
    return blake2b(json.dumps(item).encode(), digest_size=16).digest()
