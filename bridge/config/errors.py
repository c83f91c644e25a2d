"""pydantic's errors in words for somebody who edits a YAML file. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.config.faults import did_you_mean

_PLAIN = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
    "path_type": "must be a path",
    "extra_forbidden": "unknown key",
}

_BOUNDS = {
    "greater_than": ("gt", "must be more than {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "string_too_short": ("min_length", "must have at least {} characters"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "too_short": ("min_length", "must have at least {} entries"),
    "too_long": ("max_length", "must have at most {} entries"),
    "string_pattern_mismatch": ("pattern", "must match {}"),
}


def explain(error: Mapping[str, Any], written: str) -> tuple[str, str]:
    """What is wrong, and a hint. `written` is the text in the file, empty if it must not be shown."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in _PLAIN:
        return _PLAIN[kind], ""
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        bound = context.get(name)
        return text.format(f"{bound:g}" if isinstance(bound, int | float) else bound), ""
    if kind in ("literal_error", "enum"):
        words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return "must be one of " + ", ".join(words), _near(written, words)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        words = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
        tag = str(context.get("discriminator", "")).strip("'")
        return f"{tag} must be one of {', '.join(words)}" if words else f"{tag} is missing", ""
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return re.sub(r"^Input should be", "must be", message), ""


def _near(written: str, words: list[str]) -> str:
    hint = did_you_mean(written, words) if written else ""
    return hint if hint.startswith("did you") else ""
