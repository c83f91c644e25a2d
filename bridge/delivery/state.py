"""What `lane`, `executor` and `operations.change` pass to each other: a delivery being worked on, and where it goes."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

from bridge.delivery.message_plan import Plan
from bridge.files.fetch import Patience
from bridge.journal.contract import (
    Carried,
    Change,
    Delivered,
    DeliveryStatus,
    Link,
    OpenDelivery,
    Piece,
    PiecesSet,
    Skipped,
    StoredPart,
)
from bridge.model.adapter import Adapter, Copy, Receipt, Reconciles
from bridge.model.capabilities import Feature, Operation
from bridge.model.events import Attachment
from bridge.model.outcomes import LossNote, SkipRule
from bridge.model.refs import ChatRef
from bridge.policy.routing import RelayOptions, RouteEnd
from bridge.render.attachments import Target
from bridge.render.long_text import is_whole_text
from bridge.render.message import Part

T = TypeVar("T")


class Call(Protocol):
    def __call__(self, work: Coroutine[Any, Any, T], /) -> Coroutine[Any, Any, T]: ...


@dataclass(slots=True)
class DeliveryState:
    """A delivery being worked on: what the journal knows of it, kept current in memory."""

    pending: OpenDelivery
    parts: list[StoredPart]
    attempt: int
    first_attempt_at: datetime | None
    started_s: float
    unknown: bool = False
    """Whether the attempt on the next part may have succeeded."""
    attempted: bool = False
    """Whether an attempt was begun since the last error."""
    last_unknown_at: datetime | None = None
    losses: list[LossNote] = field(default_factory=list)
    patience: Patience = Patience.WAIT
    file_wait_s: float = 0.0
    """So long this attempt waits for downloads."""
    files_asked_s: float | None = None
    """On the monotonic clock: when its files were asked for first."""
    plan: Plan | None = None
    """How the message is made up, once it was begun."""
    reworded: bool = False
    """Whether it is sent as it was edited meanwhile."""
    refused: bool = False
    """Whether the target refused a file of it: the plan knows."""
    unrecorded: list[Change] = field(default_factory=list)
    """To be recorded with the next attempt."""
    spent_before_s: float = 0.0
    """Time spent on it before this process took it up."""
    counting_since_s: float | None = None
    """On the monotonic clock: since when time is spent on it. None: no attempt was made yet."""
    unknown_since_s: float | None = None
    """On the monotonic clock: when the attempt of unknown outcome was made, if this process made it."""
    bugs: int = 0
    served_before: int | None = None
    """Deliveries of the account that were carried out before the last failure."""
    faults_beside_others: int = 0
    """Failures between which others of the account were carried out."""
    first_fault_s: float = 0.0
    """On the monotonic clock: when the first of its failures was that may be its own."""
    attempts_made: int = 0
    """Of all its parts, since this process took it up."""
    posts: bool = False
    """For an edit: whether it is about to post a further message, which repeated would be there twice."""
    asked: bool = False
    """For an edit that the process died over: whether it was asked what became of such a message."""
    elsewhere: bool = False
    """Whether it changes a message that is under a former id of the chat."""
    limited: bool = False
    """Whether the platform or a budget made it wait: then others may join it."""
    followers: list[OpenDelivery] = field(default_factory=list)
    """Deliveries that go out in one message with this one, in order."""
    pieces: tuple[Piece, ...] = ()
    """With followers: what each of them gives to the message."""

    def spent_s(self, now_s: float) -> float:
        """Time spent on it, whatever the wall clock did. The time in which the bridge did not run is not counted."""
        return self.spent_before_s + (now_s - self.counting_since_s if self.counting_since_s is not None else 0.0)

    @property
    def together(self) -> list[OpenDelivery]:
        """All deliveries that this is about."""
        return [self.pending, *self.followers]

    def set_pieces(self, pieces: tuple[Piece, ...]) -> PiecesSet:
        pending = self.pending
        return PiecesSet(target=pending.target, thread_id=pending.thread_id, lead_seq=pending.event_seq, pieces=pieces)


class NotNow(Exception):
    """The delivery is set aside: what it still has to do must not hold up what comes after it. Nothing of it is under way."""

    def __init__(self, reason: str, *, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTarget:
    """Where a delivery goes, resolved."""

    end: RouteEnd
    chat: ChatRef
    platform: str
    adapter: Adapter
    target: Target
    call: Call
    """How the adapter is called: bounded in time, also if it is closed meanwhile. Raises TimeoutError then."""

    @property
    def options(self) -> RelayOptions:
        return self.end.options


class DeliveryContext(Protocol):
    """What carrying out a delivery asks of its lane."""

    async def record(self, changes: Sequence[Change]) -> None:
        """Returns once they are on disk."""
        ...

    def claim(self, pending: OpenDelivery) -> bool:
        """Whether its first attempt, which is made now, is on disk already."""
        ...

    def prerecord_next(self, now: datetime) -> Sequence[Change]:
        """The attempts of what comes next, to be recorded together with this one's."""
        ...

    async def admit(self, place: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        """Returns once so many messages may be sent, or so many calls of that kind made, having counted them."""
        ...

    def mark_accepted(self, place: ResolvedTarget, messages: int, operation: Operation = Operation.SEND) -> None:
        """They were taken by the platform."""
        ...


_MADE = "~"
"""Begins the mark of a file that the bridge made of the message's own text; no other mark has it."""


def file_mark(attachment: Attachment) -> str:
    """48 bits stand for a file among those of one message."""
    name = attachment.unique_id or attachment.file_id
    if is_whole_text(attachment):
        return _MADE + urlsafe_b64encode(blake2b(name.encode(), digest_size=6).digest()).decode()[1:]
    return urlsafe_b64encode(blake2b(name.encode(), digest_size=6).digest()).decode()


def is_made(mark: str) -> bool:
    """Whether this is the mark of a file with the whole text."""
    return mark.startswith(_MADE)


def carried_by(part: Part) -> Carried:
    marks = tuple(file_mark(file.attachment) for file in part.files)
    return Carried(text=bool(part.text), files=bool(part.files), marks=marks)


def stored_part(place: ResolvedTarget, number: int, receipt: Receipt, part: Part) -> StoredPart:
    """What the journal knows of a part that was sent."""
    copy = Copy(
        chat_id=place.chat.chat_id,
        message_ids=receipt.message_ids,
        thread_id=receipt.thread_id,
        adapter_data=receipt.adapter_data,
    )
    return StoredPart(part=number, copy=copy, carried=carried_by(part))


def copy_here(link: Link | None, place: ResolvedTarget) -> Copy | None:
    """The message as it exists in the target: one of our copies, or the original itself if the target is where it was written."""
    if link is None:
        return None
    if link.copies:
        return link.copies[0].copy
    if link.original.chat == place.chat:
        return Copy(chat_id=place.chat.chat_id, message_ids=(link.original.message_id,))
    return None


def copy_nearby(link: Link | None) -> Copy | None:
    """A copy in another thread of the target."""
    return link.elsewhere[0].copies[0].copy if link is not None and link.elsewhere else None


def is_one_message(pending: OpenDelivery, following: OpenDelivery) -> bool:
    """Whether both were being sent as one message when the process stopped."""
    return pending.lead_seq is not None and (pending.lead_seq, pending.thread_id) == (following.lead_seq, following.thread_id)


def can_reconcile(adapter: Adapter) -> bool:
    """Whether the platform can be asked what became of a message."""
    return isinstance(adapter, Reconciles) and adapter.capabilities.native(Feature.RECONCILE)


def is_message(work: DeliveryState) -> bool:
    """Whether repeating the attempt could double something: edits, deletes and reactions can be repeated freely, but
    for the further messages of an edit."""
    return work.posts or work.pending.event.traits.posts


def is_untouched(pending: OpenDelivery, now: datetime) -> bool:
    """Whether nothing of it was sent, and nothing may have been, and it is due."""
    return (
        pending.state is DeliveryStatus.WAITING and not pending.parts and (pending.not_before is None or pending.not_before <= now)
    )


def delivered(work: DeliveryState, at: datetime) -> Delivered:
    return Delivered(delivery_id=work.pending.delivery_id, at=at, losses=tuple(work.losses))


def skipped(work: DeliveryState, rule: SkipRule, at: datetime) -> Skipped:
    return Skipped(delivery_id=work.pending.delivery_id, rule=rule, at=at)
