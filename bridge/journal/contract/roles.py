"""What the machinery needs of durable storage, by role. Each user of the journal is given the roles it needs, and no others.

Every coroutine that changes something returns once the change is on disk. Changes given in one call are one transaction.
Event sequence numbers and delivery ids grow in the order of acceptance, and are never used twice. Every method raises JournalError
when the storage fails. What an account's tasks change carries the account's lease, and raises LeaseLost once that is another's;
what people change by a command, and notes, do not: they are right whoever acts for the account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from bridge.journal.contract.accepting import AcceptRequest, AcceptResult
from bridge.journal.contract.changes import Change
from bridge.journal.contract.deliveries import Damaged, Generation, OpenDelivery
from bridge.journal.contract.keys import Arrival, Invite, KeySecret, NewArrival, StoredKey
from bridge.journal.contract.leases import Lease, LeaseStore
from bridge.journal.contract.links import KnownPoll, Link, Merged, Original, ReactedWith
from bridge.journal.contract.partners import PartnerStore
from bridge.journal.contract.people import DeadLetter, DeadMark, Figures, RecentPage, StoredWait, Undecodable
from bridge.journal.contract.persons import PersonStore
from bridge.model.account_store import MailPage
from bridge.model.adapter import Cursor
from bridge.model.events import AlbumItem
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef

if TYPE_CHECKING:
    from bridge.journal.tracing import Found, Steps, Traced

STEPS_KEPT = 50_000
"""Of all that became of messages, the newest."""


class IntakeStore(LeaseStore, Protocol):
    """Where input becomes the bridge's responsibility."""

    async def accept(
        self, lease: Lease, entries: Sequence[AcceptRequest], cursors: Sequence[Cursor], *, received_at: datetime
    ) -> Sequence[AcceptResult]:
        """Store events with their deliveries, and the account's cursors, in one transaction; the answer is parallel to `entries`.

        A MessageCreated registers its `message_id` and `also_ids` as originals, and an album's `items`; the `item` of a
        MessageEdited takes the place of the one before (see `album`). A ReactionsChanged updates the reaction state of
        its original (see `LinkStore.reactions`). One whose message is not known is kept until the message is accepted, and so is a
        pin: see `AcceptResult.following`. A PollVotesChanged replaces the votes known of its message (`LinkStore.poll`)."""
        ...

    async def keep_undecodable(
        self, lease: Lease, raw: bytes, reason: str, cursors: Sequence[Cursor], *, received_at: datetime
    ) -> None:
        """`raw` is kept up to 64 KiB, for the number of entries that retention allows."""
        ...

    async def cursor(self, account: AccountName, name: str) -> str | None: ...

    async def is_known(self, event_key: str) -> bool: ...

    async def album(self, message: MessageRef) -> dict[str, AlbumItem]:
        """What the native messages say of the album that this original belongs to, in their order; empty if they are not known."""
        ...

    async def latest_messages(self, chat: ChatRef, limit: int) -> Sequence[str]:
        """Native ids of the latest known messages of a chat, originals and copies, newest first."""
        ...


class DeliveryStore(LeaseStore, Protocol):
    """Open deliveries, by lane."""

    async def open_lanes(self) -> Sequence[ChatAddress]:
        """Targets with deliveries that are WAITING, SENDING or BEHIND."""
        ...

    async def pending(self, lane: ChatAddress, after: int, limit: int) -> Sequence[OpenDelivery | Damaged]:
        """Deliveries of one lane that are WAITING or SENDING, with a `lane_seq` above `after`, in its order. That is the order of
        commit: none is committed behind what was read."""
        ...

    async def behind(self, lane: ChatAddress, limit: int) -> Sequence[OpenDelivery | Damaged]:
        """Deliveries of one lane that are BEHIND: those due first come first."""
        ...

    async def record(self, lease: Lease, changes: Sequence[Change], *, has_time: bool = False) -> None:
        """Carry out the changes, all of them of deliveries to the lease's account, in order, in one transaction. `has_time`: it may
        take a moment longer, so that they share a disk sync with others.

        Raises ValueError for a change that a delivery cannot have (an attempt at one that is not open): nothing is recorded."""
        ...


class LinkStore(Protocol):
    """Which native messages belong together."""

    async def link(self, message: MessageRef, target: ChatAddress, thread_id: str | None = None) -> Link | None:
        """Resolve a native message, original or copy, and find its copies at the end `target` with that thread."""
        ...

    async def original(self, message: MessageRef) -> Original | None:
        """What became of an accepted message, or of the album that it is an item of; None: no original of that id is known (any
        more). A copy is none."""
        ...

    async def merged(self, event_seq: int, target: ChatAddress, thread_id: str | None = None) -> Merged | None:
        """The message at that end that a created event was merged into; None if its copy is its own."""
        ...

    async def reactions(self, event_seq: int, *, not_on: Sequence[MessageRef]) -> Sequence[str]:
        """Distinct emoji that people hold on a message or its copies, but for those native messages, latest first."""
        ...

    async def tally(self, event_seq: int, *, not_on: Sequence[MessageRef]) -> Sequence[ReactedWith]:
        """The same, with how many people hold each; those that most hold come first. Who is not told counts as one person."""
        ...

    async def poll(self, event_seq: int) -> KnownPoll | None:
        """A created event with a poll, and the votes on it; None if it has no poll, or is of a version that did not keep them."""
        ...


