"""JMESPath expressions, as admins write them: where a payload holds what is needed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions


def checked(source: str) -> str:
    """The expression itself. Raises ValueError if it is none, or can never find anything."""
    try:
        tree = _compiled(source).parsed
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ValueError("a JMESPath expression that nests too deeply") from None
    for node in _nodes(tree):
        if why := _why_never(node):
            raise ValueError(why)
    return source


def reads_nothing(source: str) -> bool:
    """Whether the expression is a constant: it finds the same in every payload."""
    return not any(node["type"] in ("field", "current", "identity", "index") for node in _nodes(_compiled(source).parsed))


def _nodes(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict) and "type" in tree:
        yield tree
        for child in tree.get("children", ()):
            yield from _nodes(child)


def _why_never(node: Any) -> str:
    """What makes this part of an expression fail, or be false, whatever it is asked of. JMESPath itself says so only when it is
    used, and then not to the one who wrote it."""
    if node["type"] == "function_expression":
        return _function_fault(node["value"], len(node["children"]))
    if node["type"] == "comparator":
        for child in node["children"]:
            name = child.get("value")
            if child["type"] == "field" and not _NAME.fullmatch(str(name)):
                return f"\"{name}\" in double quotes is the name of a field; the text is '{name}', in single quotes"
        if all(child["type"] == "literal" for child in node["children"]):
            return "it compares two constants, and never changes"
    return ""


def _function_fault(name: str, given: int) -> str:
    known = Functions.FUNCTION_TABLE
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        return f"JMESPath has no function {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    signature = known[name]["signature"]
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not variadic):
        wanted = f"{'at least ' * variadic}{len(signature)} argument{'s' * (len(signature) != 1)}"
        return f"{name}() takes {wanted}, not {given}"
    return ""


_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


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
