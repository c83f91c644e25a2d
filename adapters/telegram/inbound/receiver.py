"""The receiving loop: long polls, update by update, albums collected, confirmed only after the core has it on disk.

An update is confirmed to Telegram by the offset of the next poll, and the offset moves only after `intake.accept` returned. Files
of an album that may not be complete are kept inside the committed cursor: confirmed upstream, and yet no crash loses them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec

from adapters.telegram.inbound.albums import Albums
from adapters.telegram.inbound.decode import AlbumItem, Decoder, Moved, Removed, Restored, Undecodable, message_of, read, strange
from adapters.telegram.inbound.obstacles import (
    Conflicts,
    Looks,
    conflict_of,
    hearing_fault,
    hears_all,
    look_at_chats,
    reactions_fault,
)
from adapters.telegram.inbound.unchanged import Unchanged
from adapters.telegram.transport import Transport
from adapters.telegram.wire import ALLOWED_UPDATES, Json, Message
from bridge.model.adapter import Cursor, Intake
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, ConnectionLost, DeliveryError, RetryLater
from bridge.model.events import ChatEvent, Ignored, MessageEdited
from bridge.model.tasks import end

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions

RETENTION = timedelta(hours=24)
"""How long Telegram keeps updates. Source: platforms.md 1.1."""
_IDLE_NOTE_S = 1800.0
"""How often an idle account notes that it was listening, so that a gap can be told after a long stop."""


POLL_WAIT_MAX_S = 300.0
"""The longest wait between two polls, whatever the server asks for: asking costs it little, and its clock may be wrong."""
TRIES = 5
"""How often an event may make its acceptance fail, each time with a new connection, until it is set aside."""
_BUGS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, AssertionError)
"""What a value that nobody foresaw ends in, as opposed to a disk that is full or a connection that is gone."""


class Position(msgspec.Struct, omit_defaults=True):
    """The cursor's value. `held` are messages of unfinished albums as they came, every field of them; `seen_at` is the Unix time of
    the last commit; `said` is what `Unchanged` keeps."""

    offset: int = 0
    held: list[dict[str, Any]] = []
    seen_at: float = 0.0
    said: dict[str, str] = {}


class Receiver:
    """Receives for one account until cancelled or broken. Built anew for each connection. `alive`: a poll came back.

    `conflicts`: those of the account so far; `failed`: events that made somebody fail, by their keys, with how often; `looks`:
    at its chats; `sees_all`: privacy mode is off."""

    def __init__(
        self,
        transport: Transport,
        decoder: Decoder,
        options: TelegramOptions,
        intake: Intake,
        alive: Callable[[], None] = lambda: None,
        *,
        clock: Clock,
        conflicts: Conflicts,
        failed: Counter[str],
        looks: Looks,
        sees_all: bool = True,
    ) -> None:
        self._alive = alive
        self._clock = clock
        self._conflicts = conflicts
        self._failed = failed
        self._looks = looks
        self._sees_all = sees_all
        self._transport = transport
        self._decoder = decoder
        self._options = options
        self._intake = intake
        self._cursor_name = f"updates:{decoder.bot_id}"
        self._offset = 0
        self._albums = Albums(wait_s=options.album_wait_s)
        self._unchanged = Unchanged()
        self._events: list[ChatEvent] = []
        self._noted_at = float("-inf")

    async def run(self) -> None:
        """Raises ConnectionLost and AccountDown; see `bridge.model.adapter.Adapter.run`."""
        await self._resume()
        await self._take(await self._poll(0, self._offset - 1 if self._offset > 1 else 0))
        self._intake.connected()
        looking = asyncio.create_task(
            look_at_chats(self._transport, self._intake, self._looks, sees_all=self._sees_all), name="telegram look at chats"
        )
        poll: asyncio.Task[list[msgspec.Raw]] | None = None
        try:
            while True:
                poll = poll or asyncio.create_task(self._poll(self._options.poll_timeout_s), name="telegram getUpdates")
                await asyncio.wait({poll}, timeout=self._albums.due_in_s(self._clock.monotonic_s()))
                if poll.done():
                    updates, poll = poll.result(), None
                    self._heard()
                    await self._take(updates)
                await self._flush_albums()
        finally:
            await end([looking] if poll is None else [looking, poll])

    def _heard(self) -> None:
        """A whole long poll came back: nobody ended it."""
        if self._conflicts.told:
            self._conflicts.told = False
            self._intake.chat_restored("")

    async def _resume(self) -> None:
        stored = await self._intake.cursor(self._cursor_name)
        position = Position()
        if stored:
            with contextlib.suppress(msgspec.MsgspecError):
                position = msgspec.json.decode(stored, type=Position)
        self._offset = position.offset
        self._unchanged.restore(position.said)
        self._albums.restore(cast("list[Message]", position.held))
        if position.seen_at:
            await self._tell_gap(datetime.fromtimestamp(position.seen_at, UTC))

    async def _tell_gap(self, last: datetime) -> None:
        """Say so, once, when we were away for longer than Telegram keeps updates."""
        lost_until = self._clock.now() - RETENTION
        if last >= lost_until:
            return
        for chat_id in sorted(self._intake.routed_chats()):
            await self._intake.gap(
                chat_id, since=last, until=lost_until, reason="Telegram keeps messages for bots for 24 hours only"
            )
        await self._intake.accept([], cursors=[self._cursor()])

    async def _poll(self, timeout_s: int, offset: int | None = None) -> list[msgspec.Raw]:
        """One poll. The first of a connection does not wait, and asks with the number before: asked twice within 3 s with the same
        offset, the server would let it wait all the same (platforms.md 1.1)."""
        offset = self._offset if offset is None else offset
        while True:
            try:
                updates = await self._transport.updates(offset=offset, timeout_s=timeout_s, allowed=ALLOWED_UPDATES)
                self._alive()
                return updates
            except RetryLater as error:
                if not error.rate_limited or error.after_s is None:
                    raise ConnectionLost(error.reason) from None
                await self._clock.sleep(min(error.after_s, POLL_WAIT_MAX_S))
            except DeliveryError as error:
                raise self._refused(error) from None

    def _refused(self, error: DeliveryError) -> ConnectionLost | AccountDown:
        """Why a poll failed for good; other programs with this token are for a human to see to."""
        conflict = conflict_of(error.reason)
        if conflict is None:
            return ConnectionLost(error.reason)
        reason, action = conflict
        if self._conflicts.add():
            return AccountDown(reason, action=action, sends=True)
        self._conflicts.told = True
        self._intake.notice(reason, action)
        return ConnectionLost(error.reason)

    # -- one batch ----------------------------------------------------------------------------------------------------------

    async def _take(self, updates: Sequence[msgspec.Raw]) -> None:
        if not updates:
            if self._clock.monotonic_s() - self._noted_at > _IDLE_NOTE_S:
                await self._commit()
            return
        received_at = self._clock.now()
        for raw in updates:
            await self._take_one(bytes(raw), received_at)
        await self._commit()

    async def _take_one(self, raw: bytes, received_at: datetime) -> None:
        update: Json = {}
        try:
            update = read(raw)
            update_id = int(update["update_id"])
            if update_id == self._offset - 1:
                # accepted already, and confirmed too late for a stop in between: an album's last file would look like a new message
                self._intake.ignored("update delivered twice")
                return
            decoded = self._decoder.update(update, received_at)
        except (msgspec.MsgspecError, Undecodable, KeyError, TypeError, ValueError) as error:
            await self._keep_undecodable(raw, error, update.get("update_id"))
            return
        if kind := strange(update):
            await self._intake.undecodable(raw, f"a message of a kind that is not known: {kind}")
        message = message_of(update)
        for item in decoded:
            if self._unchanged.takes(item, has_buttons="reply_markup" in message):
                self._intake.ignored("edit without a visible change")
            elif not (isinstance(item, MessageEdited) and item.album_item and self._albums.edit(message)):
                await self._take_item(item, received_at)
        self._offset = update_id + 1

    async def _take_item(self, item: ChatEvent | AlbumItem | Moved | Removed | Restored | Ignored, received_at: datetime) -> None:
        match item:
            case Ignored():
                self._intake.ignored(item.reason)
            case AlbumItem():
                await self._finish(self._albums.add(item, self._clock.monotonic_s()), received_at)
            case Moved():
                await self._commit()
                await self._intake.chat_moved(item.old_chat_id, item.new_chat_id)
            case Removed():
                await self._tell_removed(item)
            case Restored():
                self._intake.chat_restored(item.chat_id)
            case _:
                await self._finish(self._albums.of_chat(item.meta.origin.chat_id), received_at)
                self._events.append(item)

    async def _finish(self, albums: Sequence[Sequence[Message]], received_at: datetime) -> None:
        for messages in albums:
            try:
                self._events.append(self._decoder.album(messages, received_at))
            except Undecodable as error:
                await self._commit()
                await self._intake.undecodable(msgspec.json.encode(messages), str(error), cursors=[self._cursor()])

    async def _keep_undecodable(self, raw: bytes, error: Exception, update_id: object) -> None:
        """Set one update aside, on disk, and go on behind it."""
        await self._commit()
        if isinstance(update_id, int):
            self._offset = update_id + 1
        await self._intake.undecodable(raw, str(error), cursors=[self._cursor()])

    async def _tell_removed(self, item: Removed) -> None:
        if item.chat_id not in self._intake.routed_chats():
            self._intake.ignored("the bot's place in a chat without a route changed")
            return
        where = item.title or item.chat_id
        if item.status in ("kicked", "left"):
            self._intake.notice(f"the bot was removed from {where}", "add the bot to the chat again", chat_id=item.chat_id)
            return
        self._intake.chat_restored(item.chat_id)  # perhaps it was in the chat in no way before
        if not self._sees_all:  # it is switched off first, and then the bot is added again
            self._sees_all = await hears_all(self._transport, before=self._sees_all)
        fault = hearing_fault(item.status, where, sees_all=self._sees_all) or reactions_fault(where)
        self._intake.notice(*fault, chat_id=item.chat_id)

    async def _flush_albums(self) -> None:
        await self._finish(self._albums.due(self._clock.monotonic_s()), self._clock.now())
        if self._events:
            await self._commit()

    async def _commit(self) -> None:
        """Hand over what has come so far, together with the place we have read to."""
        events, self._events = self._events, []
        try:
            await self._intake.accept(events, cursors=[self._cursor()])
        except _BUGS:
            await self._commit_one_by_one(events)
        self._noted_at = self._clock.monotonic_s()

    async def _commit_one_by_one(self, events: Sequence[ChatEvent]) -> None:
        """One of them makes somebody fail: the others go on, and that one is set aside when it has failed often enough."""
        for event in events:
            try:
                await self._intake.accept([event])
            except _BUGS as error:
                self._failed[event.meta.event_key] += 1
                if self._failed[event.meta.event_key] < TRIES:
                    raise
                raw = repr(event).encode("utf-8", "replace")
                await self._intake.undecodable(raw, f"failed {TRIES} times: {type(error).__name__}")
                del self._failed[event.meta.event_key]
        await self._intake.accept([], cursors=[self._cursor()])

    def _cursor(self) -> Cursor:
        position = Position(
            offset=self._offset,
            held=cast("list[dict[str, Any]]", self._albums.held()),
            seen_at=round(self._clock.now().timestamp(), 3),
            said=self._unchanged.kept(),
        )
        return Cursor(name=self._cursor_name, value=msgspec.json.encode(position).decode())
