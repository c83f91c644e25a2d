"""What intake passes to the journal, and the result."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from bridge.model.events import ChatEvent
from bridge.model.outcomes import SkipRule
from bridge.model.refs import ChatAddress


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class PlannedDelivery(_Value, frozen=True):
    """One (event, target) pair as routing planned it. With `skip_rule` it is recorded as skipped at once.

    `prerecorded`: its first attempt is recorded with it, as by `AttemptStarted`, because it is about to be made."""

    route: str
    target: ChatAddress
    thread_id: str | None = None
    skip_rule: SkipRule | None = None
    prerecorded: bool = False


class AcceptRequest(_Value, frozen=True):
    event: ChatEvent
    deliveries: tuple[PlannedDelivery, ...]


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """An event of that key is there already."""
    ECHO = "echo"
    """A MessageCreated, MessageEdited or MessageDeleted whose message is one of our own copies. Nothing is stored."""


class Following(_Value, frozen=True):
    """An event of the bridge's own that the journal put behind an accepted message: reactions and pins that came before it. Its
    deliveries are behind the message's in their lanes; `delivery_ids` and `lane_seqs` are parallel to them."""

    event: ChatEvent
    event_seq: int
    deliveries: tuple[PlannedDelivery, ...]
    delivery_ids: tuple[int, ...]
    lane_seqs: tuple[int, ...]


class AcceptResult(_Value, frozen=True):
    """The result for one entry. `delivery_ids` are parallel to the entry's deliveries; skipped ones have an id as well.

    `later`: the change of this created message that was accepted before it. If that is an edit, `event` is what was stored, the
    message as edited; if it is a deletion, all deliveries were skipped."""

    verdict: Verdict
    event_seq: int = 0
    delivery_ids: tuple[int, ...] = ()
    lane_seqs: tuple[int, ...] = ()
    """Parallel to them; 0 for skipped ones."""
    event: ChatEvent | None = None
    later: ChatEvent | None = None
    following: tuple[Following, ...] = ()