class AddressStore(LeaseStore, Protocol):
    """Where the addresses of bridge.yaml lead."""

    async def native_ids(self, account: AccountName) -> dict[str, str]:
        """Address -> native chat id, as last resolved."""
        ...

    async def set_native_id(self, lease: Lease, address: ChatAddress, chat_id: str) -> None: ...

    async def chat_moved(self, lease: Lease, old: ChatRef, new: ChatRef) -> None:
        """Addresses that led to the old native id lead to the new one; known messages keep their links under the old id."""
        ...


class WaitStore(LeaseStore, Protocol):
    """Waits that survive a restart, and people's wishes to end them."""

    async def waits(self) -> dict[str, StoredWait]:
        """Named moments before which nothing may be sent (a 429 with a long wait)."""
        ...

    async def set_wait(self, lease: Lease, name: str, until: datetime, *, at: datetime) -> None:
        """`at` is now, by the clock that `until` is of."""
        ...

    async def hurry(
        self, account: AccountName, lanes: Sequence[ChatAddress], waits: Sequence[str], *, everything: bool, at: datetime
    ) -> int:
        """Open deliveries in those lanes are due at once, the named waits are over, and a running daemon learns of it by
        `take_hurried`: of the lanes, or with `everything` of the whole account. Returns how many deliveries are open in them."""
        ...

    async def take_hurried(self) -> Sequence[tuple[AccountName, ChatAddress | None]]:
        """The hurry requests since the last call; None: the whole account."""
        ...


class DeadLetterStore(Protocol):
    """Deliveries that were given up, for an admin."""

    async def dead_letters(self, *, after: int = 0, limit: int = 100) -> Sequence[DeadLetter]: ...

    async def dead_letter(self, delivery_id: int) -> DeadLetter | None: ...

    async def dead_marks(self, *, after: int = 0, limit: int = 1000) -> Sequence[DeadMark]:
        """The same without what was said, for who counts or chooses among many."""
        ...

    async def retry_dead(self, delivery_ids: Sequence[int]) -> Sequence[ChatAddress]:
        """BEHIND, attempt 0, parts with receipts kept; returns the lanes to wake."""
        ...

    async def drop_dead(self, delivery_ids: Sequence[int], *, at: datetime) -> int:
        """Skipped by rule `dropped by an admin`; returns how many there were."""
        ...


class TraceStore(Protocol):
    """What became of a message."""

    async def trace(self, message: MessageRef) -> Sequence[Traced]:
        """Asked by its original or by a copy; nothing if the journal does not know it (any more)."""
        ...

    async def trace_anywhere(self, account: AccountName, message_id: str) -> Sequence[Traced]:
        """The same in any chat of the account, for platforms where a message's id is enough."""
        ...

    async def recent(self, route: str, *, before: int | None = None, limit: int = 50) -> RecentPage:
        """The latest deliveries of a route, newest first, from those with a number below `before`. A call looks at a bounded number
        of deliveries of all routes: a page may have none, and yet not be the last."""
        ...

    async def trace_delivery(self, delivery_id: int) -> Traced | None:
        """What became of the event that a delivery belongs to."""
        ...

    async def steps(self, *, after: int, limit: int) -> Steps:
        """What became of messages since the step of that number, at most `limit` steps. Cheap when nothing did. The journal keeps
        the newest `STEPS_KEPT`."""
        ...

    async def find_words(self, words: str, *, before: int | None, rows: int, most: int) -> Found:
        """The messages and edits that contain `words`, in any case, among the newest `rows` that the journal still has the words of
        (what waits, is dead or is held, and the newest edit of each message): all about the newest `most` of them, and how many
        there are. `before`: only those before that event."""
        ...


class NoteStore(Protocol):
    """Small facts that the bridge keeps for itself (the journal's id, its bots' names), of no account."""

    async def note(self, name: str) -> str | None: ...

    async def set_note(self, name: str, value: str) -> None: ...


