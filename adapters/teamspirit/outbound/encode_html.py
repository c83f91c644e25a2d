"""Rich text to the small HTML that messengers with an HTML dialect use: b i u s code pre blockquote a ul ol li h1-h6 br. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from adapters.teamspirit.mention_guards import clean, guard, is_username
from adapters.teamspirit.web_links import SAFE_LINK
from bridge.model.pauses import in_steps
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Heading,
    Inline,
    List,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    inline_text,
    is_same_quote,
    numbered,
)

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.model import TextDialect

_WRITTEN = ((Mark.BOLD, "b"), (Mark.ITALIC, "i"), (Mark.UNDERLINE, "u"), (Mark.STRIKE, "s"), (Mark.CODE, "code"))


def encode_html(rich: RichText, dialect: TextDialect, *, mass_mentions: bool = False) -> str:
    """Blocks one below the other. Literal text is escaped, mentions are guarded."""
    return "".join(_blocks(rich.blocks, dialect, mass_mentions))


def _blocks(blocks: Sequence[Block], dialect: TextDialect, mass: bool) -> Iterable[str]:
    previous: Block | None = None
    for block in in_steps(blocks):
        if isinstance(previous, Quote):
            yield from _end_of_quotes(previous, block)
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
                there = min(previous.depth, block.depth) if is_same_quote(previous, block) and isinstance(previous, Quote) else 0
                there -= there > 0 and isinstance(previous, Quote) and previous.depth == block.depth
                yield "<blockquote>" * (block.depth - there) + "".join(_blocks(block.blocks, dialect, mass))
            case List():
                yield _list(block, dialect, mass)
        previous = block
    if isinstance(previous, Quote):
        yield "</blockquote>" * previous.depth


def _end_of_quotes(above: Quote, below: Block) -> Iterable[str]:
    """What of the quotes above does not go on. Two of one depth within another are two quotes."""
    if isinstance(below, Quote) and is_same_quote(above, below):
        yield "</blockquote>" * (1 if above.depth == below.depth else max(above.depth - below.depth, 0))
    else:
        yield "</blockquote>" * above.depth


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
