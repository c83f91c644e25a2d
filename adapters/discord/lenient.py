"""Reads payloads whose cosmetic fields may be anything: a value that is not of its documented type counts as absent. Pure. Only
ids, channel and author may cause a refusal of the whole; a number instead of a text must not cost a message. Used by `decode` and
its helpers, and by `directory`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import msgspec

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)
"""What decoding raises for a payload that is not as documented."""
_MOST_FLAGS = 2**53 - 1
"""The largest whole number that every reader of JSON reads as it is written."""
Shape = TypeVar("Shape", bound=Mapping[str, Any])
"""One of `wire`'s types: what a field is promised to be, and is read as if it is an object at all."""


def mapping(value: Shape | None) -> Shape:
    """The object itself, or an empty one."""
    return value if isinstance(value, Mapping) else cast(Shape, {})


def objects(value: Sequence[Shape | None] | None) -> list[Shape]:
    """The objects in a list; anything else in it, and anything that is no list, is left out."""
    return [cast(Shape, one) for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def text(value: object) -> str:
    """A text, also from a number; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def whole(value: object, default: int = 0) -> int:
    """A whole number, also from its digits."""
    try:
        return int(value) if isinstance(value, int | float | str) else default
    except (ValueError, OverflowError):
        return default


def flags_of(value: object) -> int:
    """A bit field; one without bits if the value is none: of a negative number every bit would count as set."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_FLAGS else 0


def number(value: object) -> float | None:
    """A finite number that is not negative, or None."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return float(value) if is_number and math.isfinite(value) and value >= 0 else None  # type: ignore[arg-type,operator]
    except OverflowError:
        return None


def web_address(value: object) -> str:
    """An http or https address, or nothing."""
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        return ""
    try:
        return value if urlsplit(value).hostname else ""
    except ValueError:
        return ""


def moment(value: object) -> datetime | None:
    """An ISO 8601 time, aware; None if it is not one."""
    try:
        found = datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_visible(words: str) -> bool:
    """Whether a text shows anything: bots fill fields that may not be empty with a zero-width space."""
    return any(not character.isspace() and character.isprintable() for character in words)


def raw_of(payload: object) -> bytes:
    """A payload as JSON again, to be kept; what JSON itself cannot carry (half of a surrogate pair) in escapes."""
    try:
        return msgspec.json.encode(payload)
    except (UnicodeEncodeError, TypeError, RecursionError):
        try:
            return json.dumps(payload, default=str).encode()
        except (ValueError, RecursionError):
            return b"nested too deeply to be kept"
