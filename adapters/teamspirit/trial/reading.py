"""Reads a response by the dialect's entries: the values, those that are missing, and which entry to correct to what. Pure.

Used by `steps`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.common.queries import find
from bridge.model.dialects import Complaint, Exchanged, ReadEntry

_DEEPEST = 6
_MOST_PATHS = 400
_MOST_HINTS = 3
_NAME = re.compile(r"[A-Za-z_]\w*")
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Judge:
    """Judges the responses of one operation. `sources`: the place of each entry of the dialect."""

    def __init__(self, operation: str, sources: Mapping[str, str]) -> None:
        self.operation = operation
        self.read_entries: list[ReadEntry] = []
        self.complaints: list[Complaint] = []
        self._sources = sources

    def read(self, entry: str, query: str | None, answer: Any, *, needed: bool = False) -> Any:
        """The value that the entry finds; adds a complaint if it is required and finds nothing."""
        if query is None:
            return None
        found = find(query, answer)
        self.read_entries.append(ReadEntry(entry=entry, query=query, found=found))
        if needed and found in (None, ""):
            self.complain(entry, f"{query!r} finds nothing in the answer", alike(query, entry, answer))
        return found

    def complain(self, entry: str, why: str, hint: str = "") -> None:
        self.complaints.append(Complaint(entry=entry, why=why, source=self.source(entry), hint=hint))

    def source(self, entry: str) -> str:
        """The place of the entry, or of the nearest one above or within it."""
        at = entry
        while at:
            if at in self._sources:
                return self._sources[at]
            inner = next((key for key in self._sources if key.startswith((f"{at}.", f"{at}["))), None)
            if inner is not None:
                return self._sources[inner]
            at = at.rpartition(".")[0]
        return ""

    def refused(self, exchange: Exchanged | None, code_query: str | None, message_query: str | None) -> None:
        """The entry that a refusal is about."""
        call = f"operations.{self.operation}"
        status = exchange.status if exchange is not None else 0
        for statuses, entry, why in _REFUSALS:
            if status in statuses:
                self.complain(entry.format(call=call), why)
                break
        if exchange is not None and status >= 400 and isinstance(exchange.answer, dict):
            for entry, query in (("errors.code", code_query), ("errors.message", message_query)):
                if find(query, exchange.answer) in (None, ""):
                    said = f"{query!r} finds nothing in this refusal" if query else "nothing says where refusals hold it"
                    self.complain(entry, said, alike(query or "", entry, exchange.answer))


_REFUSALS: tuple[tuple[frozenset[int] | range, str, str], ...] = (
    (frozenset({0}), "base", "nobody answered there: check the account's server, and base"),
    (range(200, 300), "base", "the answer is a web page and no API's: check the account's server, and base"),
    (range(300, 400), "base", "the server redirects, which is not followed: set server (or base) to where it leads"),
    (frozenset({401}), "headers", "the server does not take the key: check api_key, and the header that carries it"),
    (frozenset({403}), "{call}", "the server understands and does not allow it: check the bot's rights, and the chat"),
    (frozenset({404, 410}), "{call}.path", "the server knows no such address (or no such chat or message): check path, and base"),
    (frozenset({405}), "{call}.method", "the address is there, and not with this method"),
    (frozenset({413}), "limits", "too large: check limits"),
    (frozenset({415}), "{call}", "the server wants another kind of body: json, form or multipart"),
    (frozenset({400, 422}), "{call}.json", "the server does not take the body (or query) as it is: see what it says"),
    (frozenset({429}), "limits.messages_per_minute", "too many calls: wait, and try again"),
    (range(500, 600), "{call}", "the server failed: see what it says, and try again"),
)


def alike(query: str, entry: str, answer: Any) -> str:
    """Entries of the response with a similar name; else all that it has."""
    wanted = [*reversed(_NAME.findall(query)), entry.rpartition(".")[2]]
    paths = [path for path, _ in leaves(answer)]
    for name in wanted:
        named = [path for path in paths if _last(path) == name]
        near = named or [path for path in paths if difflib.get_close_matches(name, [_last(path)], 1, 0.75)]
        if near:
            return "the answer has " + ", ".join(dict.fromkeys(near[:_MOST_HINTS]))
    if paths:
        return "the answer has only " + ", ".join(list(dict.fromkeys(paths))[: 2 * _MOST_HINTS])
    return "the answer is empty" if answer in (None, "", [], {}) else "the answer is no JSON object"


def holds(answer: Any, value: str) -> str:
    """The place of the value (or of a text with it) in the response, as an expression; empty if it is not there."""
    exact = [path for path, found in leaves(answer) if str(found) == value]
    part = [path for path, found in leaves(answer) if isinstance(found, str) and len(value) > 5 and value in found]
    return next(iter([*exact, *part]), "")


def leaves(value: Any, at: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Paths to all scalars, as JMESPath; of a list its first item."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for count, (key, inner) in enumerate(value.items()):
            if count >= _MOST_PATHS:
                return
            name = str(key) if _PLAIN_NAME.fullmatch(str(key)) else f'"{key}"'
            yield from leaves(inner, f"{at}.{name}" if at else name, depth + 1)
    elif isinstance(value, list):
        if value:
            yield from leaves(value[0], f"{at}[0]", depth + 1)
        elif at:
            yield at, value
    elif at:
        yield at, value


def _last(path: str) -> str:
    return path.rpartition(".")[2].removesuffix("[0]").strip('"')
