"""Reads the reactions and pins that were accepted before their message. On the writer's thread."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.journal.rules.early import UNKNOWN, Early, had_no_copy
from bridge.journal.sqlite.bulk import Bulk
from bridge.journal.sqlite.codec import CHANGES, STATES, Packed, unpack_optional
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.tracing import ChangeKind

_REACTIONS, _PIN, _UNPIN = (CHANGES.index(kind) for kind in (ChangeKind.REACTIONS, ChangeKind.PIN, ChangeKind.UNPIN))

_MOST = 64
"""Of each kind so many changes of a message are looked at, the newest: where they were to go is the same for all of them."""

_CHANGED = Bulk(
    "SELECT DISTINCT change.chat, change.message FROM (VALUES {rows}) AS v"
    " CROSS JOIN change ON change.chat = v.column1 AND change.message = v.column2"
    f" AND change.kind IN ({_REACTIONS}, {_PIN}, {_UNPIN})",
    2,
)
_NEWEST = "SELECT seq FROM change WHERE chat = ? AND message = ? AND kind = ? ORDER BY seq DESC LIMIT ?"
_HELD = f"SELECT person, emoji FROM reaction WHERE seq = {UNKNOWN} AND chat = ? AND message = ? ORDER BY event, position"
_DELIVERIES = (
    "SELECT delivery.lane, delivery.thread, delivery.state, delivery.note FROM event JOIN delivery"
    " ON delivery.id BETWEEN event.first_delivery AND event.first_delivery + event.deliveries - 1 WHERE event.seq = ?"
)


def read_early(ledger: Ledger, messages: Sequence[tuple[int, Packed]]) -> dict[tuple[int, Packed], Early]:
    """By message, for those of them that have any; nothing is known of the messages themselves."""
    return {(chat, message): _early(ledger, chat, message) for chat, message in _CHANGED.run(ledger.connection, messages)}


def _early(ledger: Ledger, chat: int, message: Packed) -> Early:
    early = Early()
    early.held = dict.fromkeys(ledger.connection.execute(_HELD, (chat, message)).fetchall())
    pins = _newest(ledger, chat, message, _PIN)
    early.pinned = max(pins, default=0) > max(_newest(ledger, chat, message, _UNPIN), default=0)
    for seqs, ends in ((_newest(ledger, chat, message, _REACTIONS), early.reacting_at), (pins, early.pinning_at)):
        for seq in seqs:
            for lane, thread, state, note in ledger.connection.execute(_DELIVERIES, (seq,)).fetchall():
                if had_no_copy(STATES[state], note or ""):
                    ends.add((ledger.names.lane_of(lane), unpack_optional(thread)))
    return early


def _newest(ledger: Ledger, chat: int, message: Packed, kind: int) -> list[int]:
    return [seq for (seq,) in ledger.connection.execute(_NEWEST, (chat, message, kind, _MOST)).fetchall()]
