"""A route's or an end's `rewrite`: replacements in the words of a message. Pure; `render` calls it.

A search takes bounded time, and its result has bounded length: a pattern that takes too long, or makes the text too long, leaves
the text unchanged, and the copy records it as a loss."""

from __future__ import annotations

import time

import msgspec
import regex

from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Heading,
    Inline,
    List,
    Mark,
    Paragraph,
    Quote,
    RichText,
    Text,
    merge_inlines,
    normalize,
)
from bridge.model.rich_text_tables import table

LIMIT_S = 0.25
"""Time limit for all replacements in one message together."""
MOST_GROWTH, MOST_FIRST, MOST_GROWN = 4, 4000, 100_000
"""A rule makes of a run at most so many times its characters, or so many of a short one, and no long one longer than the last."""
_ADDRESS = regex.compile(r"https?://\S+", regex.IGNORECASE)


class Rewrite(msgspec.Struct, frozen=True, kw_only=True):
    """`find` is a regular expression, `replace` a replacement with `\\1` and `\\g<name>`."""

    find: regex.Pattern[str]
    replace: str
    in_code: bool = False
    """Whether code is searched as well."""
    name: str = ""
    """The name of the line: `rewrite 1 (line 12)`."""


class TooLong(Exception):
    """`name` of the line that took too long, or made the text too long."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def rewritten(rich: RichText, rewrites: tuple[Rewrite, ...]) -> tuple[RichText, tuple[str, ...]]:
    """The text with all replacements, and the names of the lines that were left out.

    A match lies within words of one formatting: it does not reach from bold into plain words. Addresses of links stay, except for
    a link whose label is its address: both are replaced."""
    left_out: list[str] = []
    ends_at_s = time.monotonic() + LIMIT_S
    for rule in rewrites:
        try:
            rich = _Change(rule, ends_at_s).of(rich)
        except (TooLong, TimeoutError):
            left_out.append(rule.name)
    return (normalize(rich) if rewrites else rich), tuple(left_out)


def rewritten_words(words: str, rewrites: tuple[Rewrite, ...]) -> str:
    """The same for plain text; empty, not unchanged, if it takes too long."""
    ends_at_s = time.monotonic() + LIMIT_S
    for rule in rewrites:
        try:
            words = _Change(rule, ends_at_s).words(words)
        except (TooLong, TimeoutError):
            return ""
    return words


class _Change:
    """Applies one rule to a tree."""

    def __init__(self, rule: Rewrite, ends_at_s: float) -> None:
        self._rule = rule
        self._ends_at_s = ends_at_s

    def of(self, rich: RichText) -> RichText:
        return RichText(tuple(self._block(block) for block in rich.blocks))

    def words(self, text: str) -> str:
        left_s = self._ends_at_s - time.monotonic()
        if left_s <= 0:
            raise TooLong(self._rule.name)
        room = max(min(len(text) * MOST_GROWTH, MOST_GROWN), MOST_FIRST, len(text))
        pieces: list[str] = []
        end = length = 0
        for found in self._rule.find.finditer(text, timeout=left_s):
            pieces += (text[end : found.start()], found.expand(self._rule.replace))
            end = found.end()
            length += len(pieces[-1]) + len(pieces[-2])
            if length > room:
                raise TooLong(self._rule.name)
        return "".join((*pieces, text[end:])) if pieces else text

    def _block(self, block: Block) -> Block:
        match block:
            case Paragraph():
                return Paragraph(self._inlines(block.inlines))
            case Heading():
                return Heading(block.level, self._inlines(block.inlines))
            case CodeBlock() if block.rows:
                return self._table(block)
            case CodeBlock():
                return CodeBlock(self.words(block.text), block.language) if self._rule.in_code else block
            case List():
                items = tuple(msgspec.structs.replace(item, inlines=self._inlines(item.inlines)) for item in block.items)
                return msgspec.structs.replace(block, items=items)
            case Quote():
                return Quote(tuple(self._block(inner) for inner in block.blocks), block.is_expandable, block.depth)  # type: ignore[misc]

    def _table(self, block: CodeBlock) -> Block:
        """What is in its cells is words, although they are shown as code where there are no tables."""
        rows = [[self.words(cell) for cell in row] for row in block.rows]
        length = sum(len(cell) for row in rows for cell in row)
        if length > max(min(len(block.text) * MOST_GROWTH, MOST_GROWN), MOST_FIRST, len(block.text)):
            raise TooLong(self._rule.name)
        return table(rows)

    def _inlines(self, inlines: tuple[Inline, ...]) -> tuple[Inline, ...]:
        return tuple(self._inline(inline) for inline in merge_inlines(inlines))

    def _inline(self, inline: Inline) -> Inline:
        if not isinstance(inline, Text) or (inline.marks & Mark.CODE and not self._rule.in_code):
            return inline
        text = self.words(inline.text)
        if text is inline.text or text == inline.text:
            return inline
        link = inline.link
        if link == inline.text:
            link = text if _ADDRESS.fullmatch(text) else None
        return Text(text, inline.marks, link)
