"""The receiver: update by update, albums collected, confirmed only after the core has it on disk.

An update is confirmed to Telegram by the offset of the next poll, and the offset moves only after `intake.accept` returned. Files
of an album that may not be complete are kept inside the committed cursor: confirmed upstream, and yet no crash loses them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from adapters.common.lenient import record, whole, words
from adapters.telegram.directory import Directory
from adapters.telegram.inbound.account_events import Looks, look_at_chats, tell_removed
from adapters.telegram.inbound.albums import Albums, Listened
from adapters.telegram.inbound.catch_up import Position, position_of, tell_gap
from adapters.telegram.inbound.conflicts import Conflicts
from adapters.telegram.inbound.custom_emoji import CustomEmoji
from adapters.telegram.inbound.decode import Decoder
from adapters.telegram.inbound.decoded import AlbumItem, Decoded, Moved, Removed, Restored, Undecodable
from adapters.telegram.inbound.handover import hand_over
from adapters.telegram.inbound.stream import UpdateStream
from adapters.telegram.inbound.topic_names import KnownTopics, told_name
from adapters.telegram.inbound.unchanged import Unchanged
from adapters.telegram.inbound.updates import message_of, read_update, strange
from adapters.telegram.poll_places import Polls
from adapters.telegram.transport import MOST_UPDATES, Transport
from adapters.telegram.wire import Json, Message
from bridge.model.account_store import AccountStore
from bridge.model.adapter import Cursor, Intake
from bridge.model.clock import Clock
from bridge.model.events import ChatEvent, Ignored, MessageEdited, PollVotesChanged
from bridge.model.tasks import end

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions

_LOOK_AGAIN_S = 0.5
"""How often polls are looked for of which votes came before they were known."""
_FIRST_POLL_S = 3
"""Until Telegram has once said that there is nothing more, which what is looked for after a stop waits for, a poll is no longer."""
_IDLE_NOTE_S = 1800.0
"""How often an idle account notes that it was listening, so that a gap can be told after a long stop."""


class AccountState:
    """What outlives an account's connections."""

    def __init__(self, clock: Clock, store: AccountStore | None = None) -> None:
        self.conflicts = Conflicts(clock.monotonic_s)
        self.looks = Looks(clock.monotonic_s)
        self.custom_emoji = CustomEmoji(clock)
        self.polls = Polls(store)
        self.failed: Counter[str] = Counter()
        """Events that made somebody fail, by their keys, with how often."""
        self.topics = KnownTopics()
        self.heard_s: float | None = None
        """On the monotonic clock: when Telegram last had nothing more to tell."""
        self.sees_all = True
        """Privacy mode is off, as far as is known."""


