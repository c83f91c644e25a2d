"""The tree's plain forms and normal form, slicing, and what characters may be in it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.characters import clean, is_blank
from bridge.model.rich_text import (
    EMPTY,
    CodeBlock,
    Emoji,
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
    Timestamp,
    concat,
    format_moment,
    inline_text,
    list_labels,
    map_inlines,
    merge_inlines,
    normalize,
    numbered,
    plain,
    text_of,
    to_plain,
)
from bridge.render.slice import atoms, block_starts, runs, slice_text, tail_of
from tests.support.strategies import marked_characters, rich_texts, texts


def paragraph(*inlines: Text | Mention) -> RichText:
    return RichText((Paragraph(inlines),))


# -- characters -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\r\nb\rc\u2028d\x0be", "a\nb\nc\nd\ne"),
        ("a\x00b\x1bc\x7fd\x9be", "abcde"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\ud83d\ude42", "🙂"),
        ("lone \ud83d half", "lone \ufffd half"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected


@given(st.text(st.characters(codec=None)))
def test_cleaned_text_can_be_stored_anywhere_and_is_stable(raw: str) -> None:
    cleaned = clean(raw)
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned
    assert "\r" not in cleaned
    assert "\x00" not in cleaned


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\u2800", "\u3164\u00a0", "\ufe0f", "\u202e"])
def test_text_without_ink_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " . ", "🙂", "\u0301", "0"])
def test_text_with_ink_is_not_blank(text: str) -> None:
    assert not is_blank(text)


# -- plain forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inline", "shown"),
    [
        (Mention(MentionKind.USER, "1", "anna"), "@anna"),
        (Mention(MentionKind.CHAT, "1", "general"), "#general"),
        (Mention(MentionKind.EVERYONE, "", "here"), "@here"),
        (Mention(MentionKind.USER, "U9", ""), "@U9"),
        (Emoji("party", "7"), ":party:"),
        (Emoji("smile", "7", "🙂"), "🙂"),
        (Timestamp(0, "noon"), "noon"),
        (Timestamp(0), "1970-01-01 00:00 UTC"),
    ],
)
def test_what_is_displayed_of_a_run(inline: Mention | Emoji | Timestamp, shown: str) -> None:
    assert inline_text(inline) == shown


@pytest.mark.parametrize("number", [10**18, -(10**18), 2**63])
def test_a_moment_outside_the_calendar_is_shown_as_its_number(number: int) -> None:
    assert format_moment(number) == str(number)


def test_readable_form_of_every_block() -> None:
    rich = RichText(
        (
            Heading(1, (Text("Title"),)),
            Paragraph(
                (Text("see "), Text("this", link="https://example.org"), Text(" and "), Text("https://x.org", link="https://x.org"))
            ),
            List((ListItem((Text("one"),)), ListItem((Text("two"),), 1), ListItem((Text("three"),))), ordered=True, start=4),
            Quote((Paragraph((Text("a\nb"),)), CodeBlock("c"))),
            CodeBlock("x = 1\n    y", "python"),
        )
    )
    assert to_plain(rich) == (
        "Title\nsee this (https://example.org) and https://x.org\n4. one\n    1. two\n5. three\n> a\n> b\n> c\nx = 1\n    y"
    )


def test_numbers_of_nested_lists_run_per_level_and_start_anew() -> None:
    levels = [0, 1, 1, 0, 1, 2, 0]
    block = List(tuple(ListItem((), level) for level in levels), ordered=True)
    assert [label.strip() for label, _ in list_labels(block, bullet="-")] == ["1.", "1.", "2.", "2.", "1.", "1.", "3."]
    bullets = List(block.items)
    assert [label for label, _ in list_labels(bullets, bullet="-", indent="  ")][1] == "  - "


# -- normal form ------------------------------------------------------------------------------------------------------------


def test_neighbours_are_merged_and_empty_things_dropped() -> None:
    bold = int(Mark.BOLD)
    rich = RichText(
        (
            Paragraph((Text("a"), Text(""), Text("b"), Text("c", bold), Text("d", bold, "https://x.org"))),
            Paragraph(()),
            Paragraph((Text("e"),)),
            CodeBlock(""),
            List(()),
            Quote((Paragraph((Text(""),)),)),
        )
    )
    assert normalize(rich).blocks == (Paragraph((Text("ab"), Text("c", bold), Text("d", bold, "https://x.org"), Text("\ne"))),)


def test_parts_of_a_quote_within_a_quote_are_as_deep() -> None:
    deep = RichText((Quote((Paragraph((Text("one"),)),)), Quote((Paragraph((Text("two"),)),), depth=2)))
    assert slice_text(deep, 1, 5).blocks == (Quote((Paragraph((Text("ne"),)),)), Quote((Paragraph((Text("t"),)),), depth=2))
    assert tail_of(deep, 5).blocks == (Quote((Paragraph((Text("wo"),)),), depth=2),)


def test_a_heading_is_one_line() -> None:
    rich = RichText((Heading(9, (Text("one\ntwo", 1), Mention(MentionKind.USER, "1", "anna"))),))
    assert normalize(rich).blocks == (
        Heading(6, (Text("one", 1),)),
        Heading(6, (Text("two", 1), Mention(MentionKind.USER, "1", "anna"))),
    )


def test_indentation_is_bounded() -> None:
    rich = RichText((List((ListItem((Text("a"),), 10**6), ListItem((Text("b"),), -3))),))
    (block,) = normalize(rich).blocks
    assert isinstance(block, List)
    assert [item.indent for item in block.items] == [9, 0]


def test_merged_text_is_cleaned_across_runs() -> None:
    assert merge_inlines([Text("a\ud83d"), Text("\ude42\r"), Text("\nb")]) == (Text("a🙂\nb"),)
    assert plain("\x00") == EMPTY


def test_names_in_the_text_are_cleaned_too() -> None:
    atoms: list[Inline] = [
        Mention(MentionKind.USER, "1", "An\ufdd0na\ud83d"),
        Emoji("sm\x00ile", "1", "\ud83d\ude42"),
        Timestamp(0, "no\x7fon"),
    ]
    assert merge_inlines(atoms) == (Mention(MentionKind.USER, "1", "Anna\ufffd"), Emoji("smile", "1", "🙂"), Timestamp(0, "noon"))
    assert merge_inlines([Timestamp(0, "\x00")]) == merge_inlines([Timestamp(0)])


def test_merging_many_runs_takes_linear_time() -> None:
    (paragraph,) = normalize(RichText((Paragraph(tuple(Text("x") for _ in range(200_000))),))).blocks
    assert isinstance(paragraph, Paragraph)
    assert len(paragraph.inlines) == 1


@given(rich_texts)
def test_normal_form_is_stable_and_keeps_every_visible_character(rich: RichText) -> None:
    normal = normalize(rich)
    assert normalize(normal) == normal
    assert [entry for entry in marked_characters(rich) if clean(entry[0])] == marked_characters(normal)


@given(rich_texts)
def test_the_journal_can_keep_every_normal_text(rich: RichText) -> None:
    normal = normalize(rich)
    assert msgspec.json.decode(msgspec.json.encode(normal), type=RichText) == normal


@given(rich_texts)
def test_changing_nothing_is_normalizing(rich: RichText) -> None:
    assert map_inlines(rich, lambda inline: inline) == normalize(rich)


@given(rich_texts, rich_texts)
def test_one_below_the_other(one: RichText, other: RichText) -> None:
    one, other = normalize(one), normalize(other)
    expected = [text_of(part) for part in (one, other) if part]
    assert text_of(concat(one, other)) == "\n".join(expected)


@given(texts)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert text_of(plain(text)) == to_plain(plain(text)) == clean(text)


# -- slicing ----------------------------------------------------------------------------------------------------------------


@given(rich_texts)
def test_positions_of_runs_agree_with_the_text(rich: RichText) -> None:
    assert "".join("\n" if inline is None else inline_text(inline) for inline in runs(rich)) == text_of(rich)


@given(rich_texts, st.data())
def test_a_slice_is_the_slice_of_the_text(rich: RichText, data: st.DataObject) -> None:
    rich = normalize(rich)
    text, spans = text_of(rich), list(atoms(rich))
    bounds = [at for at in range(len(text) + 1) if not any(start < at < end for start, end in spans)]
    start = data.draw(st.sampled_from(bounds))
    end = data.draw(st.sampled_from([at for at in bounds if at >= start]))
    taken = text_of(slice_text(rich, start, end))
    assert taken.strip("\n") == text[start:end].strip("\n")


@given(rich_texts)
def test_the_whole_slice_keeps_marks_and_links(rich: RichText) -> None:
    rich = normalize(rich)
    assert marked_characters(slice_text(rich, 0, len(text_of(rich)))) == marked_characters(rich)


@given(rich_texts)
def test_blocks_start_behind_line_breaks(rich: RichText) -> None:
    rich = normalize(rich)
    text = text_of(rich)
    assert all(text[start - 1] == "\n" for start in block_starts(rich))


def test_a_slice_of_an_ordered_list_goes_on_counting() -> None:
    rich = RichText((List(tuple(ListItem((Text(word),)) for word in ("one", "two", "three")), ordered=True),))
    assert to_plain(slice_text(rich, 4, 13)) == "2. two\n3. three"
    assert to_plain(slice_text(rich, 5, 13)) == "2. wo\n3. three"


def test_an_atom_is_taken_whole() -> None:
    rich = paragraph(Text("hi "), Mention(MentionKind.USER, "1", "anna"), Text(" there"))
    assert to_plain(slice_text(rich, 0, 5)) == "hi @anna"
    assert list(atoms(rich)) == [(3, 8)]


def test_each_depth_of_a_list_has_its_own_kind_and_numbers() -> None:
    items = [(0, None, None), (1, True, 4), (1, True, None), (1, False, None), (1, True, None), (0, None, None), (1, True, None)]
    block = List(tuple(ListItem((Text("x"),), *item) for item in items))
    assert [label.strip() for label, _ in list_labels(block, bullet="•")] == ["•", "4.", "5.", "•", "1.", "•", "1."]
    (kept,) = normalize(RichText((block,))).blocks
    assert isinstance(kept, List)
    assert list(numbered(kept)) == [(number, item) for (number, _), item in zip(numbered(block), kept.items, strict=True)]


def test_an_empty_item_shares_the_line_of_the_deeper_one() -> None:
    block = List((ListItem(()), ListItem((), 1), ListItem((Text("a"),), 2, True), ListItem((Text("b"),), 1)))
    assert to_plain(RichText((block,))) == "• • 1. a\n    • b"


def test_lists_of_older_journals_are_read() -> None:
    stored = b'[[{"t":"l","items":[[[{"t":"x","text":"a"}]],[[{"t":"x","text":"b"}],1]],"ordered":true,"start":3}]]'
    block = List((ListItem((Text("a"),)), ListItem((Text("b"),), 1)), True, 3)
    assert msgspec.json.decode(stored, type=RichText) == RichText((block,))


def test_thousands_of_lines_are_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[int] = []

    def counted(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
        runs = tuple(inlines)
        handed.append(len(runs))
        return merge_inlines(runs)

    monkeypatch.setattr("bridge.model.rich_text.merge_inlines", counted)
    count = 2000
    whole = concat(*(RichText((Paragraph((Text("line"),)),)) for _ in range(count)))
    assert text_of(whole) == "\n".join(["line"] * count)
    assert sum(handed) < 4 * count
