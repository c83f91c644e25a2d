"""Reads one chat's history: passes what is new or changed to the intake, and moves the cursor with it. Called by `receiver`.
`compare` decides what a page means."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from adapters.teamspirit.errors import Gone, TooFar
from adapters.teamspirit.inbound.absences import EMPTIED, NOT_BEHIND, look
from adapters.teamspirit.inbound.compare import OVERLAP_MS, START, UNREAD, Compare, Found, Problem, State, is_read, last_id
from adapters.teamspirit.inbound.decodings import Decodings
from adapters.teamspirit.inbound.readings import SURE, Reading, order_told
from adapters.teamspirit.wire import NativeMessage
from bridge.model.adapter import Cursor
from bridge.model.clock import Clock
from bridge.model.events import Author, ChatEvent

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import History

ReadPage = Callable[[str, str, int | None], Awaitable[list[Any]]]
"""(chat id, `after`, `since_ms`) -> items, oldest first. Raises a DeliveryError, AccountDown."""
FillAuthor = Callable[[Author], Awaitable[Author]]


class Taker(Protocol):
    """Who takes what is read: the part of the intake that a reader uses. See `bridge.model.adapter.Intake`."""

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None: ...

    async def undecodable(self, raw: bytes, reason: str) -> None: ...

    async def cursor(self, name: str) -> str | None: ...

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None: ...

    def chat_restored(self, chat_id: str) -> None: ...

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None: ...


_REMEMBERED_SINCE = 300
_MOST_PAGES = 10_000
_AHEAD = timedelta(days=1)
_STUCK = (
    "the history cannot be read on: the server gives the same full page again, or the messages of a page have no id",
    "compare `history` and `message_fields.message_id` of the dialect with the server (`messenger-bridge dialect test`)",
)


class ChatReader:
    """All of its work happens under `lock`, so that a chat's events keep their order. `since` tells from when on a chat that was
    never read has news, `now` the time; both by the server's clock."""

    def __init__(
        self,
        chat_id: str,
        *,
        history: History,
        decodings: Decodings,
        intake: Taker,
        read_page: ReadPage,
        fill_author: FillAuthor,
        window: int,
        since: Callable[[str], datetime | None] = lambda _: None,
        now: Callable[[], datetime],
        clock: Clock,
        most_pages: int = _MOST_PAGES,
        remembered: int = _REMEMBERED_SINCE,
    ) -> None:
        """`most_pages` are read at one look, the rest at the next; `remembered` messages of a history by time."""
        self.chat_id = chat_id
        self.lock = asyncio.Lock()
        self._history = history
        self._compare = Compare(decodings, history, chat_id, window if history.by == "after" else remembered)
        self._intake = intake
        self._read_page = read_page
        self._fill_author = fill_author
        self._since = since
        self._now = now
        self._clock = clock
        self._most_pages = most_pages
        self._state: State | None = None
        self._loaded = False
        self._versions: dict[str, str] = {}
        self._missing: frozenset[str] = frozenset()
        self._told: Problem | None = None
        self._was_full = False
        self._newest_first: bool | None = None

    @property
    def in_doubt(self) -> bool:
        """Whether something was missing at the last look, and the next one decides."""
        return bool(self._missing)

    def knows(self, message_id: str) -> bool:
        """Whether the message is there, from before we came or read since; call under `lock`."""
        return is_read(self._versions.get(message_id, UNREAD))

    def is_as_known(self, message: NativeMessage) -> bool:
        """Whether the message shows what it showed when it was read last; call under `lock`."""
        return self._versions.get(message.message_id) == message.version

    async def begin(self) -> None:
        """Set the place to start from in a chat that was never read before; elsewhere nothing; call under `lock`."""
        await self._load()
        self._compare.horizon_ms = round((self._now() + _AHEAD).timestamp() * 1000)
        if self._state is None:
            readings = await self._readings(await self._read_page(self.chat_id, "", None))
            whole = not self._compare.is_full(readings)
            if readings and self._history.by == "after" and self._history.without_after == "oldest":
                # a short page may have others behind it
                latest = await self._latest(readings)
                whole, readings = whole and len(latest) == len(readings), latest
            state = self._compare.first(readings, whole=whole, since=self._since(self.chat_id))
            await self._accept(Found(state))

    async def _latest(self, page: list[Reading]) -> list[Reading]:
        """The latest pages of a chat, read from its beginning: long, but once in a chat's life. Ends at what is said only now:
        somebody may always say more."""
        latest, said_now = page, self._since(self.chat_id) or self._now()
        for _ in range(self._most_pages):
            times = [one.sent_at for one in page if one.sent_at is not None]
            last = last_id(page)
            if not last or (times and max(times) >= said_now):
                break
            page, before = await self._behind(last), page
            if last_id(page) in ("", last):
                break  # the end, or a server that never moves on
            latest = [*latest[-self._history.page_size :], *page]
            if not times and len(page) < len(before):
                break
        return latest

    def rest(self) -> None:
        """Nothing happens here: forget what the cursor remembers too. Call under `lock`."""
        self._loaded, self._state, self._versions = False, None, {}

    def note(self, message: NativeMessage) -> None:
        """The message as it is now came another way and was accepted: reading it is no news. Call under `lock`."""
        if self._state is not None and message.message_id in self._versions:
            self._versions[message.message_id] = message.version
            self._state = msgspec.structs.replace(self._state, seen=tuple(self._versions.items()))

    def told(self, message: NativeMessage) -> None:
        """What the message says was told as an event: reading it is no news. Call under `lock`. Only in a history by time: in
        others a message is a place too, and what comes before it may not be read yet."""
        if self._state is not None and self._history.by == "since":
            self._versions[message.message_id] = message.version
            self._state = msgspec.structs.replace(self._state, seen=tuple(self._versions.items()))

    def forget(self, message_id: str) -> None:
        """The message was deleted, which was accepted. Call under `lock`. The first one stays: it is a place, and not compared."""
        if self._state is not None and message_id in self._versions and self._state.seen[0][0] != message_id:
            del self._versions[message_id]
            self._state = msgspec.structs.replace(self._state, seen=tuple(self._versions.items()))

    async def read(self, *, again: bool) -> bool:
        """Take in what is new, with `again` also what became of the latest messages; call under `lock`. True if there was
        news that is not of our own making.

        Raises a DeliveryError or AccountDown; what was accepted before stays so."""
        await self.begin()
        assert self._state is not None, "begin sets it"
        missing_before, news, problem = self._missing, False, None
        if again and self._newest_from_start(self._state):
            # the newest page may be further on than what was read: first what comes after that
            news, problem = await self._read_on(1, missing_before)
        if again:
            self._missing = frozenset()
        more, later_problem = await self._read_on(0 if again else -1, missing_before)
        self._tell(later_problem or problem, again=again)
        return news or more

    def _newest_from_start(self, state: State) -> bool:
        return self._history.without_after == "newest" and len(state.seen) > 1 and state.seen[0][0] == START

    async def _read_on(self, start: int, missing_before: frozenset[str]) -> tuple[bool, Problem | None]:
        """Pages behind `seen[start]` (-1: the last one), to the end: whether there was news, and what was wrong with the end."""
        news, problem = False, None
        reached: tuple[str, int] | None = None
        for _ in range(self._most_pages):
            assert self._state is not None, "begin sets it"
            found = await self._look(self._state, start, missing_before)
            if found.more and found.missing:
                # they would fall out of what is remembered before the next time: looked at twice right away
                found = await self._look(self._state, start, missing_before | found.missing)
            news = await self._accept(found) or news
            if start >= 0:
                self._missing |= found.missing
            start = found.place if start >= 0 else -1
            place = found.state.seen[found.place][0] if found.state.seen else ""
            before, reached = reached, (place, found.state.at_ms)
            moves = found.more and reached != before
            if not moves:
                # the last page, or a server that never moves on; a full page behind which there is no place to read on from
                # hides all that follows
                problem = _STUCK if found.full and self._history.by == "after" else found.problem
                break
        return news, problem

    def _tell(self, problem: Problem | None, *, again: bool) -> None:
        """Once, until it is over: only a look at the latest messages `again` shows that none of them is missing."""
        if problem is None and not again and self._told in (NOT_BEHIND, EMPTIED):
            return
        if problem is not None and problem != self._told:
            self._intake.notice(*problem, chat_id=self.chat_id)
        elif self._told is not None and problem is None:
            self._intake.chat_restored(self.chat_id)
        self._told = problem

    async def _look(self, state: State, start: int, missing_before: frozenset[str]) -> Found:
        now = self._clock.now()
        if self._history.by == "since":
            # a chat that was empty has no latest time yet; 0 would mean no time at all
            since_ms = max(state.at_ms - OVERLAP_MS, 1)
            items = await self._read_page(self.chat_id, "", since_ms)
            found = self._compare.since(state, await self._readings(items), now)
            if found.full and (found.more or not self._was_full):
                await self._gap(state, "more was changed than the server tells at once")
            self._was_full = found.full
            return found
        items, place = await self._page(state, start if start >= 0 else len(state.seen) - 1)
        readings = await self._readings(items)
        looked = await look(self._compare, state, place, readings, self._behind)
        found = self._compare.after(state, looked.readings, place, now, missing=looked.missing, missing_before=missing_before)
        found.problem = looked.problem
        return found

    async def _behind(self, message_id: str) -> list[Reading]:
        return await self._readings(await self._read_page(self.chat_id, message_id, None))

    async def _readings(self, items: list[Any]) -> list[Reading]:
        """Oldest first, whatever the server's order is."""
        readings = await self._compare.decodings.readings(items, self.chat_id)
        newest_first, times = order_told(readings)
        if newest_first is not None and times >= SURE:
            self._newest_first = newest_first
        elif self._newest_first is not None:
            newest_first = self._newest_first
        return readings[::-1] if newest_first else readings

    async def _page(self, state: State, start: int) -> tuple[list[Any], int]:
        """The page behind `state.seen[start]`, or behind the nearest one, older ones first, that the server still knows."""
        places = [*range(start, -1, -1), *range(start + 1, len(state.seen))] if state.seen else []
        too_far = False
        for place in places:
            if too_far and place != len(state.seen) - 1:
                continue  # only the newest one may be nearer
            try:
                return await self._read_page(self.chat_id, state.seen[place][0], None), place
            except TooFar:
                too_far = True
            except Gone:
                continue
        items = await self._read_page(self.chat_id, "", None)
        if state.seen and len(items) >= self._history.page_size and self._history.without_after == "newest":
            await self._gap(state, "the server forgot where we were")
        return items, -1

    async def _gap(self, state: State, reason: str) -> None:
        since = datetime.fromtimestamp(state.at_ms / 1000, UTC)
        await self._intake.gap(self.chat_id, since=since, until=self._now(), reason=reason)

    async def _accept(self, found: Found) -> bool:
        for raw, reason in found.unknown:
            await self._intake.undecodable(raw, reason)
        events = [await self._with_author(event) for event in found.events]
        if events or found.state != self._state:
            cursor = Cursor(name=self._cursor_name, value=msgspec.json.encode(found.state).decode())
            await self._intake.accept(events, cursors=[cursor])
            self._set(found.state)
        return any(not event.meta.sent_by_us for event in events)

    async def _with_author(self, event: ChatEvent) -> ChatEvent:
        author = event.meta.author
        if author is None or author.name or event.meta.sent_by_us:
            return event
        meta = msgspec.structs.replace(event.meta, author=await self._fill_author(author))
        return msgspec.structs.replace(event, meta=meta)

    @property
    def _cursor_name(self) -> str:
        return f"history:{self.chat_id}"

    async def _load(self) -> None:
        if self._loaded:
            return
        stored = await self._intake.cursor(self._cursor_name)
        if stored is not None:
            try:
                self._set(msgspec.json.decode(stored, type=State))
            except msgspec.DecodeError:
                # written by another version: only a new start cannot double anything
                self._state = None
        self._loaded = True

    def _set(self, state: State) -> None:
        self._state = state
        self._versions = dict(state.seen)
