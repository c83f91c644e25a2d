"""`filter` and `rewrite` of a route or an end: lists of lines. In a filter the first line whose condition holds decides."""

from __future__ import annotations

import re
from collections.abc import Sequence

import regex
from yaml.nodes import MappingNode, Node

from bridge.config import nodes
from bridge.config.faults import did_you_mean, shorten
from bridge.config.nodes import Entries, join
from bridge.config.sections import ConditionSection, RewriteSection
from bridge.config.values import Values
from bridge.model.refs import AccountName
from bridge.policy.filters import CONTENT_KINDS, EVENT_KINDS, Condition, Filter, Place
from bridge.policy.patterns import Pattern, is_slow, timed
from bridge.policy.rewrites import Rewrite
from bridge.policy.routing import RouteEnd

_VERBS = ("drop", "keep")
_PARTS = ("text", "author", "role", "bot", "files", "kind", "thread", "thread_id", "from", "to")
_KINDS = (*EVENT_KINDS, *CONTENT_KINDS)
_LONGEST_PATTERN = 20_000
"""Characters. To compile a pattern takes some microseconds, and as many hundred bytes, for each."""
_AVOID = "avoid a repeated group that contains a repetition, as in (a+)+"


def read_filters(
    values: Values, section: Node, key: str, *, origins: Sequence[RouteEnd], targets: Sequence[RouteEnd]
) -> tuple[Filter, ...]:
    """The lines of one filter; those with faults are left out. `origins`, `targets`: the ends that it can be about."""
    found = []
    for index, node in enumerate(values.sequence(section, key)):
        one = _Line(values, origins, targets).read(node, f"{key}[{index}]", index + 1)
        if one is not None:
            found.append(one)
    return tuple(found)


class _Line:
    def __init__(self, values: Values, origins: Sequence[RouteEnd], targets: Sequence[RouteEnd]) -> None:
        self._values = values
        self._faults = values.faults
        self._ends = {"from": origins, "to": targets}

    def read(self, node: Node, key: str, number: int) -> Filter | None:
        found = self._values.mapping(node, key)
        if found is None:
            return None
        for name, entry in found.items():
            if name not in _VERBS:
                hint = did_you_mean(name, _VERBS)
                self._faults.add(entry.key, join(key, name), f"unknown key {name!r}", value=name, hint=hint)
                return None
        if len(found) != 1:
            self._faults.add(node, key, "each line of a filter is one drop: or one keep:")
            return None
        ((verb, entry),) = found.items()
        inner = join(key, verb)
        if not isinstance(entry.value, MappingNode):
            why = f"must be a mapping of conditions, not {nodes.kind(entry.value)}"
            self._faults.add(entry.value, inner, why, hint=f"as in {verb}: {{text: '^DEBUG'}}")
            return None
        conditions = nodes.entries(entry.value, inner, self._faults)
        section = self._values.model(ConditionSection, conditions, entry.key, inner)
        if section is None:
            return None
        given = {name: getattr(section, "from_" if name == "from" else name) for name in _PARTS}
        given = {name: part for name, part in given.items() if part is not None}
        if not given:
            if not conditions:
                self._faults.add(entry.value, inner, f"needs at least one of {', '.join(_PARTS)}")
            return None
        condition = self._condition(given, conditions, inner)
        if condition is None:
            return None
        shown = " ".join(f"{name} {_shown(part)}" for name, part in given.items())
        line = node.start_mark.line + 1
        return Filter(keep=verb == "keep", condition=condition, name=f"filter {number}: {verb} {shown} (line {line})")

    def _condition(self, given: dict[str, object], conditions: Entries, key: str) -> Condition | None:
        patterns: dict[str, Pattern] = {}
        for name in ("text", "author"):
            if name in given:
                pattern = read_pattern(self._values, str(given[name]), conditions[name].value, join(key, name))
                if pattern is None:
                    return None
                patterns[name] = pattern
        lists = {name: _listed(given.get(name)) for name in ("role", "kind", "from", "to")}
        wrong = next((kind for kind in lists["kind"] if kind not in _KINDS), None)
        if wrong is not None:
            hint = did_you_mean(wrong, _KINDS) or "there is " + ", ".join(_KINDS)
            self._faults.add(conditions["kind"].value, join(key, "kind"), f"unknown kind {wrong!r}", value=wrong, hint=hint)
            return None
        places = {name: self._places(lists[name], name, conditions, key) for name in ("from", "to")}
        if None in places.values():
            return None
        thread, thread_id, bot, files = (given.get(name) for name in ("thread", "thread_id", "bot", "files"))
        return Condition(
            text=patterns.get("text"),
            author=patterns.get("author"),
            role=lists["role"],
            bot=bot if isinstance(bot, bool) else None,
            files=files if isinstance(files, bool) else None,
            kind=lists["kind"],
            thread=thread if isinstance(thread, bool) else None,
            thread_id=thread_id if isinstance(thread_id, str) else None,
            origins=places["from"] or (),
            targets=places["to"] or (),
        )

    def _places(self, texts: Sequence[str], name: str, conditions: Entries, key: str) -> tuple[Place, ...] | None:
        places = []
        for text in texts:
            account, slash, _ = text.partition("/")
            place = Place(AccountName(account), text if slash else "")
            if not any(place.has(end) for end in self._ends[name]):
                ends = [str(end) for end in self._ends[name]]
                what = "sends" if name == "from" else "receives"
                hint = did_you_mean(text, (*ends, *dict.fromkeys(end.partition("/")[0] for end in ends)))
                why = f"{text!r} is not an end of this route that {what} here"
                self._faults.add(conditions[name].value, join(key, name), why, value=text, hint=hint)
                return None
            places.append(place)
        return tuple(places)


