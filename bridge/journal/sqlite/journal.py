"""`SqliteJournal`: the contract's methods on the event loop. Each one becomes a job for the writer's or the reader's thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from bridge.journal.contract import (
    AcceptRequest,
    AcceptResult,
    Arrival,
    Change,
    Damaged,
    DeadLetter,
    DeadMark,
    Figures,
    Generation,
    Invite,
    JournalError,
    KeySecret,
    KnownPoll,
    Lease,
    Link,
    Merged,
    NewArrival,
    OpenDelivery,
    Original,
    ReactedWith,
    RecentPage,
    StoredKey,
    StoredWait,
    Undecodable,
)
from bridge.journal.sqlite import arrivals, erasing, generations, invites, keys, mailboxes, searching, upkeep
from bridge.journal.sqlite.accepting import Batch
from bridge.journal.sqlite.accepting import prepare as prepare_entry
from bridge.journal.sqlite.copying import keep_former
from bridge.journal.sqlite.database import Lock, explain, prepare, size_on_disk_bytes
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.sqlite.partners import SqlitePartners
from bridge.journal.sqlite.persons import SqlitePersons
from bridge.journal.sqlite.reading import Queries
from bridge.journal.sqlite.threads import Job, Reader, ReadJob, Thread
from bridge.journal.sqlite.writer import AcceptJob, Leisure, RecordJob, WriteJob, Writer
from bridge.journal.tracing import Found, Steps, Traced
from bridge.model.account_store import MailPage
from bridge.model.adapter import Cursor
from bridge.model.events import AlbumItem
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef

T = TypeVar("T")

PRUNE_STEP_EVENTS = 16
"""Events per transaction while pruning: other writes get their turn in between."""


SHRINK_STEPS = 64
"""Steps of giving space back to the disk per call of `prune`, 1 MiB each."""


class SqliteJournal:
    """One SQLite file, with its `-wal`, `-shm` and `.lock` beside it.

    `exclusive` is for the daemon: it creates and migrates the file and holds a lock that no second daemon gets. With
    `exclusive=False` a command line tool reads and writes beside a running daemon (or without one); SQLite's own locks keep the
    two apart, each waiting up to `busy_timeout_s` for the other. The newest `undecodable_limit` undecodable inputs are kept."""

    def __init__(self, path: Path, *, exclusive: bool = True, busy_timeout_s: float = 5.0, undecodable_limit: int = 1000) -> None:
        self._path = path
        self._exclusive = exclusive
        self._busy_timeout_s = busy_timeout_s
        self._undecodable_limit = undecodable_limit
        self._lock = Lock(path)
        self._queries: Queries | None = None
        self._writer: Writer | None = None
        self._leisure = Leisure()
        self._reader: Reader | None = None
        self.persons = SqlitePersons(self._write, self._read)
        self.partners = SqlitePartners(self._write, self._read)

    # -- opening ------------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Create or migrate. Raises JournalError for a journal of a newer version, a corrupt file, or one that is in use."""
        opening = asyncio.get_running_loop().run_in_executor(None, self._open)
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening])  # a thread cannot be stopped half-way; it ends soon
            if not opening.exception():
                await self.close()
            raise

    def _open(self) -> None:
        try:
            if self._exclusive:
                self._lock.take()
            prepare(self._path, exclusive=self._exclusive, busy_timeout_s=self._busy_timeout_s, before_step=keep_former)
            self._reader = Reader(self._path, busy_timeout_s=self._busy_timeout_s, prepare=self._use_for_reading)
            self._reader.start()
            self._writer = Writer(self._path, busy_timeout_s=self._busy_timeout_s)
            self._writer.start()
        except BaseException as error:
            self._stop(*self._detach())
            if isinstance(error, sqlite3.Error | OSError):
                raise explain(error, self._path) from error
            raise

    def _use_for_reading(self, connection: sqlite3.Connection) -> None:
        self._queries = Queries(connection)

    async def close(self) -> None:
        """Does all that was asked before, then lets go of the file. May be called twice."""
        # Detached here and not on the executor's thread: a call made from now on is refused rather than queued in vain.
        threads = self._detach()
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, self._stop, *threads))

    def _detach(self) -> tuple[Thread | None, ...]:
        self._leisure.end()
        threads = (self._reader, self._writer)
        self._reader = self._writer = None
        return threads

    def _stop(self, *threads: Thread | None) -> None:
        try:
            for thread in threads:
                if thread is not None:
                    thread.stop()
        finally:
            self._lock.release()

    # -- handing over -------------------------------------------------------------------------------------------------------

    async def _write(self, write: Callable[[Ledger], T]) -> T:
        return await self._put(WriteJob(asyncio.get_running_loop().create_future(), write))

    async def _put(self, job: Job[T], *, has_time: bool = False) -> T:
        if self._writer is None:
            raise JournalError(f"The journal {self._path} is not open.")
        if has_time:
            self._leisure.add(job, self._writer.put)
        else:
            self._leisure.end()
            self._writer.put(job)
        return await job.future

    async def _read(self, read: Callable[[Queries], T]) -> T:
        if self._reader is None or self._queries is None:
            raise JournalError(f"The journal {self._path} is not open.")
        job: ReadJob[T] = ReadJob(asyncio.get_running_loop().create_future(), partial(read, self._queries))
        self._reader.put(job)
        return await job.future

    # -- leases -------------------------------------------------------------------------------------------------------------

    def lease(self, account: AccountName) -> Lease:
        """For as long as the process lives: the lock on the file keeps every other daemon out, so no write needs to look at it."""
        return Lease(account=account, epoch=1)

    # -- accepting ----------------------------------------------------------------------------------------------------------

    async def accept(
        self, lease: Lease, entries: Sequence[AcceptRequest], cursors: Sequence[Cursor], *, received_at: datetime
    ) -> Sequence[AcceptResult]:
        batch = Batch(lease.account, [prepare_entry(entry) for entry in entries], tuple(cursors), received_at)
        return await self._put(AcceptJob(asyncio.get_running_loop().create_future(), batch))

    async def keep_undecodable(
        self, lease: Lease, raw: bytes, reason: str, cursors: Sequence[Cursor], *, received_at: datetime
    ) -> None:
        limit = self._undecodable_limit
        await self._write(lambda ledger: upkeep.keep_undecodable(ledger, lease.account, raw, reason, cursors, received_at, limit))

    async def undecodable(self, limit: int = 100) -> Sequence[Undecodable]:
        """Newest first."""
        return await self._read(lambda queries: queries.people.undecodable(limit))

    async def cursor(self, account: AccountName, name: str) -> str | None:
        return await self._read(lambda queries: queries.cursor(account, name))

    async def is_known(self, event_key: str) -> bool:
        return await self._read(lambda queries: queries.is_known(event_key))

    # -- delivering ---------------------------------------------------------------------------------------------------------

    async def open_lanes(self) -> Sequence[ChatAddress]:
        return await self._read(lambda queries: queries.deliveries.open_lanes())

    async def pending(self, lane: ChatAddress, after: int, limit: int) -> Sequence[OpenDelivery | Damaged]:
        return await self._read(lambda queries: queries.deliveries.pending(lane, after, limit))

    async def behind(self, lane: ChatAddress, limit: int) -> Sequence[OpenDelivery | Damaged]:
        return await self._read(lambda queries: queries.deliveries.behind(lane, limit))

    async def record(self, lease: Lease, changes: Sequence[Change], *, has_time: bool = False) -> None:
        """Raises ValueError for a change that a delivery cannot have (an attempt at one that is not open): nothing is recorded."""
        job = RecordJob(asyncio.get_running_loop().create_future(), tuple(changes))
        await self._put(job, has_time=has_time)

    # -- links --------------------------------------------------------------------------------------------------------------

    async def link(self, message: MessageRef, target: ChatAddress, thread_id: str | None = None) -> Link | None:
        return await self._read(lambda queries: queries.links.link(message, target, thread_id))

    async def original(self, message: MessageRef) -> Original | None:
        return await self._read(lambda queries: queries.links.original(message))

    async def merged(self, event_seq: int, target: ChatAddress, thread_id: str | None = None) -> Merged | None:
        return await self._read(lambda queries: queries.links.merged(event_seq, target, thread_id))

    async def album(self, message: MessageRef) -> dict[str, AlbumItem]:
        return await self._read(lambda queries: queries.links.album(message))

    async def latest_messages(self, chat: ChatRef, limit: int) -> Sequence[str]:
        return await self._read(lambda queries: queries.links.latest_messages(chat, limit))

    async def reactions(self, event_seq: int, *, not_on: Sequence[MessageRef]) -> Sequence[str]:
        return await self._read(lambda queries: queries.links.reactions(event_seq, not_on))

    async def tally(self, event_seq: int, *, not_on: Sequence[MessageRef]) -> Sequence[ReactedWith]:
        return await self._read(lambda queries: queries.links.tally(event_seq, not_on))

    async def poll(self, event_seq: int) -> KnownPoll | None:
        return await self._read(lambda queries: queries.links.poll(event_seq))

    # -- notes --------------------------------------------------------------------------------------------------------------

    async def note(self, name: str) -> str | None:
        return await self._read(lambda queries: queries.note(name))

    async def set_note(self, name: str, value: str) -> None:
        await self._write(lambda ledger: upkeep.set_note(ledger, name, value))

    # -- addresses and waits ------------------------------------------------------------------------------------------------

    async def native_ids(self, account: AccountName) -> dict[str, str]:
        return await self._read(lambda queries: queries.native_ids(account))

    async def set_native_id(self, lease: Lease, address: ChatAddress, chat_id: str) -> None:
        await self._write(lambda ledger: upkeep.set_native_id(ledger, address, chat_id))

    async def chat_moved(self, lease: Lease, old: ChatRef, new: ChatRef) -> None:
        await self._write(lambda ledger: upkeep.chat_moved(ledger, old, new))

    async def waits(self) -> dict[str, StoredWait]:
        return await self._read(Queries.waits)

    async def set_wait(self, lease: Lease, name: str, until: datetime, *, at: datetime) -> None:
        await self._write(lambda ledger: upkeep.set_wait(ledger, name, until, at))

    async def hurry(
        self, account: AccountName, lanes: Sequence[ChatAddress], waits: Sequence[str], *, everything: bool, at: datetime
    ) -> int:
        return await self._write(lambda ledger: upkeep.hurry(ledger, account, lanes, waits, everything, at))

    async def take_hurried(self) -> Sequence[tuple[AccountName, ChatAddress | None]]:
        if not await self._read(Queries.is_hurried):
            return ()  # a daemon that asks every few seconds writes nothing
        return await self._write(upkeep.take_hurried)

    # -- people's side ------------------------------------------------------------------------------------------------------

    async def dead_letters(self, *, after: int = 0, limit: int = 100) -> Sequence[DeadLetter]:
        return await self._read(lambda queries: queries.people.dead_letters(after, limit))

    async def dead_letter(self, delivery_id: int) -> DeadLetter | None:
        return await self._read(lambda queries: queries.people.dead_letter(delivery_id))

    async def dead_marks(self, *, after: int = 0, limit: int = 1000) -> Sequence[DeadMark]:
        return await self._read(lambda queries: queries.recent.dead_marks(after, limit))

    async def retry_dead(self, delivery_ids: Sequence[int]) -> Sequence[ChatAddress]:
        return await self._write(lambda ledger: upkeep.retry_dead(ledger, delivery_ids))

    async def drop_dead(self, delivery_ids: Sequence[int], *, at: datetime) -> int:
        return await self._write(lambda ledger: upkeep.drop_dead(ledger, delivery_ids, at))

    async def trace(self, message: MessageRef) -> Sequence[Traced]:
        return await self._read(lambda queries: queries.tracing.message(message))

    async def trace_anywhere(self, account: AccountName, message_id: str) -> Sequence[Traced]:
        return await self._read(lambda queries: queries.tracing.message_anywhere(account, message_id))

    async def recent(self, route: str, *, before: int | None = None, limit: int = 50) -> RecentPage:
        return await self._read(lambda queries: queries.recent.deliveries(route, before, limit))

    async def trace_delivery(self, delivery_id: int) -> Traced | None:
        return await self._read(lambda queries: queries.tracing.delivery(delivery_id))

    async def steps(self, *, after: int, limit: int) -> Steps:
        return await self._read(lambda queries: queries.stepping.after(after, limit))

    async def find_words(self, words: str, *, before: int | None, rows: int, most: int) -> Found:
        return await self._read(lambda queries: searching.find(queries.connection, queries.tracing, words, before, rows, most))

    # -- keys ---------------------------------------------------------------------------------------------------------------

    async def add_key(self, key: StoredKey) -> None:
        await self._write(lambda ledger: keys.add_key(ledger, key))

    async def find_key(self, secret_hash: bytes) -> StoredKey | None:
        return await self._read(lambda queries: keys.find_key(queries.connection, secret_hash))

    async def keys(self) -> Sequence[StoredKey]:
        return await self._read(lambda queries: keys.keys(queries.connection))

    async def rotate_key(self, key_id: str, secret: KeySecret, *, old_until: datetime) -> bool:
        return await self._write(lambda ledger: keys.rotate_key(ledger, key_id, secret, old_until))

    async def revoke_key(self, key_id: str, *, at: datetime) -> bool:
        return await self._write(lambda ledger: keys.revoke_key(ledger, key_id, at))

    async def mark_key_used(self, key_id: str, day: date) -> None:
        await self._write(lambda ledger: keys.mark_key_used(ledger, key_id, day))

    async def add_invite(self, invite: Invite) -> None:
        await self._write(lambda ledger: invites.add_invite(ledger, invite))

    async def invite(self, link_hash: bytes) -> Invite | None:
        return await self._read(lambda queries: invites.invite(queries.connection, link_hash))

    async def begin_session(self, link_hash: bytes, session_hash: bytes, *, until: datetime, at: datetime) -> Invite | None:
        return await self._write(lambda ledger: invites.begin_session(ledger, link_hash, session_hash, until, at))

    async def session(self, session_hash: bytes, *, at: datetime) -> Invite | None:
        return await self._read(lambda queries: invites.session(queries.connection, session_hash, at))

    async def add_invited_key(self, session_hash: bytes, key: StoredKey, *, most: int, at: datetime) -> bool:
        return await self._write(lambda ledger: invites.add_invited_key(ledger, session_hash, key, most, at))

    async def listen_to_key(self, key_id: str, until: datetime) -> None:
        await self._write(lambda ledger: arrivals.listen_to_key(ledger, key_id, until))

    async def keep_arrival(self, arrival: NewArrival) -> None:
        await self._write(lambda ledger: arrivals.keep_arrival(ledger, arrival))

    async def arrivals(self, key_id: str, *, after: int = 0) -> Sequence[Arrival]:
        return await self._read(lambda queries: arrivals.arrivals(queries.connection, key_id, after))

    async def ask_replay(self, key_id: str, *, since: datetime, at: datetime) -> Sequence[int]:
        return await self._write(lambda ledger: arrivals.ask_replay(ledger, key_id, since, at))

    async def take_replay(self) -> Arrival | None:
        if not await self._read(lambda queries: arrivals.is_replay_asked(queries.connection)):
            return None  # as with `take_hurried`
        return await self._write(arrivals.take_replay)

    async def replayed(self, number: int, *, status: int, answer: str) -> None:
        await self._write(lambda ledger: arrivals.replayed(ledger, number, status, answer))

    # -- mailboxes ----------------------------------------------------------------------------------------------------------

    async def put_mail(self, lease: Lease, chat_id: str, name: str, content: bytes, *, at: datetime) -> None:
        await self._write(lambda ledger: mailboxes.put_mail(ledger, lease.account, chat_id, name, content, at))

    async def mail(self, account: AccountName, chat_id: str, *, after: int, limit: int, mark: str = "") -> MailPage:
        return await self._read(lambda queries: mailboxes.mail(queries.connection, account, chat_id, after, limit, mark))

    async def rewrite_mail(self, lease: Lease, chat_id: str, holding: bytes, rewrite: Callable[[bytes], bytes]) -> None:
        await self._write(lambda ledger: mailboxes.rewrite_mail(ledger, lease.account, chat_id, holding, rewrite))

    # -- generations --------------------------------------------------------------------------------------------------------

    async def begin_generation(self, mark: str) -> Sequence[Generation]:
        return await self._write(lambda ledger: generations.begin(ledger, mark))

    async def generations(self) -> Sequence[Generation]:
        return await self._read(lambda queries: generations.known(queries.connection))

    # -- upkeep -------------------------------------------------------------------------------------------------------------

    async def figures(self) -> Figures:
        return await self._read(lambda queries: queries.people.figures(size_on_disk_bytes(self._path)))

    async def prune(self, *, before: datetime, limit: int = 1000) -> int:
        """Many small transactions rather than a long one: accepting continues in between."""
        pruned = 0
        while pruned < limit:
            step = min(PRUNE_STEP_EVENTS, limit - pruned)
            count = await self._write(lambda ledger, step=step: upkeep.prune(ledger, before, step))  # type: ignore[misc]
            pruned += count
            if count < step:
                break
        await self._write(lambda ledger: upkeep.prune_rest(ledger, before))
        for _ in range(SHRINK_STEPS):
            if not await self._write(upkeep.shrink):
                break
        return pruned

    async def scrub(self) -> bool:
        while await self._write(erasing.free):
            pass
        return await asyncio.to_thread(erasing.cut_log, self._path, busy_timeout_s=self._busy_timeout_s)
