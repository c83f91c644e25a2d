"""Markdown (CommonMark and what messengers add to it, line breaks kept) to rich text. Pure; the parser itself is `markdown_parser`.

Differences from CommonMark, all so that no text gets lost: raw HTML, link definitions and unsafe links stay literal text; blank
lines between paragraphs are kept as written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markdown_it.token import Token

from adapters.common.markdown_nesting import is_cut
from adapters.teamspirit.inbound.decode_tables import fence_tables, rows_of
from adapters.teamspirit.inbound.markdown_parser import ADDRESS, parse
from adapters.teamspirit.mention_guards import GAP, GUARD, JOINER, guard, mentions, unguard
from bridge.model.pauses import in_steps, pause_point
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
    RichText,
    Text,
    merge_inlines,
    nested_items,
    normalize,
    plain,
    quoted,
    to_plain,
)
from bridge.model.rich_text_tables import MOST_CELLS, table

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect

_MARKS = {"strong_open": Mark.BOLD, "em_open": Mark.ITALIC, "s_open": Mark.STRIKE}
_MARKS_END = {"strong_close": "strong_open", "em_close": "em_open", "s_close": "s_open"}
# Without these characters there is no inline markup; lines that begin with a letter and do not end in white space are no blocks.
_NO_INLINE = re.compile(r"[^\\`*_~\[\]<&@!\u200b\u2060]*")
_PLAIN_LINE = re.compile(r"[^\W\d_](?:.*\S)?|")


def decode_markdown(source: str, dialect: TextDialect, *, server: str = "") -> RichText:
    """`server`: where links to a path lead. Never raises: what is no markup is text."""
    if _is_plain(source, dialect):
        return plain(source.strip("\n"))
    fenced, language = fence_tables(source)
    tokens = parse(fenced, emoji_names=dialect.emoji_names, server=server)
    if is_cut(tokens):
        return normalize(plain(source.strip("\n")))
    return normalize(RichText(tuple(_Blocks(dialect, server, language).decode(tokens))))


def _is_plain(source: str, dialect: TextDialect) -> bool:
    if dialect.emoji_names and source.count(":") > 1:
        return False
    return _NO_INLINE.fullmatch(source) is not None and all(map(_PLAIN_LINE.fullmatch, source.split("\n")))


class _Blocks:
    """Walks the token stream. Text of a paragraph that follows another is put below it with the blank lines between them."""

    def __init__(self, dialect: TextDialect, server: str, tables: str) -> None:
        """`tables`: the language of fences that hold a table."""
        self._dialect = dialect
        self._server = server
        self._tables = tables

    def decode(self, tokens: Sequence[Token]) -> list[Block]:
        return [Paragraph(tuple(block)) if isinstance(block, list) else block for block in self._decode(tokens)]

    def _decode(self, tokens: Sequence[Token]) -> list[Block | list[Inline]]:
        """With the runs of paragraphs in lists: further ones are put below them."""
        blocks: list[Block | list[Inline]] = []
        paragraph_end = -1
        at = 0
        while at < len(tokens):
            pause_point()
            token = tokens[at]
            end = _closing(tokens, at)
            inside = tokens[at + 1 : end]
            first_line, last_line = token.map or (0, 0)
            match token.type:
                case "paragraph_open":
                    inlines = self._inlines(inside)
                    previous = blocks[-1] if blocks else None
                    if isinstance(previous, list) and paragraph_end >= 0:
                        previous += [Text("\n" * (first_line - paragraph_end + 1)), *inlines]
                    else:
                        blocks.append(list(inlines))
                case "heading_open":
                    blocks.append(Heading(int(token.tag[1:]), self._inlines(inside)))
                case "fence" if self._tables and token.info == self._tables:
                    blocks.append(self._table(rows_of(token.content)))
                case "fence" | "code_block":
                    blocks.append(CodeBlock(token.content.removesuffix("\n"), token.info.strip().partition(" ")[0]))
                case "hr":
                    blocks.append(Paragraph((Text(token.markup[:3]),)))
                case "blockquote_open":
                    blocks.extend(quoted(self.decode(inside)))
                case "bullet_list_open" | "ordered_list_open":
                    blocks.extend(self._list(token, inside))
                case _:
                    pass
            paragraph_end = last_line if token.type == "paragraph_open" else -1
            at = end + 1
        return blocks

    # -- tables -------------------------------------------------------------------------------------------------------------

    def _table(self, rows: Sequence[Sequence[str]]) -> CodeBlock:
        is_read = sum(map(len, rows)) <= MOST_CELLS
        return table([[self._cell(cell) if is_read else cell for cell in row] for row in rows])

    def _cell(self, source: str) -> str:
        """What a cell shows. It holds one line of words, and these no marks: columns of text have none."""
        if _NO_INLINE.fullmatch(source) and not (self._dialect.emoji_names and ":" in source):
            return source
        tokens = parse(source, emoji_names=self._dialect.emoji_names, server=self._server, inline=True)
        return source if is_cut(tokens) else to_plain(RichText((Paragraph(self._inlines(tokens)),)))

    # -- lists --------------------------------------------------------------------------------------------------------------

    def _list(self, token: Token, inside: Sequence[Token]) -> list[Block]:
        """The list, or several with what cannot be in a list item (code, quotes) between them."""
        ordered = token.type == "ordered_list_open"
        number = int(token.attrGet("start") or 0) if ordered and token.attrGet("start") is not None else 1
        start = number
        blocks: list[Block] = []
        items: list[ListItem] = []
        at = 0
        while at < len(inside):
            end = _closing(inside, at)
            content = self.decode(inside[at + 1 : end])
            if not content or isinstance(content[0], List):
                items.append(ListItem(()))
            for block in content:
                match block:
                    case Paragraph() | Heading():
                        items.append(ListItem(block.inlines))
                    case List():
                        items.extend(nested_items(block))
                    case _:
                        if items:
                            blocks.append(List(tuple(items), ordered, start))
                        blocks.append(block)
                        items, start = [], number + 1
            number += 1
            at = end + 1
        if items:
            blocks.append(List(tuple(items), ordered, start))
        return blocks

    # -- runs ---------------------------------------------------------------------------------------------------------------

    def _inlines(self, tokens: Sequence[Token]) -> tuple[Inline, ...]:
        inlines: list[Inline] = []
        for token in tokens:
            if token.type == "inline":
                inlines += self._runs(token.children or [])
        return self._with_mentions(_without_joiners(merge_inlines(inlines)))

    def _runs(self, tokens: Sequence[Token]) -> list[Inline]:
        runs: list[Inline] = []
        opened: Counter[str] = Counter()
        marks = 0
        link: str | None = None
        automatic = False
        for token in in_steps(tokens):
            match token.type:
                case "text" | "text_special" | "html_inline" | "address" if automatic or (token.type == ADDRESS and link is None):
                    # an address is text: every reader makes it a link by itself; an @ in it mentions nobody
                    runs.append(Text(guard(token.content, self._dialect), marks))
                case "text" | "text_special" | "html_inline" | "address":
                    runs.append(Text(token.content, marks, link))
                case "softbreak" | "hardbreak":
                    runs.append(Text("\n", marks, link))
                case "code_inline":
                    runs.append(Text(token.content, marks | Mark.CODE, link))
                case "link_open":
                    link, automatic = str(token.attrGet("href") or ""), token.info == "auto"
                case "link_close":
                    link, automatic = None, False
                case "image":
                    source = str(token.attrGet("src") or "")
                    runs.append(Text(token.content or source, marks, link or source))
                case _ if token.type in _MARKS:
                    opened[token.type] += 1
                    marks = _marks_of(opened)
                case _ if token.type in _MARKS_END:
                    opened[_MARKS_END[token.type]] -= 1
                    marks = _marks_of(opened)
                case _:
                    pass
        return [Text(run.text, int(run.marks), run.link) if isinstance(run, Text) else run for run in runs]

    def _with_mentions(self, inlines: Sequence[Inline]) -> tuple[Inline, ...]:
        found: list[Inline] = []
        for inline in in_steps(inlines):
            if isinstance(inline, Text) and not inline.marks & Mark.CODE and ("@" in inline.text or GUARD in inline.text):
                found += self._mentions(inline)
            else:
                found.append(inline)
        return merge_inlines(found)

    def _mentions(self, run: Text) -> list[Inline]:
        if run.link:
            return [Text(unguard(run.text, self._dialect), run.marks, run.link)]
        pieces: list[Inline] = []
        at = 0
        for start, end, name in mentions(run.text, self._dialect):
            before = run.text[at:start].removesuffix(JOINER).removeprefix(JOINER if at else "")
            pieces.append(Text(unguard(before, self._dialect), run.marks))
            everyone = name.lower() in self._dialect.mass_mentions
            kind = MentionKind.EVERYONE if everyone else MentionKind.USER
            pieces.append(Mention(kind, name.lower() if everyone else name, name, run.marks))
            at = end
        pieces.append(Text(unguard(run.text[at:].removeprefix(JOINER if at else ""), self._dialect), run.marks))
        return pieces


def _marks_of(opened: Counter[str]) -> int:
    """However often a mark is opened within itself, it is one mark."""
    marks = 0
    for one, count in opened.items():
        marks |= int(_MARKS[one]) if count > 0 else 0
    return marks


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Index of the token that closes the one at `at` (itself, if it opens nothing)."""
    if tokens[at].nesting != 1:
        return at
    depth = 0
    for index in range(at, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def _without_joiners(inlines: Sequence[Inline]) -> list[Inline]:
    """Takes out the word joiners that `encode_markdown` puts where formatting begins or ends."""
    clean: list[Inline] = []
    for number, inline in enumerate(in_steps(inlines)):
        if isinstance(inline, Text) and (JOINER in inline.text or GAP in inline.text) and not inline.marks & Mark.CODE:
            text = inline.text
            before = inlines[number - 1] if number else None
            after = inlines[number + 1] if number + 1 < len(inlines) else None
            if inline.marks or (before is not None and before.marks):
                text = text.removeprefix(JOINER)
            if inline.marks or (after is not None and after.marks):
                text = text.removesuffix(GAP).removesuffix(JOINER)
            inline = Text(text, inline.marks, inline.link)
        clean.append(inline)
    return clean
