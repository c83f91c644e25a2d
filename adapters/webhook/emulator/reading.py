"""Reads `markdown` as a receiving program does: CommonMark by markdown-it-py, with ~~strikethrough~~. Independent of the adapter's
encoder. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Heading,
    List,
    ListItem,
    Mark,
    Paragraph,
    RichText,
    Text,
    normalize,
    quoted,
)

_MARKS = {"strong": int(Mark.BOLD), "em": int(Mark.ITALIC), "s": int(Mark.STRIKE)}


class _Reader(MarkdownIt):
    """Keeps addresses as they are written."""

    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link


_READER = _Reader("commonmark").enable("strikethrough")


def html_of(markdown: str) -> str:
    """The HTML of the text."""
    return str(_READER.render(markdown)).strip("\n")


def read_markdown(markdown: str) -> RichText:
    return normalize(RichText(tuple(_blocks(_READER.parse(markdown)))))


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    at = 0
    after = False
    while at < len(tokens):
        token = tokens[at]
        behind = _end(tokens, at)
        inside = tokens[at + 1 : behind]
        if token.type == "paragraph_open":
            yield Paragraph((*((Text("\n"),) if after else ()), *_runs(inside[0])))
        elif token.type == "heading_open":
            yield Heading(int(token.tag[1:]), tuple(_runs(inside[0])))
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            yield List(tuple(_items(inside, 0)), token.type.startswith("ordered"), int(token.attrGet("start") or 1))
        elif token.type == "blockquote_open":
            yield from quoted(_blocks(inside))
        else:
            yield CodeBlock(token.content.removesuffix("\n"), token.info)
        after = token.type == "paragraph_open"
        at = behind + 1


def _end(tokens: Sequence[Token], at: int) -> int:
    """The index of the token that closes the one at `at`."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth <= 0:
            return place
    return len(tokens) - 1


def _items(tokens: Sequence[Token], indent: int) -> Iterator[ListItem]:
    at = 0
    while at < len(tokens):
        behind = _end(tokens, at)
        words: list[Text] = []
        deeper: list[ListItem] = []
        inside = tokens[at + 1 : behind]
        place = 0
        while place < len(inside):
            end = _end(inside, place)
            kind = inside[place].type
            if kind in ("bullet_list_open", "ordered_list_open"):
                deeper += _items(inside[place + 1 : end], indent + 1)
            else:
                words += [Text("\n")] if words else []
                words += _runs(inside[place + 1]) if kind.endswith("_open") else [Text(inside[place].content)]
            place = end + 1
        yield ListItem(tuple(words), indent)
        yield from deeper
        at = behind + 1


def _runs(inline: Token) -> Iterator[Text]:
    marks, link = 0, None
    for child in inline.children or ():
        name = child.type.removesuffix("_open").removesuffix("_close")
        if name == "link":
            link = str(child.attrGet("href")) if child.nesting == 1 else None
        elif name in _MARKS:
            marks = marks | _MARKS[name] if child.nesting == 1 else marks & ~_MARKS[name]
        elif child.type in ("softbreak", "hardbreak"):
            yield Text("\n")
        else:
            shown = marks | int(Mark.CODE) if child.type == "code_inline" else marks
            yield Text(child.content, shown, link)
