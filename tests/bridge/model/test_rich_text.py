"""The tree's plain-text forms and its normal form."""

from __future__ import annotations

import pytest
from hypothesis import given

from bridge.model.rich_text import (
    EMPTY,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Paragraph,
    Quote,
    RichText,
    Text,
    concat,
    is_long,
    map_inlines,
    normalize,
    plain,
    stack,
    text_of,
    to_plain,
)
from tests.support.strategies import rich_texts

A, B = Paragraph((Text("a"),)), Paragraph((Text("b"),))


def test_literal_text_keeps_its_lines_and_nothing_is_markup() -> None:
    assert plain("") == EMPTY
    assert text_of(plain("*a*\n\n> b")) == "*a*\n\n> b"


def test_plain_text_shows_what_markup_meant() -> None:
    items = (ListItem((Text("one"),)), ListItem((Text("two"),)))
    rich = RichText(
        (Quote((A,)), List(items, ordered=True, start=3), Paragraph((Text("label", 0, "https://e.com/"),)), CodeBlock("x"))
    )
    assert to_plain(rich) == "> a\n3. one\n4. two\nlabel (https://e.com/)\nx"
    assert text_of(rich) == "a\none\ntwo\nlabel\nx"


def test_the_normal_form_joins_neighbours_and_drops_what_is_empty() -> None:
    rich = RichText((A, Paragraph(()), B, Quote(()), CodeBlock("")))
    assert normalize(rich).blocks == (Paragraph((Text("a\nb"),)),)


@pytest.mark.parametrize("between", [Text(""), Text("\x00"), Text("\x00", 0, "https://e.com/"), Emoji("", "", "\x01")])
def test_what_shows_nothing_does_not_keep_its_neighbours_apart(between: Inline) -> None:
    split = RichText((Paragraph((Text("a", int(Mark.BOLD)), between, Text("b", int(Mark.BOLD)))),))
    assert normalize(split).blocks == (Paragraph((Text("ab", int(Mark.BOLD)),)),)


def test_the_normal_form_has_quotes_within_quotes_side_by_side_and_headings_of_one_line() -> None:
    nested = RichText((Quote((A, Quote((B,)))), Heading(1, (Text("one\ntwo"),))))  # type: ignore[arg-type]
    made = normalize(nested)
    assert made.blocks[:2] == (Quote((A,)), Quote((B,), depth=2))
    assert all("\n" not in text_of(RichText((block,))) for block in made.blocks if isinstance(block, Heading))
    assert text_of(made) == "a\nb\none\ntwo"


@given(rich_texts)
def test_normalizing_twice_changes_nothing(rich: RichText) -> None:
    once = normalize(rich)
    assert normalize(once) == once


@given(rich_texts, rich_texts)
def test_parts_in_normal_form_are_joined_as_any_others(one: RichText, other: RichText) -> None:
    one, other = normalize(one), normalize(other)
    assert stack(one, other) == concat(one, other)


def test_each_inline_is_replaced_and_the_result_is_normal() -> None:
    def without_marks(inline: Inline) -> Inline:
        return Text(inline.text) if isinstance(inline, Text) else inline

    rich = RichText((Paragraph((Text("a", int(Mark.BOLD)), Text("b"))), List((ListItem((Text("c", int(Mark.CODE)),)),))))
    made = map_inlines(rich, without_marks)
    assert made.blocks[0] == Paragraph((Text("ab"),))
    assert text_of(made) == "ab\nc"


def test_what_a_text_costs_depends_on_its_runs() -> None:
    assert not is_long(plain("a" * 2000))
    assert is_long(RichText((Paragraph(tuple(Text("a", number % 2) for number in range(50_000))),)))