class Receiver:
    """Receives for one account until cancelled or broken. Built anew for each connection. `alive`: a poll came back."""

    def __init__(
        self,
        transport: Transport,
        decoder: Decoder,
        options: TelegramOptions,
        intake: Intake,
        *,
        clock: Clock,
        alive: Callable[[], None],
        state: AccountState,
    ) -> None:
        self._clock = clock
        self._state = state
        self._transport = transport
        self._directory = Directory(transport)
        self._stream = UpdateStream(transport, intake, clock, conflicts=state.conflicts, alive=alive)
        self._decoder = decoder
        self._polls = state.polls
        self._poll_timeout_s = options.poll_timeout_s
        self._intake = intake
        self._cursor_name = f"updates:{decoder.bot_id}"
        self._offset = 0
        self._albums = Albums(wait_s=options.album_wait_s)
        self._listened = Listened()
        self._unchanged = Unchanged()
        self._events: list[ChatEvent] = []
        self._topic_names: dict[str, Cursor] = {}
        self._noted_at = float("-inf")

    async def run(self) -> None:
        """Raises ConnectionLost and AccountDown; see `bridge.model.adapter.Adapter.run`."""
        await self._resume()
        self._state.topics.begin(self._intake)
        await self._take(await self._stream.first(self._offset))
        self._intake.connected()
        looks = look_at_chats(self._transport, self._intake, self._state.looks, sees_all=self._state.sees_all)
        looking = asyncio.create_task(looks, name="telegram look at chats")
        poll: asyncio.Task[list[msgspec.Raw]] | None = None
        try:
            while True:
                if poll is None:
                    timeout_s = (
                        self._poll_timeout_s if self._state.heard_s is not None else min(_FIRST_POLL_S, self._poll_timeout_s)
                    )
                    following = self._stream.following(self._offset, timeout_s=timeout_s)
                    poll = asyncio.create_task(following, name="telegram getUpdates")
                await self._listen(poll)
                if poll.done():
                    updates, poll = poll.result(), None
                    self._stream.heard()
                    heard_s = self._clock.monotonic_s()
                    await self._take(updates)
                    if len(updates) < MOST_UPDATES:
                        self._state.heard_s = heard_s
                await self._take_early_votes()
                await self._flush_albums()
        finally:
            await end([looking] if poll is None else [looking, poll])

    async def _resume(self) -> None:
        position = position_of(await self._intake.cursor(self._cursor_name))
        self._offset = position.offset
        self._unchanged.restore(position.said)
        self._albums.restore(cast("list[Message]", position.held))
        if await tell_gap(self._intake, position, self._clock.now()):
            await self._intake.accept([], cursors=[self._cursor()])  # told once

    # -- one batch ----------------------------------------------------------------------------------------------------------

    async def _take(self, updates: Sequence[msgspec.Raw]) -> None:
        if not updates:
            if self._clock.monotonic_s() - self._noted_at > _IDLE_NOTE_S:
                await self._commit()
            return
        await self._state.custom_emoji.learn(updates, self._transport)
        received_at = self._clock.now()
        for raw in updates:
            await self._take_one(bytes(raw), received_at)
        await self._commit()

    async def _take_one(self, raw: bytes, received_at: datetime) -> None:
        update: Json = {}
        try:
            update = read_update(raw)
            update_id = int(update["update_id"])
            if update_id == self._offset - 1:
                # accepted already, and confirmed too late for a stop in between: an album's last file would look like a new message
                self._intake.ignored("update delivered twice")
                return
            await self._learn_topic(message_of(update))
            if "poll" in update:
                decoded: Sequence[Decoded] = await self._poll_state(update, received_at)
            else:
                decoded = self._decoder.update(update, received_at)
        except (msgspec.MsgspecError, Undecodable, KeyError, TypeError, ValueError) as error:
            await self._keep_undecodable(raw, error, update.get("update_id"))
            return
        if kind := strange(update):
            await self._intake.undecodable(raw, f"a message of a kind that is not known: {kind}")
        message = message_of(update)
        if "poll" in message and words(record(message.get("chat")).get("id")) in self._intake.routed_chats():
            await self._polls.learn(message)  # those of strangers' groups would take the places of ours
        for item in decoded:
            if self._unchanged.takes(item, has_buttons="reply_markup" in message):
                self._intake.ignored("edit without a visible change")
            elif not (isinstance(item, MessageEdited) and item.album_item and self._albums.edit(message)):
                await self._take_item(item, received_at)
        self._offset = update_id + 1

    async def _learn_topic(self, message: Message) -> None:
        """Its chat's topics by name, before it is decoded; a name that it tells is stored with it."""
        chat_id, topic_id = words(record(message.get("chat")).get("id")), words(message.get("message_thread_id"))
        if not message.get("is_topic_message") or not chat_id or not topic_id:
            return
        if chat_id not in self._intake.routed_chats() and not self._intake.is_end(chat_id, None):
            return  # anybody may add the bot to a group, and fill the disk with names
        topics = self._state.topics
        await topics.load(chat_id)
        if name := told_name(message):
            is_ours = words(record(message.get("from")).get("id")) == self._decoder.bot_id and "forum_topic_created" in message
            made = datetime.fromtimestamp(whole(message.get("date")) or 0, UTC) if is_ours else None
            cursor = await topics.learn(chat_id, topic_id, name, made_by_us=made)
            self._topic_names[cursor.name] = cursor

    async def _listen(self, poll: asyncio.Task[list[msgspec.Raw]]) -> None:
        began_s, due_in_s = self._clock.monotonic_s(), self._due_in_s()
        await asyncio.wait({poll}, timeout=due_in_s)
        self._listened.waited(self._clock.monotonic_s() - began_s, due_in_s)

    def _due_in_s(self) -> float | None:
        """How long nothing but an update is waited for."""
        due_s = self._albums.due_in_s(self._listened.now_s)
        if not self._polls.holds:
            return due_s
        return _LOOK_AGAIN_S if due_s is None else min(due_s, _LOOK_AGAIN_S)

    async def _poll_state(self, update: Json, received_at: datetime) -> Sequence[Decoded]:
        poll_id = words(record(update["poll"]).get("id"))
        place = await self._polls.relayed_at(poll_id, self._intake)
        if place is None:
            self._polls.hold(poll_id, update, self._clock.monotonic_s())
        return [self._decoder.poll(update, place, received_at)]

    async def _take_early_votes(self) -> None:
        """Votes on polls of ours that came before Telegram's answer to the call that posted them."""
        for update, place in await self._polls.take_known(self._intake, self._clock.monotonic_s()):
            now = self._clock.now()
            await self._take_item(self._decoder.poll(update, place, now), now)

    async def _take_item(self, item: Decoded, received_at: datetime) -> None:
        match item:
            case Ignored():
                self._intake.ignored(item.reason)
            case AlbumItem():
                await self._finish(self._albums.add(item, self._listened.now_s, self._clock.monotonic_s()), received_at)
            case Moved():
                await self._commit()
                await self._intake.chat_moved(item.old_chat_id, item.new_chat_id)
            case Removed():
                sees_all = self._state.sees_all
                self._state.sees_all = await tell_removed(item, self._directory, self._intake, sees_all=sees_all)
            case Restored():
                self._intake.chat_restored(item.chat_id)
            case PollVotesChanged():
                # of a batch the newest count is enough: it is the whole one
                self._events = [event for event in self._events if not _is_of_poll(event, item)]
                self._events.append(item)
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

    async def _flush_albums(self) -> None:
        await self._finish(self._albums.due(self._listened.now_s, self._clock.monotonic_s()), self._clock.now())
        if self._events:
            await self._commit()

    async def _commit(self) -> None:
        """Hand over what has come so far, together with the place we have read to."""
        events, self._events = self._events, []
        names, self._topic_names = self._topic_names, {}
        await hand_over(self._intake, events, [self._cursor(), *names.values()], self._state.failed)
        self._noted_at = self._clock.monotonic_s()

    def _cursor(self) -> Cursor:
        position = Position(
            offset=self._offset,
            held=cast("list[dict[str, Any]]", self._albums.held()),
            seen_at=round(self._clock.now().timestamp(), 3),
            said=self._unchanged.kept(),
        )
        return Cursor(name=self._cursor_name, value=msgspec.json.encode(position).decode())


def _is_of_poll(event: ChatEvent, votes: PollVotesChanged) -> bool:
    return isinstance(event, PollVotesChanged) and event.message_id == votes.message_id and event.meta.origin == votes.meta.origin
