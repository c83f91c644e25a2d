"""What two parsers make of Slack's mrkdwn -> its meaning. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tests.oracles.meaning import NONE, Line, Marks, Meaning, Run, line, link_to

Json = dict[str, Any]


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class _Lines:
    def __init__(self) -> None:
        self.made: list[Line] = []
        self.runs: list[Run] = []
        self.quotes = 0

    def flush(self) -> None:
        """An escape may be in several runs of a parser."""
        merged = (Run("".join(run.text for run in runs), marks) for marks, runs in groupby(self.runs, key=lambda run: run.marks))
        self.made += line("", self.quotes, [Run(_unescaped(run.text), run.marks) for run in merged])
        self.runs = []

    def code(self, text: str) -> None:
        self.flush()
        self.made += line("code ", self.quotes, [Run(_unescaped(text).strip("\n"))])


def _moment(unix_s: str, url: str, words: str, marks: Marks) -> Run:
    """A moment that is a link is a link with the words that stand for it."""
    return Run(words, marks | {link_to(url)}) if url else Run("?", marks | {f"at {unix_s}"})


# -- slack-message-parser ---------------------------------------------------------------------------------------------------

_TEXT, _CHANNEL, _USER, _URL, _COMMAND, _EMOJI, _PRE, _CODE, _ITALIC, _BOLD, _STRIKE, _QUOTE, _ROOT = range(13)
"""`NodeType` of its declarations."""
_NODE_MARKS = {_ITALIC: "i", _BOLD: "b", _STRIKE: "s"}


def read_nodes(root: Json) -> Meaning:
    lines = _Lines()
    _nodes(root["children"], NONE, lines)
    lines.flush()
    return tuple(lines.made)


def _nodes(nodes: Sequence[Json], marks: Marks, lines: _Lines) -> None:
    for node in nodes:
        kind = node["type"]
        match kind:
            case 0 | 5:
                lines.runs.append(Run(node["text"] if kind == _TEXT else node["source"], marks))
            case 6:
                lines.code(node["text"])
            case 7:
                lines.runs.append(Run(node["text"], marks | {"code"}))
            case 11:
                lines.flush()
                lines.quotes += 1
                _nodes(node["children"], marks, lines)
                lines.flush()
                lines.quotes -= 1
            case _ if kind in _NODE_MARKS:
                _nodes(node["children"], marks | {_NODE_MARKS[kind]}, lines)
            case _:
                lines.runs.append(_token(node, marks))


def _token(node: Json, marks: Marks) -> Run:
    label = "".join(inner["source"] for inner in node.get("label") or ())
    match node["type"]:
        case 1:
            return Run("#", marks | {f"@ {node['channelID']}"})
        case 2:
            return Run("@", marks | {f"@ {node['userID']}"})
        case 3:
            return Run(label or node["url"], marks | {link_to(_unescaped(node["url"]))})
    arguments = node.get("arguments") or []
    match node["name"]:
        case "date":
            return _moment(arguments[0], arguments[2] if len(arguments) > 2 else "", label, marks)
        case "subteam":
            return Run("@", marks | {f"@ {arguments[0]}"})
        case name:
            return Run("@", marks | {f"@ {name}"})


# -- slack-markdown ---------------------------------------------------------------------------------------------------------

_TREE_MARKS = {"strong": "b", "em": "i", "strike": "s"}


def read_slack_tree(nodes: Sequence[Json]) -> Meaning:
    """It names its nodes as simple-markdown does."""
    lines = _Lines()
    _tree(nodes, NONE, lines)
    lines.flush()
    return tuple(lines.made)


def _tree(nodes: Sequence[Json], marks: Marks, lines: _Lines) -> None:
    for node in nodes:
        kind = node["type"]
        match kind:
            case "text":
                lines.runs.append(Run(node["content"], marks))
            case "br" | "newline":
                lines.runs.append(Run("\n"))
            case "inlineCode":
                lines.runs.append(Run(node["content"], marks | {"code"}))
            case "codeBlock":
                lines.code(node["content"])
            case "blockQuote":
                lines.flush()
                lines.quotes += 1
                _tree(node["content"], marks, lines)
                lines.flush()
                lines.quotes -= 1
            case "autolink" | "url":
                _tree(node["content"], marks | {link_to(_unescaped(node["target"]))}, lines)
            case _ if kind in _TREE_MARKS:
                _tree(node["content"], marks | {_TREE_MARKS[kind]}, lines)
            case _:
                lines.runs += _atom(kind, node, marks)


def _atom(kind: str, node: Json, marks: Marks) -> Iterator[Run]:
    match kind:
        case "slackUser" | "slackChannel" | "slackUserGroup":
            yield Run("@", marks | {f"@ {node['id']}"})
        case "slackAtHere" | "slackAtChannel" | "slackAtEveryone":
            yield Run("@", marks | {f"@ {kind.removeprefix('slackAt').lower()}"})
        case "slackDate":
            words = "".join(str(inner["content"]) for inner in node["content"] or ())
            yield _moment(node["timestamp"], node.get("link") or "", words, marks)
        case _:
            yield Run(f"({kind})", marks | {f"unknown {kind}"})
