"""Markdown blocks of apps, as Slack shows them."""

from __future__ import annotations

import pytest

from bridge.model.rich_text import (
    CodeBlock,
    Heading,
    List,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    text_of,
)
from tests.adapters.slack.inbound.app_posts import rich_of


def test_a_markdown_block() -> None:
    source = "\n".join(
        (
            "# Release :tada:",
            "**Bold** _it_ ~~gone~~ `code` [label](https://e.example/?a=1&b=2) <https://e.example/>",
            "",
            "next <@U1> & <b>html</b>",
            "",
            "- one",
            "- two",
            "  - deeper",
            "",
            "3. three",
            "",
            "> quoted",
            "",
            "```py",
            "x = 1",
            "```",
            "",
            "| a | b |",
            "|---|---|",
            "| 1 | 2 |",
        )
    )
    text = rich_of({"type": "markdown", "text": source}, text="")
    heading, first, bullets, numbers, quote, code, table = text.blocks
    assert heading == Heading(1, (Text("Release 🎉"),))
    assert isinstance(first, Paragraph)
    assert Text("Bold", Mark.BOLD) in first.inlines
    assert Text("gone", Mark.STRIKE) in first.inlines
    assert Text("code", Mark.CODE) in first.inlines
    assert Text("label", 0, "https://e.example/?a=1&b=2") in first.inlines
    assert Mention(MentionKind.USER, "U1", "Anna") in first.inlines
    assert text_of(RichText((first,))).endswith("https://e.example/\n\nnext @Anna & <b>html</b>")
    assert isinstance(bullets, List)
    assert [(item.indent, item.inlines) for item in bullets.items] == [
        (0, (Text("one"),)),
        (0, (Text("two"),)),
        (1, (Text("deeper"),)),
    ]
    assert isinstance(numbers, List)
    assert (numbers.ordered, numbers.start) == (True, 3)
    assert quote == Quote((Paragraph((Text("quoted"),)),))
    assert code == CodeBlock("x = 1", "py")
    assert text_of(RichText((table,))) == "a | b\n--+--\n1 | 2"


@pytest.mark.parametrize("sign", ["- ", "> ", "1. ", "> - "])
@pytest.mark.parametrize("levels", [1, 9, 10, 11, 19, 20, 21, 500])
def test_nothing_is_lost_however_deep_it_lies(sign: str, levels: int) -> None:
    found = text_of(rich_of({"type": "markdown", "text": f"before\n\n{sign * levels}words of <@U1>\n\nafter"}))
    assert [word for word in ("before", "words of", "after") if word not in found] == []
    assert "<@U1>" not in found
