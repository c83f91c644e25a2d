"""Rich messages: every block shows its words, an unknown one too, and nothing that is odd raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telegram.inbound.decode_rich import decode_rich
from bridge.model.rich_text import (
    CodeBlock,
    Heading,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    Text,
    Timestamp,
    text_of,
    to_plain,
)


def blocks(*given_blocks: dict[str, Any]) -> Any:
    return decode_rich({"blocks": list(given_blocks)})[0].blocks


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        ({"type": "paragraph", "text": "a"}, "a"),
        ({"type": "mathematical_expression", "expression": "x^2"}, "x^2"),
        ({"type": "divider"}, "\N{EM DASH}" * 3),
        ({"type": "map", "location": {"latitude": 1.5, "longitude": 2}}, "Map: 1.5, 2"),
        ({"type": "map"}, "Map"),
        ({"type": "details", "summary": "more", "blocks": [{"type": "paragraph", "text": "inside"}]}, "more\ninside"),
        ({"type": "table", "cells": [[{"text": "a"}, {"text": "bb"}], [{"text": "ccc"}]]}, "a   | bb\n----+---\nccc"),
        ({"type": "of tomorrow", "text": "words"}, "words"),
        ({"type": "of tomorrow"}, "(something Telegram calls of tomorrow)"),
        ({"type": "anchor", "name": "x"}, ""),
        ({"type": "photo", "caption": {"text": "seen", "credit": "Anna"}}, "seen\nAnna"),
    ],
)
def test_each_block_shows_its_words(block: dict[str, Any], shown: str) -> None:
    assert text_of(decode_rich({"blocks": [block]})[0]) == shown


def test_headings_code_and_quotes_keep_their_form() -> None:
    assert blocks({"type": "heading", "size": 2, "text": "a"}) == (Heading(2, (Text("a"),)),)
    assert blocks({"type": "pre", "text": "a", "language": "py"}) == (CodeBlock("a", "py"),)
    quote = {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "a"}], "credit": "Bo"}
    assert blocks(quote) == (Quote((Paragraph((Text("a\n"), Text("Bo", int(Mark.ITALIC)))),)),)
    inner = {"type": "expandable_blockquote", "text": "b"}
    outer = {"type": "blockquote", "blocks": [{"type": "paragraph", "text": "a"}, inner, {"type": "paragraph", "text": "c"}]}
    a, b, c = ((Paragraph((Text(letter),)),) for letter in "abc")
    assert blocks(outer) == (Quote(a), Quote(b, is_expandable=True, depth=2), Quote(c))


def test_a_list_keeps_numbers_boxes_and_depth() -> None:
    inner = {"type": "list", "items": [{"blocks": [{"type": "paragraph", "text": "deep"}]}]}
    items = [
        {"value": 4, "blocks": [{"type": "paragraph", "text": "four"}, inner]},
        {"value": 5, "has_checkbox": True, "is_checked": True, "blocks": [{"type": "paragraph", "text": "done"}]},
    ]
    assert to_plain(decode_rich({"blocks": [{"type": "list", "items": items}]})[0]).splitlines()[::2] == ["4. four", "5. [x] done"]


def test_runs_of_text() -> None:
    text = [
        {"type": "bold", "text": {"type": "italic", "text": "a"}},
        {"type": "url", "text": "b", "url": "https://e.com/"},
        {"type": "mention", "text": "@anna", "username": "@anna"},
        {"type": "date_time", "text": "noon", "unix_time": 0},
    ]
    (paragraph,) = blocks({"type": "paragraph", "text": text})
    assert paragraph.inlines == (
        Text("a", int(Mark.BOLD | Mark.ITALIC)),
        Text("b", 0, "https://e.com/"),
        Mention(MentionKind.USER, "anna", "anna"),
        Timestamp(0, "noon", ""),
    )


def test_media_come_in_order_with_their_kind() -> None:
    photo, voice = {"type": "photo", "photo": []}, {"type": "voice_note", "voice": {}}
    slides = {"type": "slideshow", "blocks": [photo, voice]}
    assert [kind for kind, _ in decode_rich({"blocks": [slides]})[1]] == ["photo", "voice_note"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "blocks", "items", "cells", "caption", "value"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_nothing_that_is_odd_raises(given_blocks: Any) -> None:
    decode_rich({"blocks": given_blocks})


def test_a_table_with_cells_that_span_others() -> None:
    head = [{"text": "a", "colspan": 2}, {"text": "b", "rowspan": 2}]
    link = {"type": "url", "url": "https://example.org/x", "text": "two"}
    rows = [
        head,
        [{"text": "1"}, {"text": link}],
        [{"text": "3"}, {"text": "4"}, {"text": "5"}],
        [{"rowspan": 9}, {"colspan": "x"}],
        [],
    ]
    (found,) = blocks({"type": "table", "cells": [*rows, "?"]})
    assert isinstance(found, CodeBlock)
    assert found.rows == (("a", "", "b"), ("1", "two (https://example.org/x)"), ("3", "4", "5"), ("", ""), (), ())
    (wide,) = blocks({"type": "table", "cells": [[{"text": "a", "colspan": 10**9, "rowspan": 10**9}]] * 3})
    assert isinstance(wide, CodeBlock)
    assert max(map(len, wide.rows)) <= 3 * 20
