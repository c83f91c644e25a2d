"""Rich text as markdown: the signs that are written. What readers make of them is in `test_encode_text`."""

from __future__ import annotations

import pytest

from adapters.teamspirit.dialect.model import TextDialect
from adapters.teamspirit.outbound.encode_markdown import encode_markdown
from bridge.model.rich_text import (
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
)

MARKDOWN = TextDialect(flavour="markdown")


def written(*inlines: Inline, mass_mentions: bool = False) -> str:
    return encode_markdown(RichText((Paragraph(inlines),)), MARKDOWN, mass_mentions=mass_mentions)


@pytest.mark.parametrize(
    ("run", "markdown"),
    [
        (Text("b", int(Mark.BOLD)), "**b**"),
        (Text("i", int(Mark.ITALIC)), "*i*"),
        (Text("s", int(Mark.STRIKE)), "~~s~~"),
        (Text("a`b", int(Mark.CODE)), "``a`b``"),
        (Text("label", 0, "https://e.com/"), "[label](<https://e.com/>)"),
        (Text("https://e.com/", 0, "https://e.com/"), "<https://e.com/>"),
        (Text("2 * 3"), "2 \\* 3"),
        (Text("a < b & c"), "a &lt; b &amp; c"),
        (Text("label", 0, "javascript:alert(1)"), "label (javascript:alert(1))"),
    ],
)
def test_runs(run: Text, markdown: str) -> None:
    assert written(run) == markdown


@pytest.mark.parametrize("line", ["# no heading", "- no item", "1. no number", "> no quote"])
def test_no_line_becomes_a_block_of_another_kind(line: str) -> None:
    assert not written(Text(line)).startswith(line)


def test_blocks() -> None:
    rich = RichText(
        (
            Heading(2, (Text("head"),)),
            Quote((Paragraph((Text("a\nb"),)),)),
            Paragraph((Text("c"),)),
            CodeBlock("x = 1", "py"),
            List((ListItem((Text("one"),)), ListItem((Text("two"),), 1)), ordered=False),
        )
    )
    lines = encode_markdown(rich, MARKDOWN).split("\n")
    assert lines[0] == "## head"
    assert "> a" in lines
    assert "> b" in lines
    assert lines[lines.index("```py") : lines.index("```py") + 3] == ["```py", "x = 1", "```"]
    assert any(line.startswith(("- one", "* one")) for line in lines)


def test_everybody_is_mentioned_only_where_a_route_allows_it() -> None:
    everyone = Mention(MentionKind.EVERYONE, "all", "all")
    assert written(everyone, mass_mentions=True) == "@all"
    assert "@all" not in written(everyone)
    assert "@all" not in written(Text("@all"))
