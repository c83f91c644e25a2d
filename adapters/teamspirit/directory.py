"""Who is behind a user id, for servers whose messages tell only that. Bounded and forgetful; asks through the adapter's client."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Awaitable, Callable

from bridge.model.clock import Clock
from bridge.model.errors import BridgeError
from bridge.model.events import Author

_KEPT = 2000
_KEPT_S = 3600.0
_FAILED_KEPT_S = 60.0

Ask = Callable[[str], Awaitable[Author | None]]


class People:
    """`ask` fetches one user; failures are remembered for a minute, so that a missing right does not double every call."""

    def __init__(self, ask: Ask | None, clock: Clock) -> None:
        self._clock = clock
        self._ask = ask
        self._known: collections.OrderedDict[str, tuple[float, Author | None]] = collections.OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    async def fill(self, author: Author) -> Author:
        """The author with a name: as the server tells it, else the id. Never fails: a name is no reason to hold a message back."""
        known = await self.person(author.user_id)
        if known is None:
            return Author(user_id=author.user_id, name=author.user_id, is_bot=author.is_bot)
        return Author(
            user_id=author.user_id,
            name=known.name or author.user_id,
            username=known.username,
            avatar_url=author.avatar_url or known.avatar_url,
            is_bot=author.is_bot or known.is_bot,
        )

    async def person(self, user_id: str) -> Author | None:
        """What the server says about a user; None if it cannot be told."""
        if self._ask is None:
            return None
        async with self._one_at_a_time:
            until_s, found = self._known.get(user_id, (0.0, None))
            if until_s > self._clock.monotonic_s():
                return found
            try:
                found = await self._ask(user_id)
            except BridgeError:
                found = None
            self._known[user_id] = (self._clock.monotonic_s() + (_KEPT_S if found else _FAILED_KEPT_S), found)
            self._known.move_to_end(user_id)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return found
