"""HTML of a message to rich text: keeps every text and understands the usual tags. Pure."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

from adapters.teamspirit.mention_guards import mentions, unguard
from adapters.teamspirit.web_links import SAFE_LINK
from bridge.model.rich_text import (
    DEEPEST_QUOTE,
    Block,
    CodeBlock,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    RichText,
    Text,
    inline_text,
    normalize,
    quoted,
    to_plain,
    with_numbers,
)
from bridge.model.rich_text_tables import table

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect

_TAG_MARKS = {
    "b": Mark.BOLD,
    "strong": Mark.BOLD,
    "i": Mark.ITALIC,
    "em": Mark.ITALIC,
    "u": Mark.UNDERLINE,
    "ins": Mark.UNDERLINE,
    "s": Mark.STRIKE,
    "del": Mark.STRIKE,
    "strike": Mark.STRIKE,
    "code": Mark.CODE,
    "tt": Mark.CODE,
}


_TABLE = frozenset({"tr", "td", "th"})
_BLOCKS = _TABLE | {"table", "p", "div", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"}
"""Tags that in a table mean a cell, or a line of one."""


def decode_html(source: str, dialect: TextDialect) -> RichText:
    """Never raises: unknown tags are left out, their text stays."""
    page = _Page(dialect)
    page.feed(source)
    page.close()
    return normalize(RichText(tuple(page.finish())))


class _Page(HTMLParser):
    def __init__(self, dialect: TextDialect) -> None:
        super().__init__(convert_charrefs=True)
        self._dialect = dialect
        self._blocks: list[Block] = []
        self._inlines: list[Inline] = []
        self._marks: list[int] = []
        self._links: list[str | None] = []
        self._lists: list[list[int | None]] = []
        """Of each list that is open, the outermost first: the number of the next item, None for bullets."""
        self._items: list[ListItem] = []
        self._numbers: list[int | None] = []
        self._quotes: list[int] = []
        self._pre: list[str] | None = None
        self._language = ""
        self._heading = 0
        self._rows: list[list[str]] | None = None
        """Of the table that is open."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._pre is not None:
            if tag == "code":
                self._language = (given.get("class") or "").removeprefix("language-")
            return
        if self._rows is not None and tag in _BLOCKS:
            self._in_table(tag)
            return
        match tag:
            case "table":
                self._end_block()
                self._rows = []
            case "br":
                self._inlines.append(Text("\n"))
            case "a":
                href = given.get("href") or ""
                self._links.append(href if SAFE_LINK.match(href) else None)
            case "pre":
                self._end_block()
                self._pre, self._language = [], ""
            case "blockquote":
                self._end_block()
                self._quotes.append(len(self._blocks))
            case "ul" | "ol":
                self._end_block()
                self._lists.append([_number(given.get("start"), 1) if tag == "ol" else None])
            case "li" if self._lists:
                self._end_block()
                following = self._lists[-1]
                following[0] = following[0] and _number(given.get("value"), following[0])
            case "p" | "div" | "li":
                self._end_block()
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self._end_block()
                self._heading = int(tag[1])
            case _ if tag in _TAG_MARKS:
                self._marks.append(_TAG_MARKS[tag])
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if self._pre is not None:
            if tag == "pre":
                self._blocks.append(CodeBlock("".join(self._pre).removesuffix("\n"), self._language))
                self._pre = None
            return
        if self._rows is not None and tag in _BLOCKS:
            if tag == "table":
                self._end_table()
            elif tag not in _TABLE:
                self._inlines.append(Text(" "))
            return
        match tag:
            case "a" if self._links:
                self._links.pop()
            case "blockquote" if self._quotes:
                self._end_block()
                start = self._quotes.pop()
                if len(self._quotes) < DEEPEST_QUOTE:  # what is deeper is as deep as may be, and not wrapped again at each level
                    self._blocks[start:] = quoted(self._blocks[start:])
            case "ul" | "ol" if self._lists:
                self._end_block()
                self._lists.pop()
                if not self._lists:
                    self._end_list()
            case "p" | "div" | "li" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                self._end_block()
            case _ if tag in _TAG_MARKS and _TAG_MARKS[tag] in self._marks:
                self._marks.remove(_TAG_MARKS[tag])
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self._pre is not None:
            self._pre.append(data)
            return
        marks = 0
        for mark in self._marks:
            marks |= mark
        link = next((link for link in reversed(self._links) if link), None)
        at = 0
        if not link and not marks & Mark.CODE:
            for start, end, name in mentions(data, self._dialect):
                self._inlines.append(Text(unguard(data[at:start], self._dialect), marks))
                everyone = name.lower() in self._dialect.mass_mentions
                kind = MentionKind.EVERYONE if everyone else MentionKind.USER
                self._inlines.append(Mention(kind, name.lower() if everyone else name, name, marks))
                at = end
        self._inlines.append(Text(unguard(data[at:], self._dialect), marks, link))

    def _end_block(self) -> None:
        inlines, self._inlines = tuple(self._inlines), []
        if not "".join(map(inline_text, inlines)).strip():
            self._heading = 0
            return
        if self._lists:
            number = self._lists[-1][0]
            self._items.append(ListItem(inlines, len(self._lists) - 1, number is not None))
            self._numbers.append(number)
            self._lists[-1][0] = None if number is None else number + 1
        elif self._heading:
            self._blocks.append(Heading(self._heading, inlines))
        else:
            self._blocks.append(Paragraph(inlines))
        self._heading = 0

    # -- tables -------------------------------------------------------------------------------------------------------------

    def _in_table(self, tag: str) -> None:
        """A row or a cell begins. Whatever else is in a cell is words on one line; a table within it is more of its rows."""
        rows = self._rows if self._rows is not None else []
        if tag not in _TABLE:
            self._inlines.append(Text(" "))
            return
        self._end_cell()
        if tag == "tr" or not rows:
            rows.append([])
        if tag in ("td", "th"):
            rows[-1].append("")

    def _end_cell(self) -> None:
        """What stands before the first row is above the table; words before the first cell of a row have one of their own."""
        inlines, self._inlines = tuple(self._inlines), []
        words = " ".join(to_plain(RichText((Paragraph(inlines),))).split())
        if not words:
            return
        if not self._rows:
            self._blocks.append(Paragraph((Text(words),)))
            return
        row = self._rows[-1] = self._rows[-1] or [""]
        row[-1] = " ".join(filter(None, (row[-1], words)))

    def _end_table(self) -> None:
        self._end_cell()
        rows, self._rows = self._rows or [], None
        self._blocks.append(table([row for row in rows if row]))

    def _end_list(self) -> None:
        items, numbers = tuple(self._items), self._numbers
        self._items, self._numbers = [], []
        if items:
            ordered = items[0].ordered is True
            start = numbers[0] if items[0].indent == 0 else None
            self._blocks.append(with_numbers(List(items, ordered, 1 if start is None else start), numbers))

    def finish(self) -> list[Block]:
        if self._rows is not None:
            self._end_table()
        self._end_block()
        if self._pre is not None:
            self._blocks.append(CodeBlock("".join(self._pre), self._language))
        self._end_list()
        return self._blocks


def _number(given: str | None, otherwise: int) -> int:
    return int(given) if given and given.isdecimal() and len(given) < 10 else otherwise
