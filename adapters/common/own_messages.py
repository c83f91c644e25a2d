"""Which messages are ours: by our user id if the server gives it, otherwise by the ids in the answers to our sends. No I/O."""

from __future__ import annotations

import asyncio
import collections
from collections.abc import Iterator
from contextlib import contextmanager

_REMEMBERED = 10_000
_LONGEST_WAIT_S = 10.0


class OwnMessages:
    """`me_id` is empty if the server does not say who we are."""

    def __init__(self) -> None:
        self.me_id = ""
        self._sent: collections.OrderedDict[tuple[str, str], None] = collections.OrderedDict()
        self._latest: collections.OrderedDict[str, str] = collections.OrderedDict()
        self._under_way: dict[str, set[asyncio.Future[None]]] = {}

    def is_own(self, user_id: str, chat_id: str, message_id: str) -> bool:
        if self.me_id:
            return user_id == self.me_id
        return (chat_id, message_id) in self._sent

    def sent(self, chat_id: str, message_id: str) -> None:
        self._sent[(chat_id, message_id)] = None
        self._latest[chat_id] = message_id
        self._latest.move_to_end(chat_id)
        for remembered in (self._sent, self._latest):
            while len(remembered) > _REMEMBERED:
                remembered.popitem(last=False)

    def latest(self, chat_id: str) -> str:
        """The last message that we certainly sent into the chat; empty if none is known."""
        return self._latest.get(chat_id, "")

    @contextmanager
    def sending(self, chat_id: str) -> Iterator[None]:
        """Wraps a send whose answer has the id."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        under_way = self._under_way.setdefault(chat_id, set())
        under_way.add(done)
        try:
            yield
        finally:
            done.set_result(None)
            under_way.discard(done)
            if not under_way and self._under_way.get(chat_id) is under_way:
                del self._under_way[chat_id]

    async def settled(self, chat_id: str) -> None:
        """Wait, for a bounded time, for the sends in progress in the chat: a message that arrives meanwhile may be one of them,
        which only the answer shows. Returns at once if our user id is known."""
        under_way = self._under_way.get(chat_id)
        if under_way and not self.me_id:
            await asyncio.wait(list(under_way), timeout=_LONGEST_WAIT_S)