class KeyStore(Protocol):
    """Keys of the public listener. People change them by commands, beside a running daemon, which asks for each call anew."""

    async def add_key(self, key: StoredKey) -> None:
        """With its secrets. Raises ValueError if there is a key of that id."""
        ...

    async def find_key(self, secret_hash: bytes) -> StoredKey | None:
        """The key that has a secret of that hash, whether it is valid still or not."""
        ...

    async def keys(self) -> Sequence[StoredKey]:
        """Oldest first, with those that were revoked until retention takes them."""
        ...

    async def rotate_key(self, key_id: str, secret: KeySecret, *, old_until: datetime) -> bool:
        """A second secret; those there are open the key until `old_until` at the latest. A key that ends some day ends then with
        its new secret too. False: there is no such key, or it is revoked or over."""
        ...

    async def revoke_key(self, key_id: str, *, at: datetime) -> bool:
        """Its secrets are forgotten. False: there is no such key, or it is revoked already."""
        ...

    async def mark_key_used(self, key_id: str, day: date) -> None: ...


class InviteStore(Protocol):
    """Links by which people make keys in a browser."""

    async def add_invite(self, invite: Invite) -> None: ...

    async def invite(self, link_hash: bytes) -> Invite | None: ...

    async def begin_session(self, link_hash: bytes, session_hash: bytes, *, until: datetime, at: datetime) -> Invite | None:
        """Use up a link, once: None if there is none, or it is over, or was used."""
        ...

    async def session(self, session_hash: bytes, *, at: datetime) -> Invite | None:
        """The invitation whose session it is; None once that is over."""
        ...

    async def add_invited_key(self, session_hash: bytes, key: StoredKey, *, most: int, at: datetime) -> bool:
        """Like `add_key`, for a session that goes on and has made fewer than `most` keys. False: it does not, or has."""
        ...


class ArrivalStore(Protocol):
    """What arrived by a key, for an admin who connects a sender: the newest `ARRIVALS_KEPT` of a key."""

    async def listen_to_key(self, key_id: str, until: datetime) -> None: ...

    async def keep_arrival(self, arrival: NewArrival) -> None: ...

    async def arrivals(self, key_id: str, *, after: int = 0) -> Sequence[Arrival]:
        """Those with a greater number, oldest first."""
        ...

    async def ask_replay(self, key_id: str, *, since: datetime, at: datetime) -> Sequence[int]:
        """Those that are whole, and arrived since then, are to be put through once more; returns their numbers."""
        ...

    async def take_replay(self) -> Arrival | None:
        """The oldest that is to be put through and was not taken yet. After a crash the others are still to be taken."""
        ...

    async def replayed(self, number: int, *, status: int, answer: str) -> None: ...


class MailStore(Protocol):
    """Mailboxes of an account's chats, for who fetches what is sent to them. The newest `MAILBOX_KEPT` of a mailbox are kept."""

    async def put_mail(self, lease: Lease, chat_id: str, name: str, content: bytes, *, at: datetime) -> None:
        """A name that is there already is not added again."""
        ...

    async def mail(self, account: AccountName, chat_id: str, *, after: int, limit: int, mark: str = "") -> MailPage:
        """The oldest of those behind a cursor, at most `limit`. A cursor that never was counts as 0; so does one whose mark is
        another's. Without a mark, the number alone is looked at."""
        ...

    async def rewrite_mail(self, lease: Lease, chat_id: str, holding: bytes, rewrite: Callable[[bytes], bytes]) -> None:
        """Give each kept message of a mailbox whose content has the bytes `holding` the content that `rewrite` makes of it."""
        ...


class Upkeep(Protocol):
    """Opening and closing, figures, forgetting."""

    async def open(self) -> None:
        """Create or migrate. Raises JournalError for a journal of a newer version, a corrupt file, or one that is in use."""
        ...

    async def begin_generation(self, mark: str) -> Sequence[Generation]:
        """Mark all deliveries that are accepted from now on, until it is called again. Returns the generations of all deliveries
        that the journal still has, in order, the new one last. One without a delivery is replaced."""
        ...

    async def generations(self) -> Sequence[Generation]:
        """Those that there are, in order."""
        ...

    async def close(self) -> None:
        """Does all that was asked before, then lets go of the storage. May be called twice."""
        ...

    async def figures(self) -> Figures: ...

    async def undecodable(self, limit: int = 100) -> Sequence[Undecodable]:
        """Newest first."""
        ...

    async def prune(self, *, before: datetime, limit: int = 1000) -> int:
        """Forget finished events and links accepted before that moment (dead letters and open deliveries stay), at most `limit`
        events a call; returns how many went."""
        ...

    async def scrub(self) -> bool:
        """Overwrite or give back what the storage still holds of what was deleted. False: not all of it could be reached now,
        since others read it; it goes with what is written next."""
        ...


class Journal(
    IntakeStore,
    DeliveryStore,
    LinkStore,
    AddressStore,
    WaitStore,
    DeadLetterStore,
    TraceStore,
    NoteStore,
    KeyStore,
    InviteStore,
    ArrivalStore,
    MailStore,
    Upkeep,
    Protocol,
):
    """All roles: what `open_journal` gives, and what an implementation is."""

    @property
    def persons(self) -> PersonStore: ...

    @property
    def partners(self) -> PartnerStore: ...
