"""JMESPath expressions of a dialect: where an answer or an event holds what we need. Used by `model`, `decode` and `encode`."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator


def _checked(source: str) -> str:
    try:
        _compiled(source)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {' '.join(str(error).split())}") from None
    return source


Query = Annotated[str, AfterValidator(_checked)]
"""A JMESPath expression, checked."""


@lru_cache(maxsize=1024)
def _compiled(source: str) -> Any:
    return jmespath.compile(source)


def find(source: str | None, payload: Any) -> Any:
    """What the expression finds; None if there is no expression, nothing there, or something the expression cannot work on."""
    if source is None:
        return None
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
