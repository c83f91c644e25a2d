"""The trees that two parsers of Discord's dialect read -> their meaning. Pure. Both name their nodes as simple-markdown does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from tests.oracles.meaning import NONE, Line, Marks, Meaning, Run, line, link_to

Json = dict[str, Any]

_MARKS = {
    "strong": "b",
    "em": "i",
    "underline": "u",
    "u": "u",
    "strikethrough": "s",
    "strike": "s",
    "del": "s",
    "spoiler": "spoiler",
}
_ESCAPED_SIGN = re.compile("%2A|%5F|%7C|%7E")
"""Signs of marks in an address that stands inside such a mark."""


def read_tree(nodes: Sequence[Json]) -> Meaning:
    reader = _Reader()
    reader.read(nodes, NONE)
    reader.flush()
    return tuple(reader.lines)


def items_of_lines(meaning: Meaning, raw: str) -> Meaning:
    """For the parser that knows no lists: lines that begin as an item of Discord's does are items. `raw`: the text that was read,
    for the indents."""
    starts = [found[1] for each in raw.split("\n") if (found := re.match(r"(?:> )*( *)(?:-|\*|\d+\.) ", each))]
    depths: list[int] = []
    made: list[Line] = []
    for each in meaning:
        first = each.runs[0]
        begins = None if each.kind else re.match(r"(-|\d+\.)(?: |$)", first.text)
        if begins is None or first.marks or not starts:
            made.append(each)
            continue
        width = len(starts.pop(0))
        while depths and depths[-1] > width:
            depths.pop()
        if not depths or depths[-1] < width:
            depths.append(width)
        rest = [Run(first.text[begins.end() :], first.marks), *each.runs[1:]]
        made += line(f"{begins[1]} {len(depths) - 1}", each.quotes, rest)
    return tuple(made)


class _Reader:
    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._runs: list[Run] = []
        self._kind = ""
        self._quotes = 0

    def flush(self) -> None:
        found = list(line(self._kind, self._quotes, self._runs))
        self.lines += found
        self._runs = []
        if found and self._kind[:1] != "h":
            self._kind = ""

    def read(self, nodes: Sequence[Json], marks: Marks, *, indent: int = 0) -> None:
        for node in nodes:
            self._read(node, marks, indent)

    def _read(self, node: Json, marks: Marks, indent: int) -> None:
        kind = node["type"]
        match kind:
            case "text":
                self._runs.append(Run(_ESCAPED_SIGN.sub(lambda found: unquote(found[0]), node["content"]), marks))
            case "br" | "newline":
                self._runs.append(Run("\n"))
            case "inlineCode":
                self._runs.append(Run(node["content"], marks | {"code"}))
            case "codeBlock":
                self.flush()
                self.lines += line(f"code {node.get('lang') or ''}", self._quotes, [Run(node["content"])])
            case "blockQuote":
                self.flush()
                self._quotes += 1
                self.read(node["content"], marks)
                self.flush()
                self._quotes -= 1
            case "heading":
                self.flush()
                self._kind = f"h{node['level']}"
                self.read(node["content"], marks)
                self.flush()
                self._kind = ""
            case "list":
                self._list(node, marks, indent)
            case "link" | "autolink" | "url":
                self.read(node["content"], marks | {link_to(node["target"])})
            case _ if kind in _MARKS:
                self.read(node.get("content") or node.get("parsed") or (), marks | {_MARKS[kind]})
            case _:
                self._runs += _atom(kind, node, marks)

    def _list(self, node: Json, marks: Marks, indent: int) -> None:
        self.flush()
        for at, item in enumerate(node["items"]):
            self._kind = f"{node['start'] + at}. {indent}" if node["ordered"] else f"- {indent}"
            self.read(item, marks, indent=indent + 1)
            self.flush()
            self._kind = ""


def _atom(kind: str, node: Json, marks: Marks) -> Iterator[Run]:
    match kind:
        case "user" | "discordUser":
            yield Run("@", marks | {f"@ {node['id']}"})
        case "channel" | "discordChannel":
            yield Run("#", marks | {f"@ {node['id']}"})
        case "role" | "discordRole":
            yield Run("@", marks | {f"@ {node['id']}"})
        case "everyone" | "discordEveryone" | "here" | "discordHere":
            yield Run("@", marks | {f"@ {kind.removeprefix('discord').lower()}"})
        case "emoji" | "discordEmoji":
            yield Run("?", marks | {f": {node['name']}"})
        case "timestamp" | "discordTimestamp":
            yield Run("?", marks | {f"at {node['timestamp']}"})
        case "slashCommand" | "discordSlash":  # as code, so that it is no command elsewhere
            yield Run(f"/{node.get('fullName') or node['name']}", marks | {"code"})
        case "emoticon" | "twemoji":
            yield Run(node.get("content") or node.get("name") or "", marks)
        case _:
            yield Run(f"({kind})", marks | {f"unknown {kind}"})
