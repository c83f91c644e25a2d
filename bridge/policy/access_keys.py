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
DEFAULT_MOST_BYTES = 25 * 1000**2
LONGEST_OVERLAP_DAYS = 7.0
"""So long an old secret may open a key beside the new one."""


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


def opens(secrets_of_a_key: Iterable[tuple[bytes, datetime | None]], secret_hash: bytes, now: datetime) -> bool:
    """Whether one of a key's secrets (hash, and until when it is valid) has that hash, and is valid now. Takes equally long
    wherever two hashes differ."""
    valid = False
    for one, valid_until in secrets_of_a_key:
        valid |= hmac.compare_digest(one, secret_hash) and (valid_until is None or now < valid_until)
    return valid


def new_key_id() -> str:
    """Short, to be typed; what could be taken for another letter is not in it."""
    return "".join(secrets.choice("23456789abcdefghjkmnpqrstuvwxyz") for _ in range(8))
