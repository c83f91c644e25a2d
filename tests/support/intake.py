"""The core as an adapter sees it, in memory: an `Intake` that keeps all it is handed and that a test can ask."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from bridge.model.adapter import Cursor
from bridge.model.events import ChatEvent, MessageCreated, MessageEdited
from bridge.model.rich_text import text_of
from tests.support.patience import PATIENCE_S

Kind = TypeVar("Kind")


class RecordingIntake:
    """Recognises redelivered events by their key, as the journal does. `chats` are those that a route has as origin."""

    def __init__(self, chats: Iterable[str] = ()) -> None:
        self.chats: set[str] = set(chats)
        self.handed: list[ChatEvent] = []
        """All that was handed over, redelivered events too."""
        self.hears = False
        """Whether commands count in private chats."""
        self.events: list[ChatEvent] = []
        """What was accepted, each event once, the account's own doings too."""
        self.duplicates: list[ChatEvent] = []
        self.keys: set[str] = set()
        self.batch_sizes: list[int] = []
        self.cursors: dict[str, str] = {}
        self.known_ids: dict[str, list[str]] = {}
        """Chat -> ids of its messages, newest first. The core knows those of others by itself; copies by their receipts, which a
        test adds here."""
        self.undecoded: list[tuple[bytes, str]] = []
        self.ignored_reasons: Counter[str] = Counter()
        self.notices: list[tuple[str, str, str]] = []
        """(reason, action, chat)"""
        self.restorations: list[str] = []
        self.gaps: list[tuple[str, datetime, datetime, str]] = []
        """(chat, since, until, reason)"""
        self.moves: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self.connections = 0
        self.may_sends = 0
        self.up = asyncio.Event()
        """Set by `connected`."""
        self.before_accept: Callable[[], Awaitable[object]] | None = None
        """Awaited before a batch is kept: to delay it (an event's `wait`), or to fail."""
        self._changed = asyncio.Event()

    # -- what the adapter calls -------------------------------------------------------------------------------------------------

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        if self.before_accept is not None:
            await self.before_accept()
        if events:
            self.batch_sizes.append(len(events))
        for event in events:
            self.handed.append(event)
            if event.meta.event_key in self.keys:
                self.duplicates.append(event)
                continue
            self.keys.add(event.meta.event_key)
            self.events.append(event)
            if isinstance(event, MessageCreated) and not event.meta.sent_by_us:
                self.known_ids.setdefault(event.meta.origin.chat_id, []).insert(0, event.message_id)
        self._keep(cursors)

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        self.undecoded.append((raw, reason))
        self._keep(cursors)

    def ignored(self, reason: str) -> None:
        self.ignored_reasons[reason] += 1
        self.wake()

    async def cursor(self, name: str) -> str | None:
        return self.cursors.get(name)

    async def is_known(self, event_key: str) -> bool:
        return event_key in self.keys

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        return self.known_ids.get(chat_id, [])[:limit]

    def routed_chats(self) -> frozenset[str]:
        return frozenset(self.chats)

    def is_end(self, chat_id: str, thread_id: str | None) -> bool:
        return False

    def hears_private(self) -> bool:
        return self.hears

    def connected(self) -> None:
        self.connections += 1
        self.up.set()
        self.wake()

    def may_send(self) -> None:
        self.may_sends += 1

    async def set_own_names(self, names: Iterable[str]) -> None:
        self.names = set(names)

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        self.notices.append((reason, action, chat_id))
        self.wake()

    def chat_restored(self, chat_id: str) -> None:
        self.restorations.append(chat_id)
        self.wake()

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        self.gaps.append((chat_id, since, until, reason))

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        self.moves.append((old_chat_id, new_chat_id))
        self.wake()

    def _keep(self, cursors: Sequence[Cursor]) -> None:
        self.cursors.update({cursor.name: cursor.value for cursor in cursors})
        self.wake()

    # -- what a test asks -------------------------------------------------------------------------------------------------------

    def foreign(self) -> list[ChatEvent]:
        """What others did."""
        return [event for event in self.events if not event.meta.sent_by_us]

    def own(self) -> list[ChatEvent]:
        """What the account itself did."""
        return [event for event in self.events if event.meta.sent_by_us]

    def of(self, kind: type[Kind]) -> list[Kind]:
        """What others did, of that kind."""
        return [event for event in self.foreign() if isinstance(event, kind)]

    def texts(self) -> list[str]:
        """The words of the messages that others wrote."""
        return [text_of(event.content.text) for event in self.of(MessageCreated)]

    def words(self) -> list[str]:
        """The same with the words that edits brought."""
        return [text_of(event.content.text) for event in self.foreign() if isinstance(event, MessageCreated | MessageEdited)]

    def noticed(self) -> list[str]:
        """The reasons of all notices."""
        return [reason for reason, _, _ in self.notices]

    def wake(self) -> None:
        """Something changed: whoever waits by `until` looks again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something that this intake is told makes the condition true."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"never came: have {self.foreign()}, not understood {self.undecoded}") from None

    async def wait(self, count: int) -> list[ChatEvent]:
        """Wait for so many events of others."""
        await self.until(lambda: len(self.foreign()) >= count)
        return self.foreign()


class Gate:
    """Holds up whoever awaits it until it is opened, as `RecordingIntake.before_accept`: `held` tells how many came."""

    def __init__(self) -> None:
        self.held = 0
        self._open = asyncio.Event()

    async def __call__(self) -> None:
        self.held += 1
        await self._open.wait()

    def open(self) -> None:
        self._open.set()
