"""Private chats of people with the bot: what is said there since the bridge listens to commands is handed to the intake, which
relays none of it. Run beside the relayed chats by `receiver`.

Anybody may write to the bot. So all of it is bounded: how many chats are followed, how many are read at a look, how many pages of
one, how long a message is that may be a command, and what is kept on disk: one cursor for all of these chats. Edits, deletions and
whatever cannot be read are passed over.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import structlog

from adapters.teamspirit.client import Client, DirectChat
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.inbound.catch_up import ChatReader
from adapters.teamspirit.inbound.decode import Decoder, said_in_private
from adapters.teamspirit.inbound.decode_parts import time_of
from adapters.teamspirit.inbound.decodings import Decodings
from bridge.model.adapter import Cursor, Intake
from bridge.model.clock import Clock
from bridge.model.errors import ChatDown, DeliveryError, Rejected, RetryLater
from bridge.model.events import ChatEvent, MessageCreated
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import History

log = structlog.get_logger("teamspirit")

MOST_CHATS = 100
"""So many are followed: those with the latest messages, where the server says when these were sent; else those listed first."""
_MOST_LISTED = 2000
_MOST_READ = 20
"""Chats at one look; the others have their turn at the next."""
_MOST_PAGES = 20
_REMEMBERED = 10
"""Messages of a chat, in its cursor."""
_LONGEST = 1000
"""Characters of a message that may be a command, which is shorter still."""
_CLOCK_SET_BACK_MS = 60_000
_STORED_EVERY_MS = 600_000
_CURSOR = "direct"
_REFUSED_WAIT_S = 900.0
_LONGEST_BACKOFF_S = 60.0
_NOT_LISTED = "commands in private chats with the bot are not heard: the server does not list these chats"
_TOO_MANY = f"more than {MOST_CHATS} people wrote to the bot: commands in the other private chats are not heard"
_LET_LIST = "let the bot list its chats, or take operations.direct_chats out of the dialect"
_REMOVE = "close private chats with the bot that nobody needs; commands in the chats of routes are heard"


class _Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a chat was read."""

    chat_id: str
    since_ms: int
    """Unix time. What was said before, the bridge was not there to hear."""
    state: str = ""
    """The cursor of its reader."""
    latest: str = ""
    """What the server said of its latest message when it was read."""


class _Kept(msgspec.Struct, frozen=True):
    looked_ms: int
    """Unix time of a look at which nothing said before was left unread."""
    chats: tuple[_Heard, ...] = ()
    """Those heard last come last."""


