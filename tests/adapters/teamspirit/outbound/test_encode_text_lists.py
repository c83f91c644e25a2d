"""Lists of mixed kinds: each depth keeps its own bullets or numbers, both ways, in both flavours."""

from __future__ import annotations

import pytest
from hypothesis import given

from adapters.teamspirit.dialect.model import TextDialect
from adapters.teamspirit.emulator.render import render
from adapters.teamspirit.inbound.decode_text import decode_text
from adapters.teamspirit.outbound.encode_text import encode_text
from bridge.model.rich_text import List, ListItem, RichText, Text, to_plain
from tests.support.lists import labels, mixed_lists

MARKDOWN, HTML = TextDialect(flavour="markdown"), TextDialect(flavour="html")


@given(mixed_lists)
@pytest.mark.parametrize("dialect", [MARKDOWN, HTML], ids=lambda one: one.flavour)
def test_a_list_comes_back_as_it_was(dialect: TextDialect, made: List) -> None:
    meant = labels(RichText((made,)))
    encoded = encode_text(RichText((made,)), dialect)
    assert labels(decode_text(encoded, dialect)) == meant, encoded


@given(mixed_lists)
def test_another_reader_sees_the_same_bullets_and_numbers(made: List) -> None:
    shown = render(encode_text(RichText((made,)), MARKDOWN), lambda _: False)[1]
    assert [line.strip() for line in shown.split("\n")] == [label.strip() for label in labels(RichText((made,)))]


@pytest.mark.parametrize(
    ("markdown", "plainly"),
    [
        ("1. - inner", "1. • inner"),
        ("- 1. inner\n  2. more", "• 1. inner\n    2. more"),
        ("1. one\n   - two\n     1. three\n   - four\n2. five", "1. one\n    • two\n        1. three\n    • four\n2. five"),
        ("- a\n  1. b\n  2. c\n- d", "• a\n    1. b\n    2. c\n• d"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("- a\n\n  4. b\n  5. c", "• a\n    4. b\n    5. c"),
    ],
)
def test_what_is_written_in_markdown(markdown: str, plainly: str) -> None:
    read = decode_text(markdown, MARKDOWN)
    assert to_plain(read) == plainly
    assert encode_text(read, MARKDOWN) == markdown


def test_an_item_without_words_shares_its_line() -> None:
    block = List((ListItem(()), ListItem((Text("inner"),), 1, False)), ordered=True)
    assert encode_text(RichText((block,)), MARKDOWN) == "1. - inner"
