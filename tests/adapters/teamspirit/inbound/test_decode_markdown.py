"""Markdown of messages: its blocks and runs; what is no markup is text."""

from __future__ import annotations

import pytest

from adapters.teamspirit.dialect.model import TextDialect
from adapters.teamspirit.inbound.decode_markdown import decode_markdown
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
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

MARKDOWN = TextDialect(flavour="markdown")


@pytest.mark.parametrize(
    ("source", "blocks"),
    [
        (
            "a *b* **c** ~~d~~ `e`",
            [("a ", 0), ("b", Mark.ITALIC), (" ", 0), ("c", Mark.BOLD), (" ", 0), ("d", Mark.STRIKE), (" ", 0), ("e", Mark.CODE)],
        ),
        ("2 * 3 * 4", [("2 * 3 * 4", 0)]),
        ("\\*a\\*", [("*a*", 0)]),
        ("a\n\n\nb", [("a\n\n\nb", 0)]),
    ],
)
def test_runs(source: str, blocks: list[tuple[str, int]]) -> None:
    assert decode_markdown(source, MARKDOWN).blocks == (Paragraph(tuple(Text(text, int(marks)) for text, marks in blocks)),)


@pytest.mark.parametrize(
    ("source", "blocks"),
    [
        ("# a\nb", [Heading(1, (Text("a"),)), Paragraph((Text("b"),))]),
        ("```py\nx = 1\n```", [CodeBlock("x = 1", "py")]),
        ("> a\n> > b", [Quote((Paragraph((Text("a"),)),)), Quote((Paragraph((Text("b"),)),), depth=2)]),
    ],
)
def test_blocks(source: str, blocks: list[Block]) -> None:
    assert list(decode_markdown(source, MARKDOWN).blocks) == blocks


@pytest.mark.parametrize("source", ["- a\n- b", "3. a\n4. b"])
def test_lists_are_shown_as_they_were_written(source: str) -> None:
    assert to_plain(decode_markdown(source, MARKDOWN)) == source.replace("- ", "• ")


def test_links_lead_where_they_may() -> None:
    assert decode_markdown("[x](https://e.com/)", MARKDOWN).blocks == (Paragraph((Text("x", 0, "https://e.com/"),)),)
    assert decode_markdown("[x](/a/b)", MARKDOWN, server="https://im.example.com").blocks == (
        Paragraph((Text("x", 0, "https://im.example.com/a/b"),)),
    )
    unsafe = decode_markdown("[x](javascript:alert(1))", MARKDOWN)
    assert all(
        not isinstance(run, Text) or run.link is None
        for block in unsafe.blocks
        if isinstance(block, Paragraph)
        for run in block.inlines
    )


def test_mentions_and_emoji_are_the_dialects() -> None:
    (block,) = decode_markdown("@anna @here", MARKDOWN).blocks
    assert isinstance(block, Paragraph)
    assert block.inlines == (Mention(MentionKind.USER, "anna", "anna"), Text(" "), Mention(MentionKind.EVERYONE, "here", "here"))
    assert text_of(decode_markdown(":tada:", MARKDOWN)) == ":tada:"
    (named,) = decode_markdown(":tada:", TextDialect(flavour="markdown", emoji_names=True)).blocks
    assert isinstance(named, Paragraph)
    assert isinstance(named.inlines[0], Emoji | Text)
    assert text_of(decode_markdown(":tada:", TextDialect(flavour="markdown", emoji_names=True))) != ":tada:"


@pytest.mark.parametrize("sign", ["- ", "> ", "1. ", "> - "])
@pytest.mark.parametrize("levels", [1, 9, 10, 11, 19, 20, 21, 500])
def test_nothing_is_lost_however_deep_it_lies(sign: str, levels: int) -> None:
    found = to_plain(decode_markdown(f"before\n\n{sign * levels}words\n\nafter", MARKDOWN))
    assert [word for word in ("before", "words", "after") if word not in found] == []