class DirectChats:
    """Made for each run of the account. The time is the server's."""

    def __init__(
        self,
        account: AccountName,
        history: History,
        client: Client,
        directory: Directory,
        decoder: Decoder,
        intake: Intake,
        *,
        clock: Clock,
    ) -> None:
        self._account = account
        self._history = history
        self._client = client
        self._directory = directory
        self._decodings = Decodings(decoder, most=_MOST_READ * _REMEMBERED)
        self._intake = intake
        self._clock = clock
        self._looked_ms: int | None = None
        self._heard: collections.OrderedDict[str, _Heard] = collections.OrderedDict()
        self._pending: collections.deque[DirectChat] = collections.deque()
        self._began_ms = self._stored_ms = 0
        self._is_left_out = False
        """Whether a chat of this round could not be read."""
        self._told = ""

    async def run(self, pace_s: Callable[[], float]) -> None:
        """Until cancelled. Raises AccountDown. `pace_s`: how long to wait between two looks."""
        await self._load()
        failures = 0
        while True:
            wait_s = pace_s()
            try:
                if self._intake.hears_private():
                    await self.look()
                else:
                    await self._forget()
                failures = 0
            except RetryLater as error:
                failures += 1
                log.info("private chats not read", account=self._account, reason=error.reason)
                backoff_s = min(2.0 ** min(failures, 10), _LONGEST_BACKOFF_S)
                wait_s = max(wait_s, backoff_s if error.after_s is None else error.after_s)
            except (Rejected, ChatDown) as error:
                self._tell(f"{_NOT_LISTED} ({error.reason})", _LET_LIST)
                wait_s = max(wait_s, _REFUSED_WAIT_S)
            await self._clock.sleep(wait_s)

    async def look(self) -> None:
        """Read some of the chats in which something may have been said. Raises DeliveryError, AccountDown."""
        now_ms = self._now_ms()
        if self._looked_ms is None or self._looked_ms > now_ms + _CLOCK_SET_BACK_MS:
            # only what is said from now on is meant for the bridge; or the server's clock was wrong
            self._looked_ms = now_ms
            await self._keep()
        if not self._pending:
            self._began_ms, self._is_left_out = now_ms, False
            self._pending.extend(self._wanted(await self._client.direct_chats(_MOST_LISTED)))
        for _ in range(min(_MOST_READ, len(self._pending))):
            await self._read(self._pending.popleft())
        if not self._pending and not self._is_left_out and self._began_ms > self._looked_ms:
            self._looked_ms = self._began_ms
            if self._looked_ms > self._stored_ms + _STORED_EVERY_MS:
                await self._keep()

    def _wanted(self, chats: Sequence[DirectChat]) -> list[DirectChat]:
        """Those to read, the latest first."""
        routed, looked_ms = self._intake.routed_chats(), self._looked_ms or 0
        wanted: list[tuple[int, DirectChat]] = []
        for chat in chats:
            heard = self._heard.get(chat.chat_id)
            moment = time_of(chat.latest) if chat.latest else None
            latest_ms = 0 if moment is None else round(moment.timestamp() * 1000)
            is_old = heard is None and 0 < latest_ms < looked_ms
            if (
                chat.chat_id not in routed
                and not is_old
                and not (heard is not None and chat.latest and heard.latest == chat.latest)
            ):
                wanted.append((latest_ms, chat))
        wanted.sort(key=lambda one: -one[0])  # stable: without times, as the server lists them
        if len(wanted) > MOST_CHATS:
            self._tell(_TOO_MANY, _REMOVE)
        elif self._told:
            self._intake.chat_restored("")
            self._told = ""
        return [chat for _, chat in wanted[:MOST_CHATS]]

    async def _read(self, chat: DirectChat) -> None:
        """Read on in one chat. One that refuses is passed over. Raises RetryLater, AccountDown."""
        looked_ms = self._looked_ms or 0
        heard = self._heard.get(chat.chat_id) or _Heard(chat.chat_id, looked_ms)
        since_ms = min(heard.since_ms, looked_ms)  # a clock that was ahead must not hide what is said now
        since = datetime.fromtimestamp(since_ms / 1000, UTC)
        taker = _Listener(self._intake, heard, since)
        reader = ChatReader(
            chat.chat_id,
            history=self._history,
            decodings=self._decodings,
            intake=taker,
            read_page=self._directory.page,
            fill_author=self._directory.fill,
            window=_REMEMBERED,
            since=lambda _: since,
            now=self._client.time.now,
            clock=self._clock,
            most_pages=_MOST_PAGES,
            remembered=_REMEMBERED,
        )
        try:
            async with reader.lock:
                await reader.read(again=False)
        except RetryLater:
            # it is in the next list again: the others do not wait for a chat that the server can never show
            self._is_left_out = True
            raise
        except DeliveryError as error:
            log.info("private chat not read", account=self._account, chat=chat.chat_id, reason=error.reason)
        after = _Heard(chat.chat_id, since_ms, taker.state, chat.latest)
        if after == self._heard.get(chat.chat_id):
            self._heard.move_to_end(chat.chat_id)
            return
        self._heard[chat.chat_id] = after
        self._heard.move_to_end(chat.chat_id)
        while len(self._heard) > MOST_CHATS:
            self._heard.popitem(last=False)
        await self._keep()

    def _now_ms(self) -> int:
        """Unix time by the server's clock, rather too early: what is read twice is known, what is left out is lost."""
        return int(self._client.time.earliest_now().timestamp() * 1000)

    def _tell(self, reason: str, action: str) -> None:
        if self._told != reason:
            self._intake.notice(reason, action)
            self._told = reason

    # -- on disk ------------------------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        stored = await self._intake.cursor(_CURSOR)
        try:
            kept = msgspec.json.decode(stored, type=_Kept) if stored else None
        except msgspec.DecodeError:
            kept = None  # written by another version: listening begins anew
        if kept is not None:
            self._looked_ms = kept.looked_ms
            self._heard.update((one.chat_id, one) for one in kept.chats)

    async def _keep(self) -> None:
        self._stored_ms = self._looked_ms or 0
        kept = _Kept(self._stored_ms, tuple(self._heard.values()))
        await self._intake.accept([], cursors=[Cursor(name=_CURSOR, value=msgspec.json.encode(kept).decode())])

    async def _forget(self) -> None:
        """Nobody listens: what is said meanwhile stays unheard, also later."""
        self._pending.clear()
        if self._looked_ms is not None:
            self._looked_ms = None
            self._heard.clear()
            await self._intake.accept([], cursors=[Cursor(name=_CURSOR, value="")])


class _Listener:
    """What a reader hands its chat to: `inbound.catch_up.Taker`. Only messages of others that may be commands go on."""

    def __init__(self, intake: Intake, heard: _Heard, since: datetime) -> None:
        self.state = heard.state
        self._intake = intake
        self._since = since - timedelta(milliseconds=1)

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        said = [said_in_private(event) for event in events if isinstance(event, MessageCreated) and self._may_be_command(event)]
        if said:
            await self._intake.accept(said)
        for cursor in cursors:
            self.state = cursor.value

    def _may_be_command(self, event: MessageCreated) -> bool:
        if event.meta.sent_by_us or event.meta.occurred_at < self._since:
            return False
        return len(text_of(event.content.text)) <= _LONGEST

    async def undecodable(self, raw: bytes, reason: str) -> None:
        self._intake.ignored("not understood, in a private chat")

    async def cursor(self, name: str) -> str | None:
        return self.state or None

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        log.info("private chat not read", chat=chat_id, reason=reason)

    def chat_restored(self, chat_id: str) -> None: ...

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        log.info("private chat not read", chat=chat_id, reason=reason)