def read_pattern(
    values: Values, text: str, at: Node, key: str, *, else_: str = "a message for which it does is relayed"
) -> Pattern | None:
    """A regular expression; None, with a fault, if it is none. `else_`: what happens where it takes too long."""
    if len(text) > _LONGEST_PATTERN:
        values.faults.add(at, key, f"a pattern of more than {_LONGEST_PATTERN:,} characters: use several lines")
        return None
    try:
        pattern: Pattern = re.compile(text)
        timed(pattern)
    except (re.error, regex.error, RecursionError, OverflowError) as error:
        values.faults.add(at, key, f"not a regular expression: {error}", value=text)
        return None
    if is_slow(pattern):
        values.faults.warn(at, key, f"this pattern can take very long; {else_}", hint=_AVOID)
    return pattern


def read_rewrites(values: Values, section: Node, key: str) -> tuple[Rewrite, ...]:
    """The lines of one `rewrite`; those with faults are left out."""
    found = []
    for index, node in enumerate(values.sequence(section, key)):
        one = _rewrite(values, node, f"{key}[{index}]", index + 1)
        if one is not None:
            found.append(one)
    return tuple(found)


def _rewrite(values: Values, node: Node, key: str, number: int) -> Rewrite | None:
    entries = values.mapping(node, key)
    section = None if entries is None else values.model(RewriteSection, entries, node, key)
    if section is None or entries is None:
        return None
    at = entries["find"].value
    pattern = read_pattern(values, section.find, at, join(key, "find"), else_="words for which it does stay as they are")
    if pattern is None:
        return None
    find = timed(pattern)
    if find.search("") is not None:
        why, hint = "this pattern finds nothing at all, everywhere", "use + in place of *, or name what must be there"
        values.faults.add(at, join(key, "find"), why, value=section.find, hint=hint)
        return None
    try:
        re.compile(section.find).sub(section.replace, "")
        regex.compile(f"(?:{section.find})?").sub(section.replace, "")
    except (re.error, regex.error, IndexError) as error:
        hint = r"\1 is the first group of find; write \\ for a backslash itself"
        why = f"not a replacement: {error}"
        values.faults.add(entries["replace"].value, join(key, "replace"), why, value=section.replace, hint=hint)
        return None
    line = node.start_mark.line + 1
    return Rewrite(find=find, replace=section.replace, in_code=section.code, name=f"rewrite {number} (line {line})")


def _listed(part: object) -> tuple[str, ...]:
    return (part,) if isinstance(part, str) else part if isinstance(part, tuple) else ()


def _shown(part: object) -> str:
    if isinstance(part, bool):
        return str(part).lower()
    return ",".join(map(shorten, part)) if isinstance(part, tuple) else shorten(str(part))
