"""Entities of a text -> rich text: offsets, overlaps, links, and what is out of bounds."""

from __future__ import annotations

from typing import Any

import pytest
import tdjson

from adapters.telegram.inbound.decode_text import decode_text
from adapters.telegram.outbound.encode_text import encode_text
from bridge.model.rich_text import (
    CodeBlock,
    Emoji,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    plain,
    text_of,
)

tdjson.td_execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_utf16_offsets_both_ways() -> None:
    rich = RichText((Paragraph((Text("👍👍 "), Text("b👍b", Mark.BOLD), Text(" x"))),))
    encoded = encode_text(rich)
    assert encoded.entities == [{"type": "bold", "offset": 5, "length": 4}]
    assert decode_text(encoded.text, encoded.entities) == rich


def test_overlapping_entities() -> None:
    entities: Any = [{"type": "bold", "offset": 0, "length": 4}, {"type": "italic", "offset": 2, "length": 4}]
    assert decode_text("abcdef", entities) == RichText(
        (Paragraph((Text("ab", Mark.BOLD), Text("cd", Mark.BOLD | Mark.ITALIC), Text("ef", Mark.ITALIC))),)
    )


def test_entities_out_of_bounds_are_cut() -> None:
    entities: Any = [
        {"type": "bold", "offset": 2, "length": 99},
        {"type": "italic", "offset": 50, "length": 1},
        {"type": "code", "offset": -3, "length": 1},
    ]
    assert decode_text("abc", entities) == RichText((Paragraph((Text("ab"), Text("c", Mark.BOLD))),))


def test_code_in_a_quote_and_quotes_with_their_line_breaks() -> None:
    text = "before\nq1\ncode\nq2\nafter"
    entities: Any = [
        {"type": "expandable_blockquote", "offset": 7, "length": 11},
        {"type": "pre", "offset": 10, "length": 4, "language": "c"},
        {"type": "bold", "offset": 18, "length": 5},
    ]
    assert decode_text(text, entities) == RichText(
        (
            Paragraph((Text("before"),)),
            Quote((Paragraph((Text("q1"),)), CodeBlock("code", "c"), Paragraph((Text("q2"),))), is_expandable=True),
            Paragraph((Text("after", Mark.BOLD),)),
        )
    )


def test_mentions_emoji_and_moments() -> None:
    entities: Any = [
        {"type": "mention", "offset": 0, "length": 7},
        {"type": "text_mention", "offset": 8, "length": 4, "user": {"id": 42, "is_bot": False, "first_name": "Anna"}},
        {"type": "custom_emoji", "offset": 13, "length": 2, "custom_emoji_id": "77"},
        {"type": "date_time", "offset": 16, "length": 5, "unix_time": 1000},
        {"type": "hashtag", "offset": 22, "length": 2},
    ]
    rich = decode_text("@anna_p Anna 👍 18:00 #x", entities)
    assert rich == RichText(
        (
            Paragraph(
                (
                    Mention(MentionKind.USER, "anna_p", "anna_p"),
                    Text(" "),
                    Mention(MentionKind.USER, "42", "Anna"),
                    Text(" "),
                    Emoji("emoji", "77", "👍"),
                    Text(" "),
                    Timestamp(1000, "18:00"),
                    Text(" #x"),
                )
            ),
        )
    )
    encoded = encode_text(rich)
    assert encoded.text == "@anna_p @Anna 👍 18:00 #x"
    assert [entity["type"] for entity in encoded.entities] == ["text_mention", "custom_emoji", "date_time"]


ADDRESS = "https://example.com/page"


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        (f"see {ADDRESS}!", [("bold", 28, 1)]),
        (f"see {ADDRESS}more", [("italic", 28, 4)]),
        (f"👍 {ADDRESS}.", [("bold", 0, 3)]),
        (f"see {ADDRESS}", [("bold", 12, 7)]),
        (f"see {ADDRESS}", [("bold", 0, 28), ("italic", 6, 3)]),
    ],
)
def test_an_address_is_a_link_that_holds_the_address_and_no_more(text: str, marks: list[tuple[str, int, int]]) -> None:
    start = utf16(text[: text.index(ADDRESS)])
    entities = [{"type": "url", "offset": start, "length": len(ADDRESS)}]
    entities += [{"type": kind, "offset": offset, "length": length} for kind, offset, length in marks]
    back = decode_text(text, entities)
    assert text_of(back) == text
    runs = [inline for block in back.blocks if isinstance(block, Paragraph) for inline in block.inlines]
    assert [run.text for run in runs if isinstance(run, Text) and run.link] == [ADDRESS]
    assert encode_text(back).text == text, "and it is written as it was"


def test_an_address_without_a_scheme_stays_as_it_is() -> None:
    entities = [{"type": "url", "offset": 0, "length": 16}]
    assert decode_text("example.com/page and", entities) == plain("example.com/page and")
