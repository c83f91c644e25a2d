"""Reads values whose type is not certain. Pure.

Only ids, the chat and the author of a message may be strict: anything else that has an odd type, or is missing, costs only itself
and never the message. So cosmetic values are read through these functions."""

from __future__ import annotations

import json
import math
from typing import Any

Json = dict[str, Any]

_INTEGER_LIMIT = 2**63
_MOST_PIXELS = 1_000_000
_MOST_SECONDS = 10_000_000.0


def mended_json(raw: bytes) -> bytes:
    """JSON text in which halves of surrogate pairs, which no proper JSON has, are replaced: one in a name or a text must not cost
    all of an event, or of a page of them. For what a strict reader refuses. Raises ValueError for what is no JSON, and
    RecursionError."""
    whole_text = json.dumps(json.loads(raw), ensure_ascii=False)
    return whole_text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def words(value: object) -> str:
    """Text; a number counts as its digits, anything else as no text."""
    if isinstance(value, str):
        return value
    return str(value) if real(value) is not None else ""


def whole(value: object) -> int | None:
    """A whole number of at most 64 bits, which is what can be stored."""
    if isinstance(value, str) and len(value) < 20:
        try:
            value = int(value)
        except ValueError:
            return None
    number = real(value)
    if number is None or not -_INTEGER_LIMIT < number < _INTEGER_LIMIT:
        return None
    return value if isinstance(value, int) else int(number)


def real(value: object) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def pixels(value: object) -> int | None:
    """A side of a picture or film, as far as there can be such a one: other platforms refuse a message for less."""
    number = whole(value)
    return number if number is not None and 0 < number <= _MOST_PIXELS else None


def seconds(value: object) -> float | None:
    """How long a sound or film is, as far as there can be such a one."""
    number = real(value)
    return number if number is not None and 0 < number <= _MOST_SECONDS else None


def record(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[Json]:
    """The objects of a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list | tuple) else []


def identity(value: object) -> str:
    """An id, which must be valid. Raises ValueError for anything that cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not value:
        raise ValueError("no id")
    return str(value)
