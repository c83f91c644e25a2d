"""`markdown` says what the rich text says, to an independent reader of CommonMark (markdown-it-py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.webhook.capabilities import capabilities
from adapters.webhook.outbound.encode_markdown import encode_markdown
from bridge.model.rich_text import CodeBlock, List, ListItem, Mark, Paragraph, Quote, RichText, Text, normalize, plain
from bridge.render.degrade import degrade
from bridge.render.slice import runs
from tests.support.strategies import marked_characters, rich_texts

BOLD, ITALIC, STRIKE, CODE = (int(mark) for mark in (Mark.BOLD, Mark.ITALIC, Mark.STRIKE, Mark.CODE))
OPENS = {"strong": BOLD, "em": ITALIC, "s": STRIKE}

Seen = tuple[str, int, str | None]


class Reader(MarkdownIt):
    """Leaves addresses as they are written."""

    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link

    def validateLink(self, url: str) -> bool:
        return True


READER = Reader("commonmark").enable("strikethrough")


def characters(text: str) -> list[Seen]:
    """Each visible character with its marks and link, as a reader shows it."""
    return [one for token in READER.parse(text) for one in of_block(token)]


def of_block(token: Token) -> Iterator[Seen]:
    assert token.type not in ("html_block", "code_block"), token.content
    if token.type == "fence":
        yield from ((character, 0, None) for character in token.content if not character.isspace())
    marks, link = 0, None
    for child in token.children or ():
        name = child.type.removesuffix("_open").removesuffix("_close")
        assert child.type not in ("html_inline", "image"), child.content
        if name == "link":
            is_alone = child.markup == "autolink"  # what shows an address, and leads there, says no more than the address
            link = str(child.attrGet("href")) if child.nesting == 1 and not is_alone else None
        marks = marks | OPENS[name] if child.nesting == 1 and name in OPENS else marks & ~OPENS.get(name, 0)
        shown = marks | CODE if child.type == "code_inline" else marks
        yield from ((character, shown, link) for character in child.content if not character.isspace())


def said(rich: RichText) -> list[Seen]:
    """The same of rich text."""
    return [
        (character, marks, link)
        for run in runs(rich)
        if isinstance(run, Text)
        for character, marks, link in marked_characters(RichText((Paragraph((alone(run),)),)))
        if not character.isspace()
    ]


def alone(run: Text) -> Text:
    """An address that shows itself needs no link."""
    return Text(run.text, run.marks) if run.link and run.text == run.link.removeprefix("mailto:") else run


def native(rich: RichText) -> RichText:
    return degrade(normalize(rich), capabilities(None), {})


@given(rich_texts)
def test_a_reader_sees_every_character_with_its_marks(rich: RichText) -> None:
    rich = native(rich)
    assert characters(encode_markdown(rich)) == said(rich)


@pytest.mark.parametrize(
    "text",
    [
        "*not* _marked_ **at** ~~all~~ `here` [a](http://b) ![c](d) <b>e</b> &copy; \\f a|b",
        "# no heading\n1. no list\n2) nor here\n- nor\n+ nor\n* nor\n> no quote\n===\n---\n| a |\n|---|\n    no code\n\ttab",
        "[a]: http://b\n\n[a]",
        "line\nnext\n\n\nparagraph",
        "1.",
        "-",
        "a\\",
        "snake_case_name and 2*3*4",
    ],
)
def test_literal_text_means_nothing(text: str) -> None:
    rich = native(plain(text))
    assert characters(encode_markdown(rich)) == [(character, 0, None) for character in text if not character.isspace()]


def test_single_line_breaks_stay() -> None:
    page = READER.render(encode_markdown(plain("one\ntwo\n\nthree")))
    assert page == "<p>one<br />\ntwo</p>\n<p>three</p>\n"


def test_what_people_write_looks_as_it_should() -> None:
    rich = RichText(
        (
            Paragraph((Text("Hello "), Text("big", BOLD), Text(" "), Text("world", BOLD | ITALIC), Text("!"))),
            List((ListItem((Text("one"),)), ListItem((Text("deeper"),), 1), ListItem((Text("two"),))), ordered=True),
            Quote((Paragraph((Text("said\nso"),)),)),
            CodeBlock("x = `1`", "python"),
            Paragraph(
                (Text("see "), Text("the log", 0, "https://example.com/a_(b)?c=d&copy;=e"), Text(" or https://example.com/a_b_c"))
            ),
        )
    )
    assert encode_markdown(rich) == (
        "Hello **big** **_world_**!\n\n"
        "1. one\n   1. deeper\n2. two\n\n"
        "> said  \n> so\n\n"
        "```python\nx = `1`\n```\n\n"
        "see [the log](<https://example.com/a_(b)?c=d\\&copy;=e>) or <https://example.com/a_b_c>"
    )


@pytest.mark.parametrize(
    ("runs", "page"),
    [
        ([("un", 0), ("believ", BOLD), ("able", 0)], "un<strong>believ</strong>able"),
        ([("a", BOLD), (".", BOLD | ITALIC), ("b", 0)], "<strong>a<em>.</em></strong>b"),
        ([("a", ITALIC), ("b", BOLD), ("c", STRIKE)], "<em>a</em><strong>b</strong><s>c</s>"),
        ([("«да»", BOLD), ("нет", ITALIC)], "<strong>«да»</strong><em>нет</em>"),
        ([("x", 0), ("👍", BOLD), ("y", 0)], "x<strong>👍</strong>y"),
        ([("`", CODE), ("a", CODE | BOLD)], "<code>`</code><strong><code>a</code></strong>"),
    ],
)
def test_marks_hold_inside_words_and_beside_punctuation(runs: list[tuple[str, int]], page: str) -> None:
    rich = RichText((Paragraph(tuple(Text(text, marks) for text, marks in runs)),))
    assert READER.render(encode_markdown(rich)) == f"<p>{page}</p>\n"


def test_a_list_has_its_levels() -> None:
    items: list[Any] = [("a", 0, True, 99), ("b", 1, False, None), ("c", 2, True, None), ("d\nmore", 0, True, None)]
    rich = RichText((List(tuple(ListItem((Text(t),), i, o, n) for t, i, o, n in items), ordered=True, start=99),))
    page = READER.render(encode_markdown(rich))
    assert page.count("<ol") == 2
    assert page.count("<ul") == 1
    assert '<ol start="99">' in page
    assert "d<br />\nmore" in page
