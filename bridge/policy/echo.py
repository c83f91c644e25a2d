"""Recognises our own messages when they come back, by the token that some platforms carry. Pure.

The outbox makes tokens, adapters carry them (nonce, metadata, client id), intake asks `is_own`. Copies that come back without any
mark are recognised by the journal, which knows every message it sent.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.model.events import ChatEvent

TOKEN_LENGTH = 25
"""Discord's nonce, the shortest of the carriers, takes this many characters. Source: platforms.md 3.3."""
JOURNAL_ID_LENGTH = 6
MARK_LENGTH = 4

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MAX_DELIVERY_ID = 36**8 - 1
_MAX_PART = 36**3 - 1
_JOURNAL_ID = re.compile(rf"[0-9a-z]{{{JOURNAL_ID_LENGTH}}}")
_MARK = re.compile(rf"(?:[0-9a-z]{{{MARK_LENGTH}}})?")
_TOKEN = re.compile(
    rf"mb([0-9a-z]{{{JOURNAL_ID_LENGTH}}})({_MARK.pattern})-(0|[1-9a-z][0-9a-z]{{0,7}})-(0|[1-9a-z][0-9a-z]{{0,2}})"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """What a token says: which journal's delivery, and which of its parts. `mark`: of the delivery's generation; empty in tokens of
    earlier versions."""

    journal_id: str
    delivery_id: int
    part: int
    mark: str = ""


def journal_id_from(entropy: bytes) -> str:
    """The id of a new journal from random bytes, at least 8 of them. It keeps two bridges from taking each other's tokens for their
    own.

    Raises ValueError for fewer bytes.
    """
    if len(entropy) < 8:
        raise ValueError("a journal's id needs at least 8 random bytes")
    return _base36(int.from_bytes(entropy, "big") % 36**JOURNAL_ID_LENGTH).rjust(JOURNAL_ID_LENGTH, "0")


def mark_from(entropy: bytes) -> str:
    """The mark of a generation from random bytes, at least 8 of them. Raises ValueError for fewer."""
    if len(entropy) < 8:
        raise ValueError("a mark needs at least 8 random bytes")
    return _base36(int.from_bytes(entropy, "big") % 36**MARK_LENGTH).rjust(MARK_LENGTH, "0")


class Tokens:
    """The tokens of one journal's deliveries.

    A journal that is restored from a backup gives the numbers of deliveries again, for other messages. A receiver that remembers
    tokens would take those for duplicates. So each run of the bridge marks the deliveries that it accepts: `generations` has the
    first delivery of each run, and the run's mark. Deliveries before the first generation have no mark, as in earlier versions."""

    def __init__(self, journal_id: str, generations: Iterable[tuple[int, str]] = ()) -> None:
        ordered = sorted(generations)
        self.journal_id = journal_id
        self._firsts = [first for first, _ in ordered]
        self._marks = ["", *(mark for _, mark in ordered)]

    def of(self, delivery_id: int, part: int = 0) -> str:
        """See `token_for`."""
        return token_for(delivery_id, part, self.journal_id, self._marks[bisect_right(self._firsts, delivery_id)])


def token_for(delivery_id: int, part: int, journal_id: str, mark: str = "") -> str:
    """The same for the same part of the same delivery, for ever: letters, digits and `-`, at most TOKEN_LENGTH characters.

    Raises ValueError for a journal id or a mark of the wrong form, and for numbers that no journal reaches.
    """
    if not _JOURNAL_ID.fullmatch(journal_id):
        raise ValueError(f"not a journal's id: {journal_id!r}")
    if not _MARK.fullmatch(mark):
        raise ValueError(f"not a mark of a journal's generation: {mark!r}")
    if not 0 <= delivery_id <= _MAX_DELIVERY_ID or not 0 <= part <= _MAX_PART:
        raise ValueError(f"no token for part {part} of delivery {delivery_id}")
    return f"mb{journal_id}{mark}-{_base36(delivery_id)}-{_base36(part)}"


def parse_token(token: str) -> Token | None:
    """What the token says, or None if it is not one of any bridge."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    return Token(journal_id=found[1], mark=found[2], delivery_id=int(found[3], 36), part=int(found[4], 36))


def is_own(event: ChatEvent, journal_id: str = "") -> bool:
    """Whether the platform shows that this bridge itself caused the event.

    With `journal_id`, only tokens of that journal count, so that the copies of another bridge can be relayed further; without it
    every token does.
    """
    if event.meta.sent_by_us:
        return True
    token = parse_token(event.meta.delivery_id)
    return token is not None and journal_id in ("", token.journal_id)


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
