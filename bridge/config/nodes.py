"""YAML as a tree with positions: parsing, syntax errors as faults, merge keys, duplicate keys. It knows no meaning. Scalars keep
the text exactly as written: `-1001234567890`, `0123` and `yes` become numbers or switches only where the configuration wants one,
so ids need no quotes. Everything else in `bridge.config` works on these nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from bridge.config.bounds import DEEPEST, may_be_too_much, too_much
from bridge.config.faults import Faults

_EXPLAINED = 1_000_000
"""Syntax errors of longer files have no hint: it would be looked for in all of it."""

_KNOWN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge"))
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_RESOLVER = Resolver()


if yaml.__with_libyaml__:
    from yaml.cyaml import CBaseLoader as _Loader
else:  # the same tree, only slower
    from yaml import BaseLoader as _Loader  # type: ignore[assignment]


class Entry(NamedTuple):
    """One `key: value` of a mapping."""

    key: ScalarNode
    value: Node


Entries = dict[str, Entry]


def parse(text: str, faults: Faults) -> Node | None:
    """The root of the document; None if there is nothing, or a syntax error or too much of it (then there is a fault)."""
    try:
        beyond = too_much(_events(text)) if may_be_too_much(text) else None
        if beyond is None:
            return _Loader(text).get_single_node()  # type: ignore[no-any-return, unused-ignore]
        faults.add(_at(beyond.mark), "", beyond.why)
    except yaml.MarkedYAMLError as error:
        at = _at(error.problem_mark or error.context_mark)
        faults.add(at, "", _problem(error), hint=_syntax_hint(text, error) if len(text) <= _EXPLAINED else "")
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark = yaml.Mark(faults.path, 0, before.count("\n"), len(before) - before.rfind("\n") - 1, None, 0)
        faults.add(_at(mark), "", f"the character U+{_code(error.character):04X} is not allowed in YAML")
    except (yaml.YAMLError, ValueError) as error:
        # libyaml's binding raises a bare ValueError for some malformed tags
        faults.add(None, "", f"not valid YAML: {error}")
    return None


def entries(node: MappingNode, key: str, faults: Faults) -> Entries:
    """The mapping by key, as written, with `<<` merged in (explicit keys win). Duplicate and complex keys are faults."""
    return _entries(node, key, faults, 0, {})


def _entries(node: MappingNode, key: str, faults: Faults, depth: int, known: dict[int, Entries]) -> Entries:
    """`known`: mappings that were merged in already, so that each is read once however often it is named."""
    if id(node) in known:
        return known[id(node)]
    found: Entries = {}
    merged: list[Node] = []
    for key_node, value in node.value:
        if not isinstance(key_node, ScalarNode):
            faults.add(key_node, key, "a key must be a single word", hint="quote it if it contains braces or brackets")
        elif key_node.value == "<<" and not key_node.style:
            merged.extend(value.value if isinstance(value, SequenceNode) else [value])
        elif key_node.value in found:
            first = found[key_node.value].key.start_mark.line + 1
            faults.add(key_node, join(key, key_node.value), f"given twice: it is already in line {first}")
        else:
            found[key_node.value] = Entry(key_node, value)
    for source in merged:
        if not isinstance(source, MappingNode):
            faults.add(source, join(key, "<<"), "only a mapping, or a list of mappings, can be merged in")
        elif depth >= DEEPEST:
            faults.add(source, join(key, "<<"), "merges itself")
        else:
            for name, entry in _entries(source, key, faults, depth + 1, known).items():
                found.setdefault(name, entry)
    known[id(node)] = found
    return found


def join(key: str, name: str) -> str:
    """A key path: `accounts` + `tg` -> `accounts.tg`."""
    return f"{key}.{name}" if key else name


def is_null(node: Node) -> bool:
    """Nothing, `~` or `null`, unquoted."""
    return isinstance(node, ScalarNode) and not node.style and node.value in _NULLS


def is_plain(node: ScalarNode) -> bool:
    return not node.style


def has_known_tag(node: Node) -> bool:
    return node.tag in _KNOWN_TAGS


def kind(node: Node) -> str:
    """What a node is, in words for a fault."""
    if is_null(node):
        return "nothing"
    if isinstance(node, MappingNode):
        return "a mapping"
    return "a list" if isinstance(node, SequenceNode) else "a single value"


def native(node: ScalarNode, text: str) -> Any:
    """The scalar as YAML itself reads it (number, switch, text), for places where any type may stand."""
    if not is_plain(node):
        return text
    tag = str(_RESOLVER.resolve(ScalarNode, text, (True, False)))  # type: ignore[no-untyped-call]
    if tag.rpartition(":")[2] not in ("int", "float", "bool", "null"):
        return text
    return yaml.constructor.SafeConstructor().construct_object(ScalarNode(tag, text))


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = (error.problem or "not valid YAML").strip()
    context = (error.context or "").strip()
    if context and error.context_mark is not None:
        context += f" that begins in line {error.context_mark.line + 1}"
    return f"YAML: {problem}" + (f", {context}" if context else "")


def _syntax_hint(text: str, error: yaml.MarkedYAMLError) -> str:
    lines = text.splitlines()
    mark = error.problem_mark
    if mark is None:
        return ""
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[max(mark.column - 1, 0) : mark.column + 1] == "${" and error.context and "flow" in error.context:
        return 'braces are YAML\'s own inside {...} and [...]: quote it, as in {token: "${VAR}"}'
    found = line[mark.column : mark.column + 1]
    if found == "\t":
        return "YAML indents with spaces, not with tabs"
    if found in ("@", "`", "%", "*", "&", "!", "|", ">"):
        return f"quote a value that begins with {found}"
    if error.context and "flow" in error.context:
        begin = error.context_mark.line if error.context_mark else mark.line
        if any(re.search(r"[:,\[{]\s+#", candidate) for candidate in lines[begin : mark.line + 1]):
            return "a # after a space begins a comment: quote the value"
    if "mapping values are not allowed" in (error.problem or ""):
        return "check the indentation, and quote a value that contains ': '"
    return ""


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(str(character)[:1] or "\0")


def _at(mark: Any) -> Node | None:
    return ScalarNode("", "", mark, mark) if mark is not None else None


def _events(text: str) -> Iterator[yaml.Event]:
    loader: Any = _Loader(text)
    while loader.check_event():
        yield loader.get_event()
