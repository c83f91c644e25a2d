"""The standard Markdown of Slack's `markdown` blocks to the bridge's rich text. Pure. Called by `decode_blocks`.

The parser is markdown-it-py. Markup of HTML stays text, as Slack shows it. Source: docs.slack.dev, markdown block, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.common.markdown_nesting import is_cut
from adapters.slack.inbound.decode_mrkdwn import link, tokens_of
from adapters.slack.inbound.decode_tables import table_of
from adapters.slack.names import Names
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Paragraph,
    RichText,
    Text,
    nested_items,
    normalize,
    quoted,
)

_LONGEST = 40_000
"""Characters; Slack takes 12,000 for all blocks of a message."""
_MARKS = {"strong": int(Mark.BOLD), "em": int(Mark.ITALIC), "s": int(Mark.STRIKE)}


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def decode_markdown(text: str, names: Names) -> RichText:
    tokens = _parser().parse(text[:_LONGEST])
    if is_cut(tokens):
        return normalize(RichText((Paragraph(tokens_of(text[:_LONGEST], names, 0)),)))
    return normalize(RichText(tuple(_Reader(tokens, names).blocks())))


class _Reader:
    """Walks the flat list of tokens that markdown-it makes."""

    def __init__(self, tokens: Sequence[Token], names: Names) -> None:
        self._tokens = tokens
        self._names = names
        self._at = 0

    def blocks(self, until: str = "") -> Iterator[Block]:
        """Blocks up to the token that closes what contains them."""
        has_gap = False
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.type == until:
                return
            for block in self._block(token):
                # two paragraphs are a blank line apart
                yield Paragraph((Text("\n"), *block.inlines)) if has_gap and isinstance(block, Paragraph) else block
                has_gap = isinstance(block, Paragraph)

    def _block(self, token: Token) -> Iterator[Block]:
        match token.type:
            case "heading_open":
                yield Heading(int(token.tag[1:] or 1), self._inline())
            case "inline":
                yield Paragraph(self._runs(token.children or [], 0))
            case "fence" | "code_block":
                yield CodeBlock(token.content.removesuffix("\n"), token.info.strip().partition(" ")[0])
            case "blockquote_open":
                yield from quoted(self.blocks("blockquote_close"))
            case "bullet_list_open" | "ordered_list_open":
                yield self._list(token)
            case "table_open":
                yield from self._table()
            case "hr":
                yield Paragraph((Text("———"),))
            case "html_block":
                yield Paragraph((Text(token.content.rstrip("\n")),))
            case _:
                pass

    def _inline(self) -> tuple[Inline, ...]:
        """The runs of the inline token that comes next."""
        token = self._tokens[self._at]
        self._at += 1
        return self._runs(token.children or [], 0) if token.type == "inline" else ()

    def _list(self, opening: Token) -> List:
        """A list up to its end; lists within it are items that lie deeper."""
        ordered = opening.type == "ordered_list_open"
        until = opening.type.replace("open", "close")
        items: list[ListItem] = []
        words: list[Inline] | None = None

        def flush() -> None:
            nonlocal words
            if words is not None:
                items.append(ListItem(tuple(words)))
                words = None

        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            match token.type:
                case "bullet_list_open" | "ordered_list_open":
                    flush()
                    items += nested_items(self._list(token))
                case "list_item_open":
                    flush()
                    words = []
                case "inline":
                    words = [*(words or ()), *([Text("\n")] if words else []), *self._runs(token.children or [], 0)]
                case "fence" | "code_block" | "html_block":
                    code = Text(token.content.rstrip("\n"), int(Mark.CODE))
                    words = [*(words or ()), *([Text("\n")] if words else []), code]
                case kind if kind == until:
                    break
                case _:
                    pass
        flush()
        return List(tuple(items), ordered, int(opening.attrGet("start") or 1) if ordered else 1)

    def _table(self) -> Iterator[Block]:
        rows: list[list[tuple[Inline, ...]]] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            match token.type:
                case "table_close":
                    yield from table_of(rows).blocks
                    return
                case "tr_open":
                    rows.append([])
                case "inline":
                    rows[-1].append(self._runs(token.children or [], 0))
                case _:
                    pass

    def _runs(self, children: Sequence[Token], marks: int) -> tuple[Inline, ...]:
        found: list[Inline] = []
        open_marks = [marks]
        url = ""
        label: list[str] = []
        for token in children:
            kind = token.type
            if kind.endswith("_open") and token.tag in ("strong", "em", "s"):
                open_marks.append(open_marks[-1] | _MARKS[token.tag])
            elif kind.endswith("_close") and token.tag in ("strong", "em", "s") and len(open_marks) > 1:
                open_marks.pop()
            elif kind == "link_open":
                url, label = str(token.attrGet("href") or ""), []
            elif kind == "link_close":
                found.append(link(url, "".join(label), open_marks[-1]))
                url = ""
            elif kind == "image":
                found.append(link(str(token.attrGet("src") or ""), token.content or "image", open_marks[-1]))
            else:
                text = "\n" if kind in ("softbreak", "hardbreak") else token.content
                more = open_marks[-1] | (int(Mark.CODE) if kind == "code_inline" else 0)
                if url:
                    label.append(text)
                elif kind == "text":
                    found += tokens_of(text, self._names, more)
                else:
                    found.append(Text(text, more))
        return tuple(found)
