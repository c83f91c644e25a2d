"""JMESPath expressions, as admins write them: where a payload holds what is needed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError


def checked(source: str) -> str:
    """The expression itself. Raises ValueError if it is none."""
    try:
        _compiled(source)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {' '.join(str(error).split())}") from None
    return source


_PLAIN_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)


@lru_cache(maxsize=1024)
def _compiled(source: str) -> Any:
    return jmespath.compile(source)


@lru_cache(maxsize=1024)
def _plain_path(source: str) -> tuple[str, ...] | None:
    """The names of an expression that is nothing but names and dots, as most are: those are looked up directly."""
    return tuple(source.split(".")) if _PLAIN_PATH.fullmatch(source) else None


def find(source: str | None, payload: Any) -> Any:
    """What the expression finds; None if there is no expression, nothing there, or something the expression cannot work on."""
    if source is None:
        return None
    path = _plain_path(source)
    if path is not None:
        for name in path:
            if not isinstance(payload, dict):
                return None
            payload = payload.get(name)
        return payload
    try:
        return _compiled(source).search(payload)
    except JMESPathError:
        return None


def find_text(source: str | None, payload: Any) -> str:
    """The same as text: numbers as written, anything that is no plain value as nothing."""
    value = find(source, payload)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""
