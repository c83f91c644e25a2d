"""The journal's contract: what the machinery asks of durable storage. Types only; `sqlite` implements it, a server database can.

Every coroutine that changes something returns once the change is on disk. Changes given in one call are one transaction.
Event sequence numbers and delivery ids grow in the order of acceptance, and are never used twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from bridge.model.adapter import Copy, Cursor, Receipt
from bridge.model.events import AlbumItem, ChatEvent
from bridge.model.outcomes import LossNote, SkipRule
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef

if TYPE_CHECKING:
    from bridge.journal.tracing import Traced


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class State(StrEnum):
    """Where a delivery stands. Every delivery ends in one of the last three."""

    WAITING = "waiting"
    """Not begun, or deferred until `not_before`."""
    SENDING = "sending"
    """An attempt was recorded and its outcome was not: after a crash the outcome is unknown."""
    BEHIND = "behind"
    """Waiting beside the line: nothing waits for it. A file that comes after its words, a dead letter that is retried."""
    HELD = "held"
    """Its outcome is unknown and the route says `unknown: hold`: counts as dead until a human decides."""
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    DEAD = "dead"


# -- accepting --------------------------------------------------------------------------------------------------------------


class PlannedDelivery(_Value, frozen=True):
    """One (event, target) pair as routing planned it. With `skip_rule` it is recorded as skipped at once.

    `begun`: its first attempt is recorded with it, as by `AttemptStarted`, because it is about to be made."""

    route: str
    target: ChatAddress
    thread_id: str | None = None
    skip_rule: SkipRule | None = None
    begun: bool = False


class Entry(_Value, frozen=True):
    event: ChatEvent
    deliveries: tuple[PlannedDelivery, ...]


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """An event of that key is there already."""
    ECHO = "echo"
    """A MessageCreated, MessageEdited or MessageDeleted whose message is one of our own copies. Nothing is stored."""


class Accepted(_Value, frozen=True):
    """What became of one entry. `delivery_ids` are parallel to the entry's deliveries; skipped ones have an id as well.

    `later`: the change of this created message that was accepted before it. If that is an edit, `event` is what was stored, the
    message as edited; if it is a deletion, all deliveries were skipped."""

    verdict: Verdict
    event_seq: int = 0
    delivery_ids: tuple[int, ...] = ()
    event: ChatEvent | None = None
    later: ChatEvent | None = None


# -- delivering -------------------------------------------------------------------------------------------------------------


class SentPart(_Value, frozen=True):
    """A part that has its receipt."""

    part: int
    copy: Copy


class Piece(_Value, frozen=True):
    """What one created event contributed to a message that several were merged into. `content` is opaque to the journal."""

    event_seq: int
    content: bytes


class Merged(_Value, frozen=True):
    """A message in a target that several created events were merged into. `lead_seq` names it: the first event it was made of."""

    lead_seq: int
    pieces: tuple[Piece, ...]
    """In the order of their events, which is the order within the message."""


class Pending(_Value, frozen=True):
    """An open delivery, with all that a lane needs to go on with it after any restart."""

    delivery_id: int
    event_seq: int
    route: str
    target: ChatAddress
    thread_id: str | None
    event: ChatEvent
    state: State
    attempt: int
    """Attempts recorded so far for the part `len(parts)`."""
    first_attempt_at: datetime | None
    not_before: datetime | None
    last_error: str
    parts: tuple[SentPart, ...]
    recorded_at: datetime | None = None
    """When the attempt or the delay was recorded, by the clock that `first_attempt_at` and `not_before` are of: their differences
    are durations, whatever the clock did since."""
    plan: bytes = b""
    """What `PlanSet` kept; empty if nothing."""
    later: ChatEvent | None = None
    """The newest MessageEdited (but for one item of an album) or MessageDeleted of this message that was accepted after this."""
    lead_seq: int | None = None
    """While SENDING: the merged message that the attempt was part of (see `Merged`); None if it was made alone."""


class Damaged(_Value, frozen=True):
    """An open delivery whose row, or whose event's, cannot be read: harmed on disk, or written by a newer version. `reason` says
    what was found. Nothing else of the journal is concerned."""

    delivery_id: int
    reason: str


class AttemptStarted(_Value, frozen=True):
    """Recorded before the attempt is made. Sets the delivery to SENDING.

    `first_attempt_at`: `at` less the time that was spent on the delivery; None leaves what was recorded."""

    delivery_id: int
    part: int
    attempt: int
    at: datetime
    first_attempt_at: datetime | None = None


class PlanSet(_Value, frozen=True):
    """How a message of several parts is made up, opaque to the journal; recorded with the attempt at its first part and whenever it
    changes, kept until the delivery is delivered or skipped."""

    delivery_id: int
    content: bytes


class PartSent(_Value, frozen=True):
    """A part's receipt. `chat` is the target's native chat: each native id becomes a link to the event's original message.

    A part number that has a receipt already (an edit that re-sent it) is replaced. `event_seq` is the event whose original message
    this is a copy of: the created event, also when an edit's delivery sent it. `thread_id` is the end's, as in the PlannedDelivery:
    two ends in one chat have copies of their own."""

    delivery_id: int
    event_seq: int
    part: int
    chat: ChatRef
    target: ChatAddress
    receipt: Receipt
    at: datetime
    thread_id: str | None = None


class PartGone(_Value, frozen=True):
    """A part that was deleted in the target (an edit made the text shorter; a delete): its links are removed."""

    event_seq: int
    target: ChatAddress
    part: int
    thread_id: str | None = None


class PiecesSet(_Value, frozen=True):
    """The merged message that `lead_seq` names at an end is made of these pieces, and of no others; none: it is forgotten.

    Recorded together with the attempts of its deliveries, and again whenever it changes. An event is a piece of one message at an
    end at most: the one recorded last. Each piece's event has its own part, all of them with the same native message, which
    leads (as a `link`) to the piece whose PartSent came last."""

    target: ChatAddress
    lead_seq: int
    pieces: tuple[Piece, ...]
    thread_id: str | None = None


class Deferred(_Value, frozen=True):
    """The attempt surely did not succeed; the delivery is WAITING until `not_before`, or BEHIND with `behind`. `at` and
    `first_attempt_at` as in `AttemptStarted`."""

    delivery_id: int
    attempt: int
    not_before: datetime
    error: str
    at: datetime | None = None
    first_attempt_at: datetime | None = None
    behind: bool = False


class Delivered(_Value, frozen=True):
    """All parts have their receipts (or the edit, delete or reaction was carried out)."""

    delivery_id: int
    at: datetime
    losses: tuple[LossNote, ...] = ()


class Skipped(_Value, frozen=True):
    delivery_id: int
    rule: SkipRule
    at: datetime


class Dead(_Value, frozen=True):
    """Given up; kept for an admin. `held` for an unknown outcome under `unknown: hold`."""

    delivery_id: int
    reason: str
    at: datetime
    held: bool = False


Change = AttemptStarted | PlanSet | PartSent | PartGone | PiecesSet | Deferred | Delivered | Skipped | Dead


# -- links ------------------------------------------------------------------------------------------------------------------


class Elsewhere(_Value, frozen=True):
    """Copies at another end of the same chat."""

    thread_id: str | None
    copies: tuple[SentPart, ...]


class AuthorName(str):
    """An author's name, with the native user id and the username; both are empty in journals of before they were kept."""

    __slots__ = ("user_id", "username")
    user_id: str
    username: str

    def __new__(cls, name: str, user_id: str = "", username: str = "") -> AuthorName:
        made = super().__new__(cls, name)
        made.user_id, made.username = user_id, username
        return made


