"""Passes the gateway's events in order to the intake; resumes after the last stored one, and catches up what cannot be resumed.

`stream` reads the gateway into a bounded queue; here, waiting events are decoded and passed on as one batch. The position is stored
with them (`gateway` cursor: session and sequence), so that after a crash Discord itself replays the rest; if it does not (op 9, or
too late), history from the `latest` cursor fills the gap. Called by `adapter.run`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from adapters.common.platform_time import DATE_ERROR
from adapters.discord import wire
from adapters.discord.directory import Directory
from adapters.discord.errors import Refused
from adapters.discord.inbound.catch_up import CatchUp
from adapters.discord.inbound.decode import decode, deletion_in, thread_deletion
from adapters.discord.inbound.decode_content import names_of
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.decode_polls import votes_of
from adapters.discord.inbound.decode_service import PINNED
from adapters.discord.inbound.gateway import GatewayEvent, SessionState
from adapters.discord.inbound.guild_events import GuildEvents
from adapters.discord.inbound.history import History
from adapters.discord.inbound.identify_budget import IdentifyBudget
from adapters.discord.inbound.missed_changes import MissedChanges
from adapters.discord.inbound.own_presence import Presence
from adapters.discord.inbound.poll_reader import PollReader
from adapters.discord.inbound.stream import Stream
from adapters.discord.inbound.thread_messages import ThreadMessages
from adapters.discord.lenient import UNREADABLE, mapping, objects, raw_of, text
from adapters.discord.snowflakes import id_of, moment_of, snowflake_at
from adapters.discord.transport import Transport
from bridge.model.adapter import Cursor, Intake
from bridge.model.errors import BridgeError, ConnectionLost, DeliveryError, RetryLater
from bridge.model.events import ChatEvent, Ignored, MessageCreated
from bridge.model.tasks import end, outcome

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions

log = structlog.get_logger("discord")

BATCH_SIZE = 200
GUILDS_WAIT_S = 10.0
"""How long after READY the servers may take to introduce themselves before catch-up begins without them."""
OVERLAP_S = 120.0
"""Catch-up begins this much before the latest message stored: order across channels is not promised."""
STORE_POSITION_S = 300.0
"""How often the position is stored while only chats without a route are busy."""
SESSION_CURSOR = "gateway"
LATEST_CURSOR = "latest"


class Receiver:
    """One run. Raises ConnectionLost or AccountDown; everything read until then has been passed on."""

    def __init__(
        self,
        options: DiscordOptions,
        transport: Transport,
        context: Context,
        directory: Directory,
        history: History,
        intake: Intake,
        on_restored: Callable[[str], None],
        alive: Callable[[], None] = lambda: None,
        presence: Presence | None = None,
    ) -> None:
        """`on_restored`: see `GuildEvents`; `alive`, `presence`: see `Stream`."""
        self._time = transport.time
        self._context = context
        self._identity = context.identity
        self._guilds = context.guilds
        self._clock = context.clock
        self._intake = intake
        self._directory = directory
        self._guild_events = GuildEvents(directory, context.identity, context.guilds, intake, on_restored, context.clock)
        self._threads = ThreadMessages(intake)
        self._missed = MissedChanges(transport, context, self._thread_deleted)
        self._catch_up = CatchUp(
            transport, context.identity, context.guilds, history, self._threads, intake, context.clock, context.seen
        )
        budget = IdentifyBudget(intake, transport.time, sleep=context.clock.sleep)
        self._stream = Stream(options, transport, context.identity, context.clock, budget, alive, presence or Presence())
        self._polls = PollReader(transport, context.clock, self._take_votes)
        self._session: SessionState | None = None
        self._latest = 0
        self._stored_at_s = self._clock.monotonic_s()
        self._told_names: set[str] = set()
        self._held: list[ChatEvent] = []
        self._awaited_guilds: set[str] | None = None
        """Servers that have not introduced themselves since READY; None once the catch-up is done."""
        self._guilds_deadline_s = 0.0

    async def run(self) -> None:
        await self._tell_names()
        await self._context.seen.restore(self._intake, self._intake.routed_chats())
        self._session = _session(await self._intake.cursor(SESSION_CURSOR), self._identity.user_id)
        latest = await self._intake.cursor(LATEST_CURSOR)
        self._latest = int(latest) if latest is not None and latest.isdecimal() else 0
        if self._session is not None and not self._guilds.servers:
            await self._load_servers()
        reader = asyncio.create_task(self._stream.run(self._session), name=f"gateway {self._identity.account}")
        polls = asyncio.create_task(self._polls.run(), name=f"polls {self._identity.account}")
        events = asyncio.create_task(self._take_batches(), name=f"events {self._identity.account}")
        try:
            await asyncio.wait({events, polls}, return_when=asyncio.FIRST_COMPLETED)
            outcome(events if events.done() else polls)  # neither ends but by an error
        finally:
            await end([reader, polls, events])

    async def _take_batches(self) -> None:
        while True:
            await self._handle(await self._next_batch())

    async def _load_servers(self) -> None:
        try:
            failed = await self._directory.load(self._identity.user_id)
        except (Refused, DeliveryError) as error:
            raise ConnectionLost(f"the bot's servers cannot be read: {error}") from None
        if passing := [error for error in failed.values() if isinstance(error, RetryLater)]:
            raise ConnectionLost(f"the bot's servers cannot be read: {passing[0].reason}")

    # -- handing over ---------------------------------------------------------------------------------------------------------

    async def _next_batch(self) -> list[GatewayEvent | BridgeError]:
        timeout_s = None if self._awaited_guilds is None else max(0.0, self._guilds_deadline_s - self._clock.monotonic_s())
        try:
            async with asyncio.timeout(timeout_s):
                batch = [await self._stream.queue.get()]
        except TimeoutError:
            self._awaited_guilds = set()
            return []
        while len(batch) < BATCH_SIZE and not self._stream.queue.empty():
            batch.append(self._stream.queue.get_nowait())
        return batch

    async def _handle(self, batch: Iterable[GatewayEvent | BridgeError]) -> None:
        events: list[ChatEvent] = []
        await self._begin_new_chats()
        for item in batch:
            if isinstance(item, BridgeError):
                await self._accept(events)
                await self._store_position()
                raise item
            if item.name in ("READY", "RESUMED"):
                await self._accept(events)
                events = []
                self._on_session(item)
            else:
                decoded = await self._decode(item)
                (events if self._awaited_guilds is None else self._held).extend(decoded)
            self._session = item.session
            await self._catch_up_if_due()
        await self._catch_up_if_due()
        await self._accept(events)
        await self._tell_names()
        if self._context.seen.has_changed or self._clock.monotonic_s() - self._stored_at_s > STORE_POSITION_S:
            await self._store_position()

    async def _begin_new_chats(self) -> None:
        """Before anything is compared with what was seen of them."""
        routed = self._intake.routed_chats()
        for chat_id in await self._context.seen.restore_new(self._intake, routed):
            if self._awaited_guilds is None:  # else the search takes them with the others
                self._missed.begin(chat_id, routed)

    def _on_session(self, event: GatewayEvent) -> None:
        if event.name == "READY":
            payload: wire.Ready = mapping(event.payload)
            self._identity.names = names_of(payload.get("user")) or self._identity.names
            self._awaited_guilds = {str(guild.get("id")) for guild in objects(payload.get("guilds"))}
            self._guilds_deadline_s = self._clock.monotonic_s() + GUILDS_WAIT_S
        self._intake.connected()

    async def _tell_names(self) -> None:
        """Ours, with the nicknames that servers gave us."""
        nicknames = (server.own_nick for server in self._guilds.servers.values() if server.own_nick)
        names = {*self._identity.names, *nicknames}
        if names != self._told_names:
            await self._intake.set_own_names(names)
            self._told_names = names

    async def _accept(self, events: Sequence[ChatEvent]) -> None:
        """The batch with how far it goes. Our own messages and events of chats without a route need no place on disk, so they move
        no cursor."""
        if not events:
            return
        routed = self._intake.routed_chats()
        ids = (int(e.message_id) for e in events if isinstance(e, MessageCreated) and e.message_id.isdecimal())
        self._latest = max(self._latest, *ids, 0)
        if any(event.meta.origin.chat_id in routed and not event.meta.sent_by_us for event in events):
            await self._intake.accept(events, cursors=[*self._position(), *await self._threads.noting(events)])
        else:
            await self._intake.accept(events)

    def _position(self) -> list[Cursor]:
        """Where to go on after a crash. Until a catch-up is complete, nothing vouches for what it has not read."""
        if self._awaited_guilds is not None or self._session is None:
            return []
        self._stored_at_s = self._clock.monotonic_s()
        return [
            Cursor(name=LATEST_CURSOR, value=str(self._latest)),
            Cursor(name=SESSION_CURSOR, value=msgspec.json.encode(self._session).decode()),
            *self._context.seen.take_changed(),
        ]

    async def _store_position(self) -> None:
        position = self._position()
        if position:
            await self._intake.accept([], cursors=position)

    async def _decode(self, event: GatewayEvent) -> list[ChatEvent]:
        """Also takes in what the event says of channels, whether or not it can be decoded."""
        position = f"{event.session.session_id[-8:]}-{event.session.sequence}"
        name, data = event.name, _object(event.payload)
        decoded: list[ChatEvent] | Ignored = []
        problem: Exception | None = None
        try:
            if name.startswith(("MESSAGE", "TYPING")):
                await self._guild_events.know_channel(id_of(data["channel_id"]), data.get("channel_type"))
            if name.startswith("MESSAGE_POLL_VOTE"):
                self._note_vote(data)
                return []
            if name == "THREAD_DELETE":
                thread_id, parent_id = id_of(data["id"]), id_of(data["parent_id"])
                seen = self._context.seen.thread(parent_id, thread_id)  # of one that slept nothing else is known
                title = self._guilds.channel_name(thread_id) or (seen.name if seen is not None else "")
                decoded = await self._thread_deleted(thread_id, parent_id, title, position)
            else:
                if name == "THREAD_UPDATE" and self._guilds.get(id_of(data["id"])) is None:
                    self._guild_events.take_in(name, data)  # one that slept: what it was like is in `seen`
                decoded = decode(name, data, self._context, position=position)
        except UNREADABLE as error:
            problem = error
        if name in ("GUILD_CREATE", "GUILD_DELETE") and self._awaited_guilds is not None:
            self._awaited_guilds.discard(str(data.get("id")))
        try:
            self._guild_events.take_in(name, data)
            self._note_seen(name, data)
        except UNREADABLE as error:
            problem = problem or error
        if problem is not None:
            await self._intake.undecodable(raw_of(event.payload), f"{name}: {type(problem).__name__}: {problem}"[:300])
        if isinstance(decoded, Ignored):
            if name.startswith("MESSAGE"):
                self._intake.ignored(decoded.reason)
            return []
        return decoded

    async def _take_votes(self, message: wire.Message) -> None:
        """Counts say all: so they move no position, and need no order among the other events."""
        try:
            votes = votes_of(message, self._context)
        except UNREADABLE as error:
            await self._intake.undecodable(raw_of(message), f"a poll read back: {type(error).__name__}: {error}"[:300])
            return
        if votes is not None:
            await self._intake.accept([votes])

    def _note_vote(self, data: wire.PollVote) -> None:
        channel_id, message_id = id_of(data["channel_id"]), id_of(data["message_id"])
        if self._guilds.chat_of(channel_id)[0] in self._intake.routed_chats():
            self._polls.voted(channel_id, message_id)

    def _note_seen(self, name: str, data: Any) -> None:
        """Only what is live: what a history shows may be older than what was seen since."""
        if name in ("CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE"):
            channel = self._guilds.get(id_of(data["id"]))
            says_all = not name.startswith("THREAD") or "thread_metadata" in data
            if channel is not None and says_all:
                self._context.seen.note(channel, self._intake.routed_chats())
        elif name == "THREAD_DELETE":
            self._context.seen.forget(id_of(data["parent_id"]), id_of(data["id"]))
        elif name == "MESSAGE_CREATE" and data.get("type") == PINNED:
            chat_id, _ = self._guilds.chat_of(id_of(data["channel_id"]))
            if pinned := text(mapping(data.get("message_reference")).get("message_id")):
                self._context.seen.note_pin(chat_id, pinned, pinned=True)

    async def _thread_deleted(self, thread_id: str, parent_id: str, title: str, position: str) -> list[ChatEvent]:
        """Everything in it was deleted, which Discord does not report one by one. The message that started a thread in a text
        channel stays."""
        if parent_id not in self._intake.routed_chats():
            return []
        parent = self._guilds.get(parent_id)
        ids = dict.fromkeys(await self._threads.of(thread_id))
        if parent is not None and parent.is_forum:
            ids[thread_id] = None
        deleted = [deletion_in(message_id, parent_id, thread_id, self._context) for message_id in ids]
        return [*deleted, thread_deletion(thread_id, parent_id, title, self._context, position)]

    # -- catching up ----------------------------------------------------------------------------------------------------------

    async def _catch_up_if_due(self) -> None:
        """After a new session, once all servers are known: what was missed, then what came meanwhile."""
        if self._awaited_guilds is None or self._awaited_guilds:
            return
        time_there = self._time
        caught_up_to = int(snowflake_at(time_there.now() - DATE_ERROR)) if time_there.is_known else 0
        if self._latest:
            latest = str(self._latest)
            await self._catch_up.run(snowflake_at(moment_of(latest) - timedelta(seconds=OVERLAP_S)), latest)
        self._latest = max(self._latest, caught_up_to)
        session = self._session.session_id[-8:] if self._session is not None else ""
        missed = await self._missed.find(self._intake.routed_chats(), self._catch_up.renamed_threads, session)
        self._awaited_guilds = None
        held, self._held = self._held, []
        await self._accept([*missed, *held])
        await self._store_position()


def _object(payload: Any) -> Any:
    """The payload if it is an object at all; else an empty one."""
    return payload if isinstance(payload, dict) else {}


def _session(value: str | None, user_id: str) -> SessionState | None:
    """The stored session, if it is this bot's."""
    if value is None:
        return None
    try:
        session = msgspec.json.decode(value, type=SessionState)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return session if session.user_id == user_id and session.session_id else None
