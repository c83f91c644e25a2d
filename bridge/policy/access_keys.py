"""Keys of the public listener: what one looks like, what is stored of it, whether it opens. Pure, but for new ones.

A key is `mbk_`, 32 letters and digits at random (190 bits), and six that are a checksum of them. So a scanner of leaked secrets
recognises it, and a guess or a typing mistake is refused without a look at the journal.
"""

from __future__ import annotations

import hmac
import re
import secrets
import zlib
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

KEY_PREFIX, LINK_PREFIX = "mbk_", "mbi_"
"""Of a key, and of what a one-time invitation contains."""
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM, _CHECK = 32, 6
_SHAPE = re.compile(rf"(?:{KEY_PREFIX}|{LINK_PREFIX})[0-9A-Za-z]{{{_RANDOM + _CHECK}}}", re.ASCII)

DEFAULT_PER_MINUTE = 120
DEFAULT_API_PER_MINUTE = 600
"""Of a key of matterbridge's API: many of its programs ask once a second whether there is something new."""
DEFAULT_MOST_BYTES = 25 * 1000**2
LONGEST_OVERLAP_DAYS = 7.0
"""So long an old secret may open a key beside the new one."""
_DAY_S = 86400.0
_MOST_TERMS = 10_000


def new_secret(prefix: str = KEY_PREFIX) -> str:
    body = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    return prefix + body + _check(body)


def _check(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_LETTERS))
        text = _LETTERS[digit] + text
    return text


def looks_right(text: str, prefix: str = KEY_PREFIX) -> bool:
    """Whether the text can be one that `new_secret` made."""
    body = text.removeprefix(prefix)
    return text.startswith(prefix) and _SHAPE.fullmatch(text) is not None and _check(body[:_RANDOM]) == body[_RANDOM:]


def hash_of(secret: str) -> bytes:
    """What is stored. A plain hash is enough: nobody guesses 190 bits, however fast."""
    return sha256(secret.encode()).digest()


def opens(secrets_of_a_key: Iterable[tuple[bytes, bool]], secret_hash: bytes) -> bool:
    """Whether one of a key's secrets (hash, and whether it is valid now) has that hash, and is valid. Takes equally long wherever
    two hashes differ."""
    opened = False
    for one, is_valid in secrets_of_a_key:
        opened |= hmac.compare_digest(one, secret_hash) and is_valid
    return opened


class Terms:
    """Until when secrets are valid. A stored moment is read once, as a duration that begins then: what the wall clock is set to
    later neither ends a secret early nor makes it last longer. Kept in memory: after a restart, the wall clock counts once more."""

    def __init__(self) -> None:
        self._ends: dict[bytes, tuple[datetime, float]] = {}
        """Hash -> the stored moment, and its end by the steady clock."""

    def holds(self, secret_hash: bytes, valid_until: datetime | None, *, is_old: bool, now: datetime, steady_s: float) -> bool:
        """Whether a secret is valid. `is_old`: a newer one has taken its place, so that it lasts `LONGEST_OVERLAP_DAYS` at most,
        whatever the clock was when that was written. `steady_s`: seconds that never step."""
        if valid_until is None:
            return True
        known = self._ends.get(secret_hash)
        if known is None or known[0] != valid_until:
            left_s = (valid_until - now).total_seconds()
            if left_s <= 0:
                return False
            if is_old:
                left_s = min(left_s, LONGEST_OVERLAP_DAYS * _DAY_S)
            if len(self._ends) >= _MOST_TERMS:
                self._ends.clear()
            known = self._ends[secret_hash] = (valid_until, steady_s + left_s)
        return steady_s < known[1]


def new_key_id() -> str:
    """Short, to be typed; what could be taken for another letter is not in it."""
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(8))