class Link(_Value, frozen=True):
    """What is known of a native message: the original it belongs to, and how that is copied in one target."""

    event_seq: int
    """Of the created event."""
    original: MessageRef
    is_original: bool
    """Whether the message asked for is the original itself (or one of its `also_ids`), not a copy."""
    author_name: str
    """From the journal itself an `AuthorName`."""
    copies: tuple[SentPart, ...]
    """The parts in the target and thread asked for, in order; empty if there is none there."""
    thread_id: str | None = None
    """The thread asked for."""
    also_ids: tuple[str, ...] = ()
    """Further native messages of the original."""
    elsewhere: tuple[Elsewhere, ...] = ()
    """Only when there is none in the thread asked for: the copies in the chat itself, then those in other threads, by their ids."""


# -- dead letters and figures -----------------------------------------------------------------------------------------------


class DeadLetter(_Value, frozen=True):
    delivery_id: int
    route: str
    target: ChatAddress
    state: State
    reason: str
    attempts: int
    died_at: datetime
    event: ChatEvent | None
    """None: it cannot be read (see `Damaged`)."""
    parts_sent: int


class LaneFigures(_Value, frozen=True):
    target: ChatAddress
    waiting: int
    oldest_accepted_at: datetime | None
    next_attempt_at: datetime | None = None
    """Of the oldest: the moment before which it is not tried again, as far as the journal knows."""
    attempts: int = 0
    last_error: str = ""


class Figures(_Value, frozen=True):
    events: int
    dead: int
    undecodable: int
    size_bytes: int
    lanes: tuple[LaneFigures, ...]


class StoredWait(_Value, frozen=True):
    until: datetime
    kept_at: datetime | None
    """When it was recorded, by the same clock; None: by a version that did not keep it."""


class Undecodable(_Value, frozen=True):
    number: int
    account: AccountName
    reason: str
    received_at: datetime
    raw: bytes


class JournalError(Exception):
    """The storage failed (disk full, file corrupt, written by a newer version). The text says what to do."""


