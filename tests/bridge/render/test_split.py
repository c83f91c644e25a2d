"""Splitting: nothing lost, order kept, every part fits and is whole in itself."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model.characters import is_blank
from bridge.model.rich_text import (
    CodeBlock,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    concat,
    map_inlines,
    normalize,
    plain,
    stack,
    text_of,
    to_plain,
)
from bridge.render.slice import slice_text, tail_of
from bridge.render.split import Limit, split
from tests.support.budget import examples
from tests.support.strategies import inked, marked_characters, rich_texts

BOLD = int(Mark.BOLD)


def at_most(length: int, measure: Callable[[RichText], int] = lambda rich: len(to_plain(rich))) -> Callable[[RichText], bool]:
    return Limit(measure, length)


def markdown_length(rich: RichText) -> int:
    """A measure like a real encoder's: marks, fences, quotes and links cost, per run and per line."""
    length = len(to_plain(rich)) + 8 * sum(isinstance(block, CodeBlock) for block in rich.blocks)
    return length + sum(4 * bin(marks).count("1") for _, marks, _ in marked_characters(rich)) // 3


def texts_of(parts: list[RichText]) -> list[str]:
    return [text_of(part) for part in parts]


# -- where the cuts are -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length", "expected"),
    [
        ("paragraph\n\ntwo three", 16, ["paragraph", "two three"]),
        ("first line\nsecond\nthird", 18, ["first line\nsecond", "third"]),
        ("aaa bbb ccc", 7, ["aaa bbb", "ccc"]),
        ("aaa   bbb", 5, ["aaa", "bbb"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("a https://example.org/very/long/address", 30, ["a https://example.org/very/lon", "g/address"]),
        ("a short https://example.org", 21, ["a short", "https://example.org"]),
        ("x\n" + "\n" * 500 + "y", 50, ["x", "y"]),
        ("e\u0301" * 4, 5, ["e\u0301e\u0301", "e\u0301e\u0301"]),
        ("👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 12, ["👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"]),
    ],
)
def test_best_bound(text: str, length: int, expected: list[str]) -> None:
    assert texts_of(split(plain(text), at_most(length))) == expected


def test_what_fits_is_left_alone() -> None:
    rich = plain("  as it is \n\n")
    assert split(rich, at_most(100)) == [rich]
    assert split(RichText(), at_most(100)) == []


def test_a_grapheme_longer_than_the_limit_is_cut_into_full_parts() -> None:
    text = "a" + "\u0301" * 99
    parts = texts_of(split(plain(text), at_most(20)))
    assert "".join(parts) == text
    assert len(parts) == 5


def test_no_limit_is_that_small() -> None:
    with pytest.raises(ValueError, match="single character"):
        split(plain("ab"), lambda rich: False)


def test_the_first_part_may_have_its_own_limit() -> None:
    parts = texts_of(split(plain("aaaa bbbb cccc dddd"), at_most(9), first=at_most(4)))
    assert parts == ["aaaa", "bbbb cccc", "dddd"]
    assert texts_of(split(plain("aaaa bbbb"), at_most(4), first=at_most(9))) == ["aaaa bbbb"]


# -- every part is whole ----------------------------------------------------------------------------------------------------


def test_fences_are_closed_and_reopened_and_indentation_stays() -> None:
    lines = [f"{'    ' * (number % 3)}line {number}" for number in range(40)]
    parts = split(RichText((CodeBlock("\n".join(lines), "python"),)), at_most(100))
    assert len(parts) > 3
    assert all(isinstance(part.blocks[0], CodeBlock) and part.blocks[0].language == "python" for part in parts)
    assert "\n".join(texts_of(parts)).split("\n") == lines


def test_a_code_line_is_not_cut_inside_its_indentation() -> None:
    text = "x" * 30 + "\n" + " " * 80 + "y" * 10
    parts = texts_of(split(RichText((CodeBlock(text),)), at_most(95)))
    assert parts == ["x" * 30, " " * 80 + "y" * 10]


def test_quotes_lists_and_marks_go_on() -> None:
    rich = RichText(
        (
            Quote((Paragraph((Text("quoted " * 10, BOLD, "https://e.org"),)),)),
            List(tuple(ListItem((Text(f"item {number}"),), number % 2) for number in range(10))),
        )
    )
    parts = split(rich, at_most(60))
    assert {type(block) for part in parts for block in part.blocks} == {Quote, List}
    assert marked_characters(concat(*parts)) == marked_characters(rich)


def test_a_mention_is_never_cut() -> None:
    mention = Mention(MentionKind.USER, "U1", "a name of some length")
    rich = RichText((Paragraph((Text("x" * 10), mention, Text("y" * 10))),))
    parts = split(rich, at_most(25))
    assert texts_of(parts) == ["x" * 10, "@a name of some length" + "yyy", "y" * 7]


def test_an_empty_item_at_the_end_does_not_break_the_limit() -> None:
    rich = RichText((Paragraph((Text("x" * 16),)), List((ListItem(()),))))
    assert all(at_most(17)(part) for part in split(rich, at_most(17)))


# -- what can never fit -----------------------------------------------------------------------------------------------------


def test_a_link_longer_than_the_limit_is_shown_as_text_in_full_parts() -> None:
    url = "https://example.org/?" + "q" * 3000
    rich = RichText((Paragraph((Text("see "), Text("the report", BOLD, url), Text(" today"))),))
    parts = split(rich, at_most(2000, measure_with_links))
    assert "".join(texts_of(parts)).replace(" ", "") == f"seethereport({url})today"
    assert len(parts) <= 3


def measure_with_links(rich: RichText) -> int:
    """Each run costs its text and its whole address."""
    return len(text_of(rich)) + sum(
        len(inline.link) + 4
        for block in rich.blocks
        if isinstance(block, Paragraph)
        for inline in block.inlines
        if isinstance(inline, Text) and inline.link
    )


def test_a_link_near_the_limit_is_not_repeated_for_pieces_of_its_label() -> None:
    url = "https://example.org/?" + "q" * 1900
    rich = RichText((Paragraph((Text("word " * 100), Text("a label of several words", 0, url), Text(" end"))),))
    parts = split(rich, at_most(2000, measure_with_links))
    with_link = [part for part in parts if url in to_plain(part)]
    assert len(with_link) == 1
    assert "a label of several words" in text_of(with_link[0])


def test_a_long_label_with_a_long_link_does_not_end_in_crumbs() -> None:
    rich = RichText((Paragraph((Text("label " * 100, 0, "https://e.org/" + "q" * 1980),)),))
    parts = split(rich, at_most(2000, measure_with_links))
    assert len(parts) <= 3
    assert all(measure_with_links(part) <= 2000 for part in parts)


def test_giant_names_and_languages_become_text() -> None:
    rich = RichText(
        (
            Paragraph((Mention(MentionKind.USER, "U1", "n" * 500),)),
            CodeBlock("code", "l" * 500),
            Quote((CodeBlock("quoted code", "l" * 500),)),
        )
    )
    parts = split(rich, at_most(100, lambda text: len(to_plain(text)) + 10 * sum(len(b.language) for b in fences(text))))
    assert inked("".join(texts_of(parts))) == "@" + "n" * 500 + "codequotedcode"


def fences(rich: RichText) -> list[CodeBlock]:
    inner = [b for block in rich.blocks for b in (block.blocks if isinstance(block, Quote) else (block,))]
    return [block for block in inner if isinstance(block, CodeBlock)]


# -- for all texts ----------------------------------------------------------------------------------------------------------


@given(rich_texts, st.integers(20, 80))
@settings(max_examples=examples(200), deadline=None)
def test_nothing_is_lost_and_every_part_fits(rich: RichText, length: int) -> None:
    rich = map_inlines(rich, lambda inline: Text(inline.text, inline.marks) if isinstance(inline, Text) else inline)
    fits = at_most(length, markdown_length)
    parts = split(rich, fits)
    assert all(fits(part) for part in parts)
    assert inked("".join(texts_of(parts))) == inked(text_of(rich)) or is_blank_somewhere(rich)
    if len(parts) > 1:
        assert not any(is_blank(text_of(part)) for part in parts)


def is_blank_somewhere(rich: RichText) -> bool:
    """Inkless characters that are not white space may be left out as well."""
    return any(is_blank(character) and not character.isspace() for character in text_of(rich))


@given(rich_texts, st.integers(30, 80))
@settings(max_examples=examples(100), deadline=None)
def test_every_part_with_links_fits_and_carries_the_text_in_order(rich: RichText, length: int) -> None:
    fits = at_most(length, markdown_length)
    parts = split(rich, fits)
    assert all(fits(part) for part in parts)
    carried = iter("".join(texts_of(parts)))
    assert all(character in carried for character in inked(text_of(rich)) if not is_blank(character))


@given(rich_texts, st.integers(24, 80))  # no moment is longer, which would be cut as text
@settings(max_examples=examples(100), deadline=None)
def test_marks_and_links_stay_with_their_characters(rich: RichText, length: int) -> None:
    parts = split(normalize(rich), at_most(length, lambda text: len(text_of(text))))
    if not is_blank_somewhere(rich):
        assert [c for part in parts for c in marked_characters(part)] == marked_characters(normalize(rich))


@given(
    st.lists(st.sampled_from(["👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", "a", "ß", "한", "\u0915\u094d\u0937"]), min_size=1), st.integers(12, 40)
)
def test_graphemes_stay_whole(graphemes: list[str], length: int) -> None:
    parts = texts_of(split(plain("".join(graphemes)), at_most(length)))
    whole = regex.findall(r"\X", "".join(graphemes))
    assert [grapheme for part in parts for grapheme in regex.findall(r"\X", part)] == whole


@pytest.mark.parametrize(
    "rich",
    [
        plain("a sentence of words. " * 2000),
        plain("x" * 40_000),
        RichText((Paragraph(tuple(Text("word ", number % 64) for number in range(8000))),)),
        RichText((CodeBlock("    some code\n" * 2800, "python"),)),
        RichText((Paragraph(tuple(Text("link ", 0, f"https://example.org/{'p' * 60}{number}") for number in range(500))),)),
        RichText((Quote((Paragraph((Text("quoted\n" * 5700),)),)),)),
    ],
    ids=["words", "one word", "runs", "code", "links", "quote"],
)
def test_long_texts_cost_few_measurements(rich: RichText) -> None:
    measured = 0

    def fits(part: RichText) -> bool:
        nonlocal measured
        measured += len(text_of(part))
        return markdown_length(part) <= 2000

    began = time.process_time()
    parts = split(rich, fits)
    assert all(markdown_length(part) <= 2000 for part in parts)
    assert measured < 50 * len(text_of(rich)) + 100_000
    assert time.process_time() - began < 5


# -- what it costs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [200, 2000])
@pytest.mark.parametrize("pieces", [2000, 20_000])
def test_a_part_costs_the_same_however_much_follows(limit: int, pieces: int) -> None:
    """Measured is a few times what is there, whatever its length: by the characters that the measure is given, not by time."""
    runs = tuple(Text("a" if number % 2 else " ", Mark.BOLD if number % 2 else 0) for number in range(pieces))
    rich = RichText((Paragraph(runs),))
    measured: list[int] = []

    def fits(part: RichText) -> bool:
        length = len(text_of(part)) * 5
        measured.append(length // 5)
        return length <= limit

    parts = split(rich, fits)
    assert sum(len(text_of(part).replace(" ", "")) for part in parts) == pieces // 2
    assert sum(measured) < pieces + 5 * pieces + 3 * 2048
    assert len(measured) < 5 * len(parts) + 40
    assert max(measured[1:]) < 8 * 2048, "no measuring of all that follows, but for the first look"


@given(rich_texts, st.integers(0, 60))
def test_a_tail_is_a_slice_to_the_end(rich: RichText, start: int) -> None:
    text = text_of(rich)
    assert text_of(tail_of(rich, start)) == text_of(slice_text(rich, start, len(text) + 1))


@given(rich_texts, st.integers(20, 80))
def test_parts_of_normal_text_are_normal(rich: RichText, most: int) -> None:
    for part in split(normalize(rich), Limit(lambda text: len(text_of(text)), most)):
        assert normalize(part) == part


@given(st.lists(rich_texts.map(normalize), max_size=4))
def test_normal_texts_are_stacked_as_they_would_be_joined(parts: list[RichText]) -> None:
    assert stack(*parts) == concat(*parts)
