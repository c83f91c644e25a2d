"""A route's `filter`: a list of `drop:` and `keep:` lines; the first whose condition holds decides."""

from __future__ import annotations

import re

import regex
from yaml.nodes import MappingNode, Node

from bridge.config import nodes
from bridge.config.faults import did_you_mean, shorten
from bridge.config.nodes import join
from bridge.config.sections import ConditionSection
from bridge.config.values import Values
from bridge.policy.patterns import Pattern, is_slow, timed
from bridge.policy.routing import Condition, Filter

_VERBS = ("drop", "keep")


def read_filters(values: Values, section: Node, key: str) -> tuple[Filter, ...]:
    """The lines of one route's filter; those with faults are left out."""
    found = []
    for index, node in enumerate(values.sequence(section, key)):
        one = _line(values, node, f"{key}[{index}]", index + 1)
        if one is not None:
            found.append(one)
    return tuple(found)


def _line(values: Values, node: Node, key: str, number: int) -> Filter | None:
    found = values.mapping(node, key)
    if found is None:
        return None
    for name, entry in found.items():
        if name not in _VERBS:
            values.faults.add(entry.key, join(key, name), f"unknown key {name!r}", value=name, hint=did_you_mean(name, _VERBS))
            return None
    if len(found) != 1:
        values.faults.add(node, key, "each line of a filter is one drop: or one keep:")
        return None
    ((verb, entry),) = found.items()
    inner = join(key, verb)
    if not isinstance(entry.value, MappingNode):
        why = f"must be a mapping of conditions, not {nodes.kind(entry.value)}"
        values.faults.add(entry.value, inner, why, hint=f"as in {verb}: {{text: '^DEBUG'}}")
        return None
    conditions = nodes.entries(entry.value, inner, values.faults)
    section = values.model(ConditionSection, conditions, entry.key, inner)
    if section is None:
        return None
    parts = {name: getattr(section, name) for name in ("text", "author", "bot", "files") if getattr(section, name) is not None}
    if not parts:
        if not conditions:
            values.faults.add(entry.value, inner, "needs at least one of text, author, bot, files")
        return None
    patterns: dict[str, Pattern | None] = {}
    for name in ("text", "author"):
        try:
            patterns[name] = re.compile(parts[name]) if name in parts else None
            timed(re.compile(parts.get(name, "")))
        except (re.error, regex.error, RecursionError, OverflowError) as error:
            written = parts[name]
            values.faults.add(conditions[name].value, join(inner, name), f"not a regular expression: {error}", value=written)
            return None
    for name, pattern in patterns.items():
        if pattern is not None and is_slow(pattern):
            why = "this pattern can take very long; a message for which it does is relayed"
            hint = "avoid a repeated group that contains a repetition, as in (a+)+"
            values.faults.warn(conditions[name].value, join(inner, name), why, hint=hint)
    shown = " ".join(f"{name} {str(part).lower() if isinstance(part, bool) else shorten(part)}" for name, part in parts.items())
    return Filter(
        keep=verb == "keep",
        condition=Condition(text=patterns["text"], author=patterns["author"], bot=section.bot, files=section.files),
        name=f"filter {number}: {verb} {shown}",
    )
