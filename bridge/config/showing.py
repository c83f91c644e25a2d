"""bridge.yaml as it may be shown: every secret in it masked, in comments too. What is not known to be harmless is masked as well:
in an account the value of a key that no platform knows, and all that stands in a section of the admin's own.

Runs where bridge.yaml is read, in another process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.policy.redact import MASK, Masker

if TYPE_CHECKING:
    from pydantic import BaseModel
    from yaml.nodes import Node, ScalarNode

    from bridge.model.platform import Platform

MOST_LINES = 3000
_SECRET = re.compile(
    r"token|secret|passw|credential|authorization|cookie|apprise|(?:^|[_-])(?:api|access|private|signing)?key(?:$|[_-])", re.I
)
_IN_COMMENT = re.compile(
    r"([\w-]*(?:token|secret|passw\w*|credential|authorization|cookie|apprise|key)[\w-]*['\"]?\s*[:=]\s*)"
    r"(?!\$\{\w+\})[^\s#].*",
    re.I,
)
_KEY_IN_COMMENT = re.compile(
    r"[\w-]*(?:token|secret|passw\w*|credential|authorization|cookie|apprise|key)[\w-]*['\"]?\s*[:=]", re.I
)
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.M)
_REFERENCE = re.compile(r"\$\{\w+\}")


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` is empty if the file cannot be shown: `why` says why not. `is_cut`: it is longer than that."""

    text: str
    is_cut: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """What is known of the keys of accounts, at any depth."""

    known: frozenset[str]
    secret: frozenset[str]


def keys_of(platforms: Iterable[Platform], more: Iterable[str]) -> Keys:
    """`more`: keys of accounts that belong to no platform."""
    known, secret = {"platform", *more}, set[str]()
    for platform in platforms:
        for name, is_secret in _fields((platform.options(),), set()):
            known |= {name, f"{name}_file"}
            secret |= {name} if is_secret else set()
    return Keys(frozenset(known), frozenset(secret))


def _fields(models: tuple[type[BaseModel], ...], seen: set[type[BaseModel]]) -> Iterator[tuple[str, bool]]:
    from bridge.config.field_types import fields_of, shape_of

    fresh = tuple(model for model in models if model not in seen)
    seen.update(fresh)
    for name, annotation in fields_of(fresh).items():
        shape = shape_of(annotation)
        yield name, shape.secret
        for inner in (shape, *(shape_of(one) for one in (shape.item, shape.value) if one is not None)):
            if inner.models:
                yield from _fields(inner.models, seen)


def shown(text: str, root: Node | None, secrets: Iterable[str], keys: Keys, sections: Sequence[str]) -> Shown:
    """`root` is the tree of `text`; None: it is no YAML, so that nobody knows what in it is a secret."""
    if root is None:
        return Shown("", why="it is no YAML, so nobody can tell what in it is a secret")
    lines = text.splitlines(keepends=True)
    found = {(node.start_mark.line, node.start_mark.column): node for node in _to_mask(root, keys, sections)}
    for _, node in sorted(found.items(), key=lambda one: one[0], reverse=True):
        _mask(lines, node)
    masker = Masker(secrets)
    kept = list(_masked_comments(masker("".join(lines)).splitlines()))
    return Shown("\n".join(kept[:MOST_LINES]), is_cut=len(kept) > MOST_LINES)


def _masked_comments(lines: Iterable[str]) -> Iterator[str]:
    """Values of keys that sound like secrets, and what stands in the comments below such a key: its value may go on there."""
    key_column: int | None = None
    for line in lines:
        found = _COMMENT.search(line)
        if found is None:
            key_column = key_column if not line.strip() else None
            yield line
            continue
        words, is_whole = found[0], not line[: found.start()].strip()
        column = len(words) - len(words.lstrip("# \t"))
        text = words[column:]
        is_below = key_column is not None and is_whole and (column > key_column or (column == key_column and text[:1] == "-"))
        if is_below and text:
            yield f"{line[: found.start()]}{words[:column]}{MASK}"
            continue
        if text or not is_whole:
            key_column = _key_column(words, column)
        yield line[: found.start()] + _IN_COMMENT.sub(rf"\g<1>{MASK}", words)


def _key_column(comment: str, column: int) -> int | None:
    """Where a key that sounds like a secret begins; what is deeper belongs to it. In the midst of a line: where that begins."""
    key = _KEY_IN_COMMENT.search(comment)
    if key is None:
        return None
    return key.start() if not comment[column : key.start()].strip("- '\"") else column


def _mask(lines: list[str], node: ScalarNode) -> None:
    """Marks count characters; what is behind the node in its last line stays."""
    first, last = node.start_mark, node.end_mark
    behind = lines[last.line][last.column :] if last.line < len(lines) else ""
    before = lines[first.line][: first.column]
    if first.line != last.line and not last.column:  # a block: what comes next is a line of its own
        lines[first.line : last.line] = [f"{before}{MASK}\n", *["\n"] * (last.line - first.line - 1)]
    else:
        lines[first.line : last.line + 1] = [f"{before}{MASK}{behind}", *["\n"] * (last.line - first.line)]


def _to_mask(root: Node, keys: Keys, sections: Sequence[str]) -> Iterator[ScalarNode]:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    seen: set[int] = set()
    waiting: list[tuple[Node, tuple[str, ...]]] = [(root, ())]
    while waiting:
        node, path = waiting.pop()
        if isinstance(node, ScalarNode):
            if path and _is_secret(path, keys, sections) and node.value and not _REFERENCE.fullmatch(node.value):
                yield node
        elif id(node) in seen:
            continue  # an alias: seen under its first name already, unless it is a secret under this one alone
        elif isinstance(node, MappingNode):
            seen.add(id(node))
            waiting += [(value, (*path, key.value if isinstance(key, ScalarNode) else "")) for key, value in node.value]
        elif isinstance(node, SequenceNode):
            seen.add(id(node))
            waiting += [(one, path) for one in node.value]


def _is_secret(path: tuple[str, ...], keys: Keys, sections: Sequence[str]) -> bool:
    if path[0] not in sections:
        return True
    name, is_account = path[-1], path[0] == "accounts"
    if any((is_account and one in keys.secret) or (_SECRET.search(one) and not one.endswith("_file")) for one in path[-2:]):
        return True
    return is_account and len(path) > 2 and name not in keys.known
