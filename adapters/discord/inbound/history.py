"""Reading back: pages of a chat's messages, and what changed in them while the bridge was away.

Called by `adapter` and `catch_up`; `reconcile` reads pages. Source: API reference, "Get Channel Messages": `after` gives the oldest
messages behind an id, up to 100, newest first; without Read Message History the list is empty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from adapters.discord import wire
from adapters.discord.errors import Refused
from adapters.discord.inbound.decode import deletion_of
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.decode_messages import decode_edit, decode_message
from adapters.discord.inbound.decode_polls import votes_of
from adapters.discord.lenient import UNREADABLE, mapping, objects, whole
from adapters.discord.transport import Route, Transport
from bridge.model.errors import RetryLater
from bridge.model.events import ChatEvent, Ignored

PAGE = 100
MAX_THREADS = 20
RECENT = 100
"""How many of a chat's latest messages are compared for edits and deletions that were missed."""


class _Page(NamedTuple):
    messages: list[wire.Message]
    """Those that have an id, oldest first."""
    is_full: bool
    """As many as Discord gives at once: also those without an id count."""
    is_whole: bool
    """Each has an id: what is not among them is not there."""


_BEYOND = 2**64
"""Comes after every id."""


class History:
    def __init__(self, transport: Transport, context: Context) -> None:
        self._transport = transport
        self._context = context
        self.failures: dict[str, int] = {}
        """Channels whose history could not be read, and in how many runs of the adapter."""
        self._unreadable: list[tuple[wire.Message, str]] = []

    async def page(self, channel_id: str, **query: str) -> list[wire.Message]:
        """One page of message objects, oldest first. Raises the bridge's errors, or `Refused`."""
        return (await self._page(channel_id, **query)).messages

    async def _page(self, channel_id: str, **query: str) -> _Page:
        """Those without an id are in `unreadable`. An answer that is no list says nothing about the channel."""
        path = f"/channels/{channel_id}/messages"
        answer = await self._transport.call(Route("GET", path, f"{path}?"), query={"limit": str(PAGE), **query})
        if not isinstance(answer, list):
            raise RetryLater("Discord's answer holds no list of messages")
        items: list[wire.Message] = objects(answer)
        found = [m for m in items if whole(m.get("id"))]
        if "after" in query:  # elsewhere the same messages are looked at again and again
            self._unreadable += [(m, "read back: no id") for m in items if not whole(m.get("id"))]
        messages = sorted(found, key=lambda m: int(m["id"]))
        return _Page(messages, len(answer) >= PAGE, len(messages) == len(answer))

    async def pages(self, channel_id: str, since: str) -> AsyncIterator[list[wire.Message]]:
        """All messages after an id, oldest first."""
        after = since
        while True:
            page, is_full, _ = await self._page(channel_id, after=after)
            yield page
            if not is_full:
                return
            if not page or int(page[-1]["id"]) <= int(after):
                raise RetryLater("Discord's history does not go on behind a page")
            after = str(page[-1]["id"])

    async def events(self, channel_id: str, since: str) -> AsyncIterator[list[ChatEvent]]:
        """Messages after an id as the events of their creation, page by page; those that cannot be read are in `unreadable`."""
        async for page in self.pages(channel_id, since):
            yield [event for message in page if (event := self._created(message)) is not None]

    async def on_request(self, channel_id: str, since: str) -> AsyncIterator[ChatEvent]:
        """The same one by one. Raises the bridge's errors."""
        try:
            async for events in self.events(channel_id, since):
                for event in events:
                    yield event
        except Refused as refused:
            raise refused.error from None

    def take_unreadable(self) -> list[tuple[wire.Message, str]]:
        """Messages that were read back and not understood since this was last asked, with the reason."""
        taken, self._unreadable = self._unreadable, []
        return taken

    def _created(self, message: wire.Message) -> ChatEvent | None:
        try:
            event = decode_message(message, self._context)
        except UNREADABLE as error:
            self._unreadable.append((message, f"read back: {type(error).__name__}: {error}"[:300]))
            return None
        return None if isinstance(event, Ignored) else event

    async def learn_archived(self, channel_id: str) -> bool:
        """Add the threads that may have been archived while the bridge was away to the guild cache; whether these are all."""
        paths = [f"/channels/{channel_id}/threads/archived/public"]
        channel = self._context.guilds.get(channel_id)
        if channel is None or not channel.is_forum:  # all posts of a forum are public
            paths.append(f"/channels/{channel_id}/users/@me/threads/archived/private")
        is_complete = True
        for path in paths:
            answer = await self._transport.call(Route("GET", path, path), query={"limit": str(MAX_THREADS)})
            listed: wire.ThreadList = mapping(answer)
            learned = [thread for thread in objects(listed.get("threads")) if self._learn(thread)]
            is_complete = is_complete and not listed.get("has_more") and _has_just(listed.get("threads"), len(learned))
        return is_complete

    def _learn(self, thread: wire.Channel) -> bool:
        """Whether it is understood; one that is not must not hide the others."""
        try:
            self._context.guilds.learn(thread)
        except UNREADABLE:
            return False
        return True

    async def changes(self, channel_id: str, known_ids: Sequence[str], *, knows_all_threads: bool) -> list[ChatEvent]:
        """Edits, votes and deletions that the latest messages tell of, as far as the bridge knows the messages.

        A thread's messages are known as its channel's, so one that the channel does not show counts as deleted only when no thread
        shows it either, and no thread is unknown."""
        known = {i for i in known_ids if i.isdecimal()}
        if not known:
            return []
        channel = self._context.guilds.get(channel_id)
        is_forum = channel is not None and channel.is_forum
        shown, oldest = ({}, 0) if is_forum else await self._latest(channel_id)
        missing = {i for i in known if i not in shown and int(i) >= oldest}
        threads = [t.id for t in self._context.guilds.threads_of(channel_id)]
        is_complete = knows_all_threads and len(threads) <= MAX_THREADS and (is_forum or bool(shown))
        if not is_complete and not is_forum:
            missing = set()
        for thread_id in threads[-MAX_THREADS:] if missing else ():
            there, oldest_there = await self._latest(thread_id)
            shown |= there
            missing = {i for i in missing if i not in there and int(i) >= oldest_there}
        if not is_complete:
            missing = set()
        edits = [edit for i in known if i in shown and (edit := self._edited(shown[i])) is not None]
        votes = [found for i in known if i in shown and (found := self._votes(shown[i])) is not None]
        deletions = [deletion_of(i, channel_id, self._context) for i in sorted(missing, key=int)]
        return [*sorted(edits, key=lambda e: e.meta.occurred_at), *votes, *deletions]

    async def _latest(self, channel_id: str) -> tuple[dict[str, wire.Message], int]:
        """The latest messages of a channel or thread by id, and from which id on these are all. One without an id may be any of
        those that are missing."""
        page, is_full, is_whole = await self._page(channel_id)
        oldest = int(page[0]["id"]) if page and is_whole else _BEYOND
        return {str(int(m["id"])): m for m in page}, oldest if is_full or not is_whole else 0

    def _votes(self, message: wire.Message) -> ChatEvent | None:
        try:
            return votes_of(message, self._context)
        except UNREADABLE:
            return None

    def _edited(self, message: wire.Message) -> ChatEvent | None:
        try:
            return decode_edit(message, self._context)
        except UNREADABLE:
            return None


def _has_just(found: object, count: int) -> bool:
    """Whether it is a list, and of so many."""
    return isinstance(found, list) and len(found) == count
