"""Changes of deliveries, as lanes record them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bridge.journal.contract.links import NOTHING, Carried, Piece
from bridge.model.adapter import Receipt
from bridge.model.errors import Answer
from bridge.model.events import MessageCreated
from bridge.model.outcomes import LossNote, SkipRule
from bridge.model.refs import ChatAddress, ChatRef

ANSWERS_KEPT = 10
ANSWER_BODY_CHARS = 1000


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


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


class PartReceipt(_Value, frozen=True):
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
    carried: Carried = NOTHING


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
    leads (as a `link`) to the piece whose PartReceipt came last."""

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


class Answered(_Value, frozen=True):
    """The answer to a failed attempt. The last `ANSWERS_KEPT` are kept while the delivery is open or given up."""

    delivery_id: int
    at: datetime
    answer: Answer


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


class CopyCameLate(_Value, frozen=True):
    """The message was perhaps not sent in its turn (a dead letter that was retried). If it has a copy at this end by now: what
    people hold on it, and its pin, follow at the end of the lane as events of the bridge's own, if changes that told of them were
    skipped here since there was no copy. Recorded again for the same delivery, nothing follows twice."""

    delivery_id: int
    event_seq: int
    event: MessageCreated
    route: str
    target: ChatAddress
    thread_id: str | None = None


Change = (
    AttemptStarted | PlanSet | PartReceipt | PartGone | PiecesSet | Deferred | Delivered | Skipped | Dead | CopyCameLate | Answered
)
