"""Rich text to and from the small HTML that messengers with an HTML dialect use. Pure.

Decoding keeps every text and understands the usual tags; encoding writes only b i u s code pre blockquote a ul ol li h1-h6 and br.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from adapters.teamspirit.markup.guards import clean, guard, is_username, mentions, unguard
from adapters.teamspirit.markup.parser import SAFE_LINK
from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
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
    Quote,
    RichText,
    Text,
    inline_text,
    normalize,
    numbered,
    with_numbers,
)

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
_WRITTEN = ((Mark.BOLD, "b"), (Mark.ITALIC, "i"), (Mark.UNDERLINE, "u"), (Mark.STRIKE, "s"), (Mark.CODE, "code"))


def encode_html(rich: RichText, dialect: TextDialect, *, mass_mentions: bool = False) -> str:
    """Blocks one below the other. Literal text is escaped, mentions are guarded."""
    return "".join(_blocks(rich.blocks, dialect, mass_mentions))


def _blocks(blocks: Sequence[Block], dialect: TextDialect, mass: bool) -> Iterable[str]:
    previous: Block | None = None
    for block in in_steps(blocks):
        if isinstance(block, Paragraph) and isinstance(previous, Paragraph):
            yield "<br>"
        match block:
            case Paragraph():
                yield _inlines(block.inlines, dialect, mass)
            case Heading():
                yield f"<h{block.level}>{_inlines(block.inlines, dialect, mass)}</h{block.level}>"
            case CodeBlock():
                language = f' class="language-{html.escape(block.language)}"' if block.language else ""
                yield f"<pre><code{language}>{html.escape(block.text)}</code></pre>"
            case Quote():
                yield f"<blockquote>{''.join(_blocks(block.blocks, dialect, mass))}</blockquote>"
            case List():
                yield _list(block, dialect, mass)
        previous = block


def _list(block: List, dialect: TextDialect, mass: bool) -> str:
    text = ""
    opened: list[str] = []
    expected: dict[int, int] = {}
    for number, item in numbered(block):
        tag = "ul" if number is None else "ol"
        while len(opened) > item.indent + 1 or (len(opened) == item.indent + 1 and opened[-1] != tag):
            text += f"</{opened.pop()}>"
            expected.pop(len(opened), None)
        while len(opened) <= item.indent:
            start = f' start="{number}"' if number not in (None, 1) and len(opened) == item.indent else ""
            opened.append(tag)
            text += f"<{tag}{start}>"
            if number is not None:
                expected[len(opened) - 1] = number
        value = "" if number is None or expected.get(item.indent) == number else f' value="{number}"'
        text += f"<li{value}>{_inlines(item.inlines, dialect, mass)}</li>"
        if number is not None:
            expected[item.indent] = number + 1
    return text + "".join(f"</{tag}>" for tag in reversed(opened))


def _inlines(inlines: Sequence[Inline], dialect: TextDialect, mass: bool) -> str:
    return "".join(_inline(inline, dialect, mass) for inline in in_steps(inlines))


def _inline(inline: Inline, dialect: TextDialect, mass: bool) -> str:
    text = _mention(inline, dialect, mass) if isinstance(inline, Mention) else guard(clean(inline_text(inline)), dialect)
    body = html.escape(text).replace("\n", "<br>")
    for mark, tag in reversed(_WRITTEN):
        if inline.marks & mark:
            body = f"<{tag}>{body}</{tag}>"
    if isinstance(inline, Text) and inline.link:
        if not SAFE_LINK.match(inline.link):
            return f"{body} ({html.escape(guard(inline.link, dialect))})"
        body = f'<a href="{html.escape(inline.link)}">{body}</a>'
    return body


def _mention(mention: Mention, dialect: TextDialect, mass: bool) -> str:
    sign = dialect.mention
    if sign and mention.kind is MentionKind.EVERYONE and mass:
        return sign + (mention.id.lower() if mention.id.lower() in dialect.mass_mentions else dialect.mass_mentions[0])
    is_mass = mention.id.lower() in dialect.mass_mentions
    if sign and mention.kind is MentionKind.USER and is_username(mention.id) and not is_mass:
        return sign + mention.id
    return guard(inline_text(mention), dialect)


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

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._pre is not None:
            if tag == "code":
                self._language = (given.get("class") or "").removeprefix("language-")
            return
        match tag:
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
        match tag:
            case "a" if self._links:
                self._links.pop()
            case "blockquote" if self._quotes:
                self._end_block()
                start = self._quotes.pop()
                inside = [b for block in self._blocks[start:] for b in (block.blocks if isinstance(block, Quote) else (block,))]
                self._blocks[start:] = [Quote(tuple(inside))]
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

    def _end_list(self) -> None:
        items, numbers = tuple(self._items), self._numbers
        self._items, self._numbers = [], []
        if items:
            ordered = items[0].ordered is True
            start = numbers[0] if items[0].indent == 0 else None
            self._blocks.append(with_numbers(List(items, ordered, 1 if start is None else start), numbers))

    def finish(self) -> list[Block]:
        self._end_block()
        if self._pre is not None:
            self._blocks.append(CodeBlock("".join(self._pre), self._language))
        self._end_list()
        return self._blocks


def _number(given: str | None, otherwise: int) -> int:
    return int(given) if given and given.isdecimal() and len(given) < 10 else otherwise
