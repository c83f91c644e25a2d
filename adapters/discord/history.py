"""Reading back: what happened while nobody listened, and whether a message of unknown outcome exists.

Called by `adapter` (history, reconcile) and `receiver` (catch-up after a new session). Source: API reference, "Get Channel
Messages": `after` gives the oldest messages behind an id, up to 100, newest first; without Read Message History the list is empty.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.discord.decode import Context, decode_edit, decode_message, deletion_of
from adapters.discord.transport import Route, Transport
from bridge.events import ChatEvent, Ignored

PAGE = 100
EPOCH_MS = 1_420_070_400_000
RECONCILE_PAGES = 20
MAX_THREADS = 20
CLOCK_MARGIN_S = 5.0
"""How far our clock, corrected by Discord's own `Date`, may still be off."""
RECENT = 100
"""How many of a chat's latest messages are compared for edits and deletions that were missed."""
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What decoding raises for a payload that is not as documented."""


def snowflake_at(moment: datetime) -> str:
    """The smallest id that a message of that moment can have."""
    return str(max(0, int(moment.timestamp() * 1000) - EPOCH_MS) << 22)


def moment_of(snowflake: str) -> datetime:
    return datetime.fromtimestamp(((int(snowflake) >> 22) + EPOCH_MS) / 1000, UTC)


class History:
    def __init__(self, transport: Transport, context: Context) -> None:
        self._transport = transport
        self._context = context

    async def page(self, channel_id: str, **query: str) -> list[dict[str, Any]]:
        """One page of message objects, oldest first. Raises the bridge's errors, or `Refused`."""
        path = f"/channels/{channel_id}/messages"
        found = await self._transport.call(Route("GET", path, f"{path}?"), query={"limit": str(PAGE), **query})
        return sorted(found, key=lambda m: int(m["id"]))

    async def pages(self, channel_id: str, since: str) -> AsyncIterator[list[dict[str, Any]]]:
        """All messages after an id, oldest first."""
        after = since
        while True:
            page = await self.page(channel_id, after=after)
            if page:
                yield page
                after = str(page[-1]["id"])
            if len(page) < PAGE:
                return

    async def events(self, channel_id: str, since: str) -> AsyncIterator[list[ChatEvent]]:
        """Messages after an id as the events of their creation, page by page; those that cannot be read are left out."""
        async for page in self.pages(channel_id, since):
            yield [event for message in page if (event := self._created(message)) is not None]

    def _created(self, message: dict[str, Any]) -> ChatEvent | None:
        try:
            event = decode_message(message, self._context)
        except UNREADABLE:
            return None
        return None if isinstance(event, Ignored) else event

    async def changes(self, channel_id: str, known_ids: Sequence[str]) -> list[ChatEvent]:
        """Edits and deletions that the latest messages of a channel and its threads tell of: of messages that the bridge knows.

        A known message counts as deleted only where everything it could be in was read. Threads are read too, since their messages
        are known as the channel's; where there are too many, deletions stay unknown."""
        known = {i for i in known_ids if i.isdecimal()}
        if not known:
            return []
        threads = await self._threads(channel_id)
        shown: dict[str, dict[str, Any]] = {}
        oldest = 0
        for place in (channel_id, *(threads or ())):
            page = await self.page(place)
            shown.update((str(m["id"]), m) for m in page)
            oldest = max(oldest, int(page[0]["id"]) if len(page) == PAGE else 0)
        events: list[ChatEvent] = []
        for message_id in sorted(known, key=int):
            edit = self._edited(shown[message_id]) if message_id in shown else None
            if edit is not None:
                events.append(edit)
            elif message_id not in shown and shown and threads is not None and int(message_id) >= oldest:
                events.append(deletion_of(message_id, channel_id, self._context))
        return events

    async def _threads(self, channel_id: str) -> list[str] | None:
        """Ids of all threads of a channel, archived ones too; None if they are too many to read."""
        path = f"/channels/{channel_id}/threads/archived/public"
        archived = await self._transport.call(Route("GET", path, path), query={"limit": str(MAX_THREADS)})
        ids = {t.id for t in self._context.places.threads_of(channel_id)} | {str(t["id"]) for t in archived["threads"]}
        return None if archived.get("has_more") or len(ids) > MAX_THREADS else sorted(ids)

    async def learn_archived(self, channel_id: str) -> None:
        """Tell the places of threads that were archived while nobody listened (the latest ones)."""
        path = f"/channels/{channel_id}/threads/archived/public"
        listed = await self._transport.call(Route("GET", path, path), query={"limit": str(MAX_THREADS)})
        for thread in listed["threads"]:
            self._context.places.learn(thread)

    def _edited(self, message: dict[str, Any]) -> ChatEvent | None:
        try:
            return decode_edit(message, self._context)
        except UNREADABLE:
            return None

    async def find(
        self,
        channel_id: str,
        sent_after: datetime,
        *,
        name: str | None,
        content: str,
        sizes: Sequence[int],
        not_ids: frozenset[str],
    ) -> tuple[str, str | None] | None:
        """Our own message with that text and those files, sent after a moment of our clock: its id and that of the webhook that
        posted it. None if there is no such message.

        `name` is the name a webhook showed, None for messages of the bot; `not_ids` are messages known to be others. Discord trims
        texts, and renames files: texts are compared without their outer white space, files by their sizes.
        """
        after = snowflake_at(self._transport.server_time(sent_after) - timedelta(seconds=CLOCK_MARGIN_S))
        wanted = (content.strip(), sorted(sizes))
        for _ in range(RECONCILE_PAGES):
            page = await self.page(channel_id, after=after)
            for message in page:
                if str(message["id"]) in not_ids or not self._is_own(message, name):
                    continue
                files = sorted(int(a["size"]) for a in message.get("attachments") or ())
                if (str(message.get("content") or "").strip(), files) == wanted:
                    webhook_id = message.get("webhook_id")
                    return str(message["id"]), None if webhook_id is None else str(webhook_id)
            if len(page) < PAGE:
                return None
            after = str(page[-1]["id"])
        return None

    def _is_own(self, message: dict[str, Any], name: str | None) -> bool:
        if message.get("webhook_id") is None:
            return name is None and str(message["author"]["id"]) == self._context.user_id
        ours = str(message.get("application_id")) == self._context.application_id
        return ours and name is not None and str(message["author"]["username"]) == name
