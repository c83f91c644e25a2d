"""Limits on the size of a file, checked before it is composed: a damaged or hostile one costs bounded time and memory.

The file is not read beyond the first fault of this kind. Repetition by aliases is limited in `values`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import yaml

DEEPEST = 100
"""Levels of nesting. libyaml's composer recurses on the C stack."""
MOST_NODES = 500_000
"""Keys, values, aliases and collections as written: enough for some 70,000 routes. Each takes about half a kilobyte of memory."""
LONGEST_VALUE = 1_000_000
"""Characters of one value."""

_SUSPICIOUS_LINE = re.compile(r"[^\n]{2000}")
_BRACKET = re.compile(r"[\[\]{}]")
_NODES_PER_SIGN = 3
"""`{a}` is a mapping, its key and its value."""


class TooMuch(NamedTuple):
    """A fault, and where."""

    why: str
    mark: Any
    """A `yaml.Mark`, by libyaml or by PyYAML's own parser."""


def may_be_too_much(text: str) -> bool:
    """Whether to count exactly. False for nearly every file."""
    signs = sum(map(text.count, "\n,:-?[]{}"))
    if len(text) > LONGEST_VALUE or _NODES_PER_SIGN * (signs + 1) > MOST_NODES or _SUSPICIOUS_LINE.search(text):
        return True
    depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
        if depth > DEEPEST:
            return True
    return False


def too_much(events: Iterable[yaml.Event]) -> TooMuch | None:
    """The first limit that the file exceeds, found while parsing. Raises what the parser raises."""
    depth = count = 0
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        count += 1
        if count > MOST_NODES:
            return TooMuch(f"more than {MOST_NODES:,} keys and values", event.start_mark)
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST_VALUE:
            return TooMuch(f"a value of more than {LONGEST_VALUE:,} characters", event.start_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                return TooMuch(f"nested more than {DEEPEST} levels deep", event.start_mark)
    return None
