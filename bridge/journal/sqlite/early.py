"""Reads the reactions, pins and votes that were accepted before their message, or before its copy. On the writer's thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bridge.journal.contract import DeliveryStatus
from bridge.journal.rules.early import UNKNOWN, Early, came_to_nothing, had_no_copy
from bridge.journal.sqlite.bulk import Bulk
from bridge.journal.sqlite.codec import CHANGES, STATES, Packed, pack_id, unpack_more, unpack_optional
from bridge.journal.sqlite.ledger import Ledger
from bridge.journal.tracing import ChangeKind
from bridge.model.refs import ChatAddress

_REACTIONS, _PIN, _UNPIN, _VOTES = (
    CHANGES.index(kind) for kind in (ChangeKind.REACTIONS, ChangeKind.PIN, ChangeKind.UNPIN, ChangeKind.VOTES)
)

_MOST = 64
"""How many changes of each kind are read, the newest: all of them have the same targets."""

_CHANGED = Bulk(
    "SELECT DISTINCT change.chat, change.message FROM (VALUES {rows}) AS v"
    " CROSS JOIN change ON change.chat = v.column1 AND change.message = v.column2"
    f" AND change.kind IN ({_REACTIONS}, {_PIN}, {_UNPIN})",
    2,
)
_NEWEST = "SELECT seq FROM change WHERE chat = ? AND message = ? AND kind = ? ORDER BY seq DESC LIMIT ?"
_HELD = f"SELECT person, emoji FROM reaction WHERE seq = {UNKNOWN} AND chat = ? AND message = ? ORDER BY event, position"
_HELD_ON = "SELECT person, emoji FROM reaction WHERE seq = ? ORDER BY event, position"
_ORIGINALS = "SELECT origin, message, also FROM event WHERE seq = ?"
_COPIES = "SELECT chat, message, more, lane_end FROM part WHERE seq = ?"
_DELIVERIES = (
    "SELECT delivery.lane, delivery.thread, delivery.state, delivery.note FROM event JOIN delivery"
    " ON delivery.id BETWEEN event.first_delivery AND event.first_delivery + event.deliveries - 1 WHERE event.seq = ?"
)


def read_early(ledger: Ledger, messages: Sequence[tuple[int, Packed]]) -> dict[tuple[int, Packed], Early]:
    """By message, for those of them that have any; nothing is known of the messages themselves."""
    return {(chat, message): _early(ledger, chat, message) for chat, message in _CHANGED.run(ledger.connection, messages)}


def _early(ledger: Ledger, chat: int, message: Packed) -> Early:
    early = _changed(ledger, [(chat, message)], had_no_copy)
    early.held = dict.fromkeys(ledger.connection.execute(_HELD, (chat, message)).fetchall())
    return early


def read_late(ledger: Ledger, seq: int, target: ChatAddress, thread_id: str | None) -> tuple[int, Early] | None:
    """For the message of a created event, which has a copy at that end by now: its chat, and what was done with the message and its
    copies, as far as that came to nothing for want of a copy. None: it has no copy there, or is forgotten."""
    copies = ledger.connection.execute(_COPIES, (seq,)).fetchall()
    end = ledger.names.find_end(target, thread_id)
    row = ledger.connection.execute(_ORIGINALS, (seq,)).fetchone()
    if row is None or not any(lane_end == end for *_, lane_end in copies):
        return None
    places = [row, *(copy[:3] for copy in copies)]
    messages = {(chat, one) for chat, message, more in places if message is not None for one in (message, *_further(more))}
    early = _changed(ledger, messages, came_to_nothing)
    early.held = dict.fromkeys(ledger.connection.execute(_HELD_ON, (seq,)).fetchall())
    return row[0], early


def _further(more: str | None) -> Iterable[Packed]:
    return map(pack_id, unpack_more(more))


def _changed(ledger: Ledger, messages: Iterable[tuple[int, Packed]], counts: Callable[[DeliveryStatus, str], bool]) -> Early:
    """What was done with these native messages, which are one message; `counts` says of a delivery whether its end counts."""
    early, pins, unpins = Early(), list[int](), list[int]()
    for chat, message in messages:
        reactions, pinned = _newest(ledger, chat, message, _REACTIONS), _newest(ledger, chat, message, _PIN)
        pins += pinned
        unpins += _newest(ledger, chat, message, _UNPIN)
        votes = _newest(ledger, chat, message, _VOTES)
        for seqs, ends in ((reactions, early.reacting_at), (pinned, early.pinning_at), (votes, early.voting_at)):
            for seq in seqs:
                for lane, thread, state, note in ledger.connection.execute(_DELIVERIES, (seq,)).fetchall():
                    if counts(STATES[state], note or ""):
                        ends.add((ledger.names.lane_of(lane), unpack_optional(thread)))
    early.pinned = max(pins, default=0) > max(unpins, default=0)
    return early


def _newest(ledger: Ledger, chat: int, message: Packed, kind: int) -> list[int]:
    return [seq for (seq,) in ledger.connection.execute(_NEWEST, (chat, message, kind, _MOST)).fetchall()]
