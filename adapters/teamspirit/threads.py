"""Which thread an outbound message goes into, where a thread is named by its first message alone and by no other (Mattermost's
`root_id`). Learned from the messages that pass, else asked for; bounded.

Used by `adapter` for dialects whose `send` reads `message.root`.
"""

from __future__ import annotations

import collections
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.model.adapter import Outbound
from bridge.model.errors import ChatDown, Rejected

_REMEMBERED = 20_000


@dataclass(frozen=True)
class Found:
    """What the server says about one message: the thread it answers in (empty: in none), and whether it is still there."""

    thread_id: str
    chat_id: str = ""
    deleted: bool = False


Ask = Callable[[str], Awaitable[Found]]
"""(message id). Raises Rejected or ChatDown if the message is not there or not for us to see, RetryLater, AccountDown."""


class Threads:
    """`ask` is None where the dialect cannot look a message up: then only what was learned is known."""

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask
        self._roots: collections.OrderedDict[str, str] = collections.OrderedDict()

    def learn(self, message_id: str, thread_id: str | None, deleted: bool = False) -> None:
        """A message as the server shows it: `thread_id` is the first message of its thread, None: it answers none."""
        self._roots[message_id] = thread_id or ("" if deleted else message_id)
        self._roots.move_to_end(message_id)
        while len(self._roots) > _REMEMBERED:
            self._roots.popitem(last=False)

    def known(self, message_id: str) -> str:
        """The first message of its thread, as far as that was learned; empty if it was not, or the thread is gone."""
        root = self._roots.get(message_id, "")
        return self._roots.get(root, root)

    def forget(self, outbound: Outbound) -> None:
        """Forget what was known about these threads."""
        for message_id in _named(outbound):
            root = self._roots.pop(message_id, "")
            self._roots.pop(root, None)

    async def root(self, outbound: Outbound) -> str:
        """The first message of the thread to post into; empty: no thread was meant, or it is gone.

        Raises RetryLater, AccountDown if that cannot be told now."""
        for message_id in _named(outbound):
            root = await self._root_of(message_id, outbound.chat_id)
            if root:
                return root
        return ""

    async def _root_of(self, message_id: str, chat_id: str) -> str:
        known = self._roots.get(message_id)
        if known is not None:
            return self._roots.get(known, known)
        if self._ask is None:
            return message_id
        try:
            found = await self._ask(message_id)
        except (Rejected, ChatDown):
            # gone, or in a chat that we do not see: if it is this chat itself that refuses, sending will say so
            return ""
        if found.deleted or (found.chat_id and found.chat_id != chat_id):
            return ""
        self.learn(message_id, found.thread_id)
        return found.thread_id or message_id


def _named(outbound: Outbound) -> list[str]:
    """The messages that tell the thread, the surest first: the one that the route is set to, the answered one, and what is on
    record as the answered one's thread."""
    reply = outbound.reply
    named = (outbound.thread_id, reply.message_id if reply else None, reply.thread_id if reply else None)
    return list(dict.fromkeys(one for one in named if one))