class Journal(Protocol):
    async def open(self) -> None:
        """Create or migrate. Raises JournalError for a journal of a newer version, a corrupt file, or one that is in use."""
        ...

    async def close(self) -> None: ...

    # accepting
    async def accept(
        self, account: AccountName, entries: Sequence[Entry], cursors: Sequence[Cursor], *, received_at: datetime
    ) -> Sequence[Accepted]:
        """Store events with their deliveries, and the cursors, in one transaction; the answer is parallel to `entries`.

        A MessageCreated registers its `message_id` and `also_ids` as originals, and an album's `items`; the `item` of a
        MessageEdited takes the place of the one before (see `album`). A ReactionsChanged updates the reaction state of
        its original (see `reactions`)."""
        ...

    async def keep_undecodable(
        self, account: AccountName, raw: bytes, reason: str, cursors: Sequence[Cursor], *, received_at: datetime
    ) -> None:
        """`raw` is kept up to 64 KiB, for the number of entries that retention allows."""
        ...

    async def undecodable(self, limit: int = 100) -> Sequence[Undecodable]: ...

    async def cursor(self, account: AccountName, name: str) -> str | None: ...

    async def is_known(self, event_key: str) -> bool: ...

    # delivering
    async def open_lanes(self) -> Sequence[ChatAddress]:
        """Targets with deliveries that are WAITING, SENDING or BEHIND."""
        ...

    async def pending(self, lane: ChatAddress, after: int, limit: int) -> Sequence[Pending | Damaged]:
        """Deliveries of one lane that are WAITING or SENDING, with ids above `after`, in order."""
        ...

    async def behind(self, lane: ChatAddress, limit: int) -> Sequence[Pending | Damaged]:
        """Deliveries of one lane that are BEHIND: those due first come first."""
        ...

    async def record(self, changes: Sequence[Change]) -> None:
        """Carry out the changes, in order, in one transaction."""
        ...

    # links
    async def link(self, message: MessageRef, target: ChatAddress, thread_id: str | None = None) -> Link | None:
        """Resolve a native message, original or copy, and find its copies at the end `target` with that thread."""
        ...

    async def merged(self, event_seq: int, target: ChatAddress, thread_id: str | None = None) -> Merged | None:
        """The message at that end that a created event was merged into; None if its copy is its own."""
        ...

    async def album(self, message: MessageRef) -> dict[str, AlbumItem]:
        """What the native messages say of the album that this original belongs to, in their order; empty if they are not known."""
        ...

    async def latest_messages(self, chat: ChatRef, limit: int) -> Sequence[str]:
        """Native ids of the latest known messages of a chat, originals and copies, newest first."""
        ...

    async def reactions(self, event_seq: int, *, not_on: Sequence[MessageRef]) -> Sequence[str]:
        """Distinct emoji that people hold on a message or its copies, but for those native messages, latest first."""
        ...

    # addresses
    async def native_ids(self, account: AccountName) -> dict[str, str]:
        """Address -> native chat id, as last resolved."""
        ...

    async def set_native_id(self, address: ChatAddress, chat_id: str) -> None: ...

    async def chat_moved(self, old: ChatRef, new: ChatRef) -> None:
        """Addresses that led to the old native id lead to the new one; known messages keep their links under the old id."""
        ...

    # waits that survive a restart
    async def waits(self) -> dict[str, StoredWait]:
        """Named moments before which nothing may be sent (a 429 with a long wait)."""
        ...

    async def set_wait(self, name: str, until: datetime, *, at: datetime) -> None:
        """`at` is now, by the clock that `until` is of."""
        ...

    async def hurry(
        self, account: AccountName, lanes: Sequence[ChatAddress], waits: Sequence[str], *, everything: bool, at: datetime
    ) -> int:
        """What is open in those lanes is due at once, those named waits are over, and a running daemon hears of it by
        `take_hurried`: of the lanes, or with `everything` of the whole account. Returns how many deliveries are open in them."""
        ...

    async def take_hurried(self) -> Sequence[tuple[AccountName, ChatAddress | None]]:
        """What was hurried since the last call; None: the whole account."""
        ...

    # people's side
    async def dead_letters(self, *, after: int = 0, limit: int = 100) -> Sequence[DeadLetter]: ...

    async def dead_letter(self, delivery_id: int) -> DeadLetter | None: ...

    async def retry_dead(self, delivery_ids: Sequence[int]) -> Sequence[ChatAddress]:
        """BEHIND, attempt 0, parts with receipts kept; returns the lanes to wake."""
        ...

    async def drop_dead(self, delivery_ids: Sequence[int], *, at: datetime) -> int:
        """Skipped by rule `dropped by an admin`; returns how many there were."""
        ...

    async def trace(self, message: MessageRef) -> Sequence[Traced]:
        """What became of a message, asked by its original or by a copy; nothing if the journal does not know it (any more)."""
        ...

    async def trace_anywhere(self, account: AccountName, message_id: str) -> Sequence[Traced]:
        """The same in any chat of the account, for platforms where a message's id is enough."""
        ...

    async def trace_delivery(self, delivery_id: int) -> Traced | None:
        """What became of the event that a delivery belongs to."""
        ...

    async def figures(self) -> Figures: ...

    async def prune(self, *, before: datetime, limit: int = 1000) -> int:
        """Forget finished events and links accepted before that moment (dead letters and open deliveries stay), at most `limit`
        events a call; returns how many went."""
        ...
