"""What became of messages, for the page: a mark on each, and the whole story of one that is asked for. `page` serves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from bridge.journal.contract import DeliveryStatus, TraceStore
from bridge.journal.tracing import Traced, TracedDelivery
from bridge.model.refs import AccountName, ChatRef, MessageRef

MOST_ASKED = 100
"""Messages whose marks are asked for at once."""
_ROUTE_IS_SILENT = "No route relays what is said in this chat."
_NOT_YET = "The bridge does not know this message. Its messenger has not told it yet, or its chat is not relayed."

_STATES: Mapping[DeliveryStatus, str] = {
    DeliveryStatus.WAITING: "waiting",
    DeliveryStatus.SENDING: "waiting",
    DeliveryStatus.BEHIND: "waiting",
    DeliveryStatus.HELD: "dead",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.SKIPPED: "skipped",
    DeliveryStatus.DEAD: "dead",
}


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message as its messenger names it. The accounts are named after their platforms."""

    platform: str
    chat_id: str
    message_id: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How many copies are delivered, waiting, skipped by a rule, or given up. All 0: the bridge does not know the message."""

    delivered: int = 0
    waiting: int = 0
    skipped: int = 0
    dead: int = 0


class TraceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery. `state` is waiting, delivered, skipped or dead; `why` is the rule, the reason, or the last error."""

    delivery_id: int
    target: str
    state: str
    why: str = ""
    attempts: int = 0
    at: datetime | None = None
    """When it ended, or is tried next."""
    answers: tuple[str, ...] = ()
    """What the platform answered to failed attempts, oldest first."""


class TraceStep(msgspec.Struct, frozen=True, kw_only=True):
    """The message itself or a later change of it, with what became of it at each end."""

    what: str
    accepted_at: datetime
    lines: tuple[TraceLine, ...]


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """`note` is there if the bridge does not know the message, or if a copy was asked for."""

    steps: tuple[TraceStep, ...] = ()
    note: str = ""


async def marks(journal: TraceStore, asked: Sequence[Asked]) -> list[Mark]:
    """One for each, in the same order."""
    return [_mark(await journal.trace(_ref(one))) for one in asked[:MOST_ASKED]]


async def trace(journal: TraceStore, asked: Asked, *, relayed: bool) -> Trace:
    """`relayed`: whether a route takes what is said in that chat."""
    found = await journal.trace(_ref(asked))
    if not found:
        return Trace(note=_NOT_YET if relayed else _ROUTE_IS_SILENT)
    one = found[0]
    original = one.original
    note = ""
    if original is not None and not one.is_original:
        note = f"This is a copy. {one.author_name} said it in {original.chat.account}."
    return Trace(steps=tuple(_steps(found)), note=note)


def _ref(asked: Asked) -> MessageRef:
    return MessageRef(ChatRef(AccountName(asked.platform), asked.chat_id), asked.message_id)


def _mark(found: Sequence[Traced]) -> Mark:
    counts = {"delivered": 0, "waiting": 0, "skipped": 0, "dead": 0}
    for one in found:
        for delivery in one.event.deliveries:
            counts[_STATES[delivery.state]] += 1
    return Mark(**counts)


def _steps(found: Sequence[Traced]) -> list[TraceStep]:
    steps = []
    for one in found:
        for event in (one.event, *one.changes):
            what = "message" if event.change is None else event.change.value
            steps.append(TraceStep(what=what, accepted_at=event.accepted_at, lines=tuple(_line(each) for each in event.deliveries)))
    return steps


def _line(one: TracedDelivery) -> TraceLine:
    return TraceLine(
        delivery_id=one.delivery_id,
        target=str(one.target.account),
        state=_STATES[one.state],
        why=one.note,
        attempts=one.attempts,
        at=one.ended_at or one.not_before,
        answers=tuple(_answer(each.answer.status, each.answer.took_s, each.answer.body) for each in one.answers),
    )


def _answer(status: int | None, took_s: float, body: str) -> str:
    said = f"HTTP {status}" if status is not None else "no answer"
    return f"{said} after {took_s:.3g} s" + (f": {body[:300]}" if body else "")
