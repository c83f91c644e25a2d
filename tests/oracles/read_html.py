"""The HTML that foreign parsers write -> its meaning. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html.parser import HTMLParser

from tests.oracles.meaning import Line, Meaning, Run, line, link_to

_MARKS = {
    "b": "b",
    "strong": "b",
    "i": "i",
    "em": "i",
    "u": "u",
    "ins": "u",
    "s": "s",
    "del": "s",
    "strike": "s",
    "tg-spoiler": "spoiler",
    "code": "code",
}
_BLOCKS = {"p", "div", "section", "pre", "table", "thead", "tbody", "blockquote", "ul", "ol"}
_VOID = {"br", "img", "hr", "input"}

Attributes = Mapping[str, str]
SKIPPED = "skipped"
"""Of a tag whose text is decoration."""

Special = Callable[[str, Attributes], "Run | str | None"]
"""What a tag of this parser means: a run of its own, a mark of what is in it, SKIPPED, or None for what it means everywhere."""


def read_html(html: str, *, special: Special = lambda tag, attributes: None, breaks: bool = False) -> Meaning:
    """`breaks`: a line break in the source is one."""
    reader = _Reader(special, breaks)
    reader.feed(html)
    reader.close()
    reader.flush()
    return tuple(reader.lines)


class _Reader(HTMLParser):
    def __init__(self, special: Special, breaks: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._special = special
        self._breaks = breaks
        self._open: list[tuple[str, str]] = []
        """Tags with the mark that each gives."""
        self._lists: list[int | None] = []
        """The lists around, each with the number of its next item; None of bullets."""
        self._kind = ""
        self._indent = 0
        self._quotes = 0
        self._pre = 0
        self._language = ""
        self._cells = 0
        self._runs: list[Run] = []
        self.lines: list[Line] = []

    def flush(self) -> None:
        kind = f"code {self._language}" if self._pre else self._kind
        found = list(line(kind, self._quotes, self._runs))
        self.lines += found
        self._runs = []
        if found and not self._pre and kind[:1] != "h":
            self._kind = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        special = self._special(tag, attributes)
        if tag in _BLOCKS or tag == "li" or tag == "tr" or (tag[:1] == "h" and tag[1:].isdigit()):
            self.flush()
            self._begin(tag, attributes)
        elif tag == "br":
            self._runs.append(Run("\n"))
        elif tag == "img" and special is None:
            self._runs.append(Run(attributes.get("alt", "")))
        elif tag in ("td", "th"):
            self._runs += [Run(" | ")] if self._cells else []
            self._cells += 1
        if tag == "code" and self._pre:
            self._language = self._language or _language_of(attributes)
        if isinstance(special, Run):
            self._runs.append(Run(special.text, special.marks | self._marks()))
            special = SKIPPED
        mark = special or ("" if self._pre else _MARKS.get(tag, ""))
        if tag == "a" and special is None and "href" in attributes:
            mark = link_to(attributes["href"])
        if tag not in _VOID:
            self._open.append((tag, mark))

    def _begin(self, tag: str, attributes: Attributes) -> None:
        match tag:
            case "blockquote":
                self._quotes += 1
            case "pre":
                self._pre += 1
                self._language = _language_of(attributes)
            case "ul":
                self._lists.append(None)
            case "ol":
                self._lists.append(int(attributes.get("start") or 1))
            case "li":
                number = self._lists[-1] if self._lists else None
                if number is not None:
                    self._lists[-1] = number + 1
                told = attributes.get("data-indent")
                indent = int(told) if told else len(self._lists) - 1
                self._kind = f"{'-' if number is None else f'{number}.'} {indent}"
            case "tr":
                self._kind, self._cells = "row", 0
            case _ if tag[0] == "h":
                self._kind = tag

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self._open):
            return
        if tag in _BLOCKS or tag in ("li", "tr") or (tag[:1] == "h" and tag[1:].isdigit()):
            self.flush()
        while self._open:
            name, _ = self._open.pop()
            if name == "blockquote":
                self._quotes -= 1
            elif name == "pre":
                self._pre -= 1
            elif name in ("ul", "ol"):
                self._lists.pop()
            elif name[:1] == "h" or name in ("li", "tr"):
                self._kind = ""
            if name == tag:
                break

    def _marks(self) -> frozenset[str]:
        return frozenset(mark for _, mark in self._open if mark)

    def handle_data(self, data: str) -> None:
        marks = self._marks()
        if SKIPPED in marks:
            return
        text = data if self._pre or self._breaks else data.replace("\n", " ")
        self._runs.append(Run(text, frozenset() if self._pre else marks))


def _language_of(attributes: Attributes) -> str:
    for name in attributes.get("class", "").split():
        if name.startswith("language-"):
            return name.removeprefix("language-")
    return ""
