"""An admin's YAML files beside bridge.yaml (a dialect, a template): read and parsed, with the place of each fault.

Reads local files only. The meaning of the entries is up to the caller; this module checks size and syntax, and finds lines."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.model.errors import ConfigFault

MOST_BYTES = 1024**2
MOST_ENTRIES = 20_000
"""The most entries, counting those that aliases repeat."""


def read(path: Path, what: str, *, key: str) -> str:
    """The file's text. `what` names it in words ("the template"), `key` is where bridge.yaml names it. Raises ConfigFault."""
    try:
        # non-blocking: opening a pipe would wait for a writer
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            raw = file.read(MOST_BYTES + 1) if is_regular else b""
    except OSError as error:
        raise ConfigFault(f"cannot read {what}: {error.strerror or 'not readable'}", key=key, value=str(path)) from None
    if not is_regular:
        raise ConfigFault(f"cannot read {what}: not a regular file", key=key, value=str(path))
    if len(raw) > MOST_BYTES:
        raise ConfigFault(f"{what} is larger than a megabyte", key=key, value=str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigFault(f"cannot read {what}: not UTF-8", key=key, value=str(path)) from None


def parse(text: str, path: str) -> Node | None:
    """The root node of the document; None if it is empty. Raises ConfigFault if it is not valid YAML, or its aliases make it too
    large."""
    try:
        root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)  # type: ignore[no-untyped-call, unused-ignore]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigFault(f"YAML: {error.problem}", path=path, line=line, column=column) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigFault(f"not valid YAML: {type(error).__name__}", path=path) from None
    if _is_endless(root):
        why = f"more than {MOST_ENTRIES} entries, as its aliases (*name) repeat them: write them out"
        raise ConfigFault(why, path=path, line=1, column=1)
    return root


def fault_at(
    node: Node | None, why: str, path: str, *, key: str = "", value: str = "", hint: str = "", below: int = 0
) -> ConfigFault:
    """A fault at the line of a node, or the given number of lines below it; None is the whole file."""
    line, column = (node.start_mark.line + 1, node.start_mark.column + 1) if node is not None else (1, 1)
    return ConfigFault(why, path=path, line=line + below, column=column, key=key, value=value, hint=hint)


def entries(node: MappingNode) -> Iterator[tuple[str, Node, Node]]:
    """Name, key node and value node of each entry of a mapping, repeated keys included. A key that is not a name is `?`."""
    for key, value in node.value:
        yield str(key.value) if isinstance(key, ScalarNode) else "?", key, value


def _is_endless(root: Node | None) -> bool:
    """Whether the tree is too large or contains itself: aliases in a small file can do both."""
    pending, count = [root], 0
    while pending and count <= MOST_ENTRIES:
        node, count = pending.pop(), count + 1
        if isinstance(node, MappingNode):
            pending += [each for entry in node.value for each in entry]
        elif isinstance(node, SequenceNode):
            pending += node.value
    return count > MOST_ENTRIES
