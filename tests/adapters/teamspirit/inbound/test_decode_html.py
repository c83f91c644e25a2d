"""HTML of messages: the usual tags are understood, unknown ones keep their text, nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.teamspirit.dialect.model import TextDialect
from adapters.teamspirit.inbound.decode_html import decode_html
from bridge.model.rich_text import (
    DEEPEST_QUOTE,
    Block,
    CodeBlock,
    Heading,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    Text,
    text_of,
    to_plain,
)

HTML = TextDialect(flavour="html")


def paragraph(*inlines: Text | Mention) -> Block:
    return Paragraph(inlines)


@pytest.mark.parametrize(
    ("source", "blocks"),
    [
        ("<b>a <i>b</i></b>", [paragraph(Text("a ", int(Mark.BOLD)), Text("b", int(Mark.BOLD | Mark.ITALIC)))]),
        ("<a href='https://e.com/'>x</a>", [paragraph(Text("x", 0, "https://e.com/"))]),
        ("<a href='javascript:alert(1)'>x</a>", [paragraph(Text("x"))]),
        ("<h2>a</h2>b", [Heading(2, (Text("a"),)), paragraph(Text("b"))]),
        ("<pre><code class='language-py'>a &lt; b\n</code></pre>", [CodeBlock("a < b", "py")]),
        ("<pre>never closed", [CodeBlock("never closed", "")]),
        (
            "<blockquote>a<blockquote>b</blockquote></blockquote>",
            [Quote((Paragraph((Text("a"),)),)), Quote((Paragraph((Text("b"),)),), depth=2)],
        ),
        ("<blink>a</blink><br>b", [paragraph(Text("a\nb"))]),
        (
            "@all, @anna",
            [paragraph(Mention(MentionKind.EVERYONE, "all", "all"), Text(", "), Mention(MentionKind.USER, "anna", "anna"))],
        ),
        ("<code>@all</code>", [paragraph(Text("@all", int(Mark.CODE)))]),
    ],
)
def test_tags(source: str, blocks: list[Block]) -> None:
    assert list(decode_html(source, HTML).blocks) == blocks


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<ul><li>a<li>b</ul>", "• a\n• b"),
        ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b"),
        ("<ol><li>a</li><li value=7>b</li></ol>", "1. a\n7. b"),
        ("<ol start=99999999999999><li>a</li></ol>", "1. a"),
    ],
)
def test_lists_keep_bullets_and_numbers(source: str, shown: str) -> None:
    assert to_plain(decode_html(source, HTML)) == shown


def test_quotes_without_end_are_as_many_as_may_be_deep() -> None:
    found = decode_html("<blockquote>x" * 300 + "</blockquote>" * 300, HTML)
    assert [block.depth for block in found.blocks if isinstance(block, Quote)] == [*range(1, DEEPEST_QUOTE + 1)]
    assert text_of(found).count("x") == 300


TAGS = st.sampled_from(
    ["<b>", "</b>", "<pre>", "</pre>", "<ul>", "<li>", "</ol>", "<blockquote>", "</blockquote>", "<h1>", "a", "&lt;"]
)


@given(st.lists(TAGS, max_size=12).map("".join))
def test_tags_in_any_order_keep_every_letter(source: str) -> None:
    assert text_of(decode_html(source, HTML)).count("a") == source.replace("<blockquote>", "").replace("</blockquote>", "").count(
        "a"
    )


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        (
            "<table><tr><th>os</th><th>size</th></tr><tr><td>linux</td><td>5 MB</td></tr></table>",
            (("os", "size"), ("linux", "5 MB")),
        ),
        (
            "<table>\n<thead><tr>\n<th>a</th>\n</tr></thead>\n<tbody><tr><td>1</td>\n<td></td></tr></tbody>\n</table>",
            (("a",), ("1", "")),
        ),
        ("<table><tr><td><b>x</b> <a href='https://example.org/p'>y</a><td>z</table>", (("x y (https://example.org/p)", "z"),)),
        ("<table><tr><td><p>one</p><ul><li>two</li></ul><pre>three</pre></td></tr></table>", (("one two three",),)),
        ("<table><caption>words above</caption><tr><td>a</td></tr></table>", (("a",),)),
        ("<table>stray<td>a</td></table>", (("a",),)),
        ("<table><tr></tr><tr><td>a<table><tr><td>b</td></tr></table></td></tr></table>", (("a",), ("b",))),
    ],
)
def test_tables(source: str, rows: tuple[tuple[str, ...], ...]) -> None:
    decoded = decode_html(f"before {source} behind", HTML)
    (found,) = [block for block in decoded.blocks if isinstance(block, CodeBlock)]
    assert found.rows[: len(rows)] == rows
    words = text_of(decoded)
    assert words.startswith("before")
    assert "behind" in words
