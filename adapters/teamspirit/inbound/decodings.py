"""Messages of the history as they were decoded before. Bounded; used by `compare` and `catch_up`."""

from __future__ import annotations

import collections
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.wire import NativeMessage, Undecodable


class Decodings:
    """Messages as they were read before, for all chats of an account together. Most items are the same at every look, and reading
    their markup is what takes time. As many are kept as one look at all chats needs, `most` at most."""

    def __init__(self, decoder: Decoder, most: int = 4000) -> None:
        self.decoder = decoder
        self._most = most
        self._kept = 0
        self._known: collections.OrderedDict[tuple[str, str], NativeMessage | str] = collections.OrderedDict()

    def make_room(self, messages: int) -> None:
        """One more chat, of which so many are looked at again and again."""
        self._kept = min(self._kept + messages, self._most)

    async def read_ahead(self, items: Sequence[Any], chat_id: str) -> None:
        """`read` for those whose text is long and not known yet, each decoded beside the loop."""
        for item in items:
            key = (chat_id, digest(item))
            if key not in self._known:
                await self.decoder.read_ahead(item)
                self._read(key, item)

    def read(self, item: Any, chat_id: str) -> NativeMessage | str:
        """The message, or why it is none."""
        return self._read((chat_id, digest(item)), item)

    def _read(self, key: tuple[str, str], item: Any) -> NativeMessage | str:
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found
        try:
            found = self.decoder.message(item, key[0])
        except Undecodable as error:
            found = str(error)
        self._known[key] = found
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return found


def digest(item: Any) -> str:
    """Tells one item from another, and an item from what it was."""
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()[:12]
