"""Text from outside stays a part of the line that it is put into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.one_line import one_line


@given(st.text(st.characters(), max_size=60), st.integers(1, 40))
def test_it_is_one_printable_line_of_bounded_length(text: str, most: int) -> None:
    line = one_line(text, most)
    assert len(line) <= most
    assert len(line.splitlines()) <= 1
    line.encode()
    for hidden in "\x1b\x9b\u202e\u2066\u200e\u200b\ufeff\u2028\x00\x7f":
        assert hidden not in line
    assert one_line(one_line(text)) == one_line(text)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("no\n reason\x1b[31m", "no reason [31m"),
        ("a\u202eb", "a b"),
        ("half \ud83d", "half \ufffd"),
        ("👩\u200d👩\u200d👧 می\u200cخواهم ❤\ufe0f", "👩\u200d👩\u200d👧 می\u200cخواهم ❤\ufe0f"),
        (404, "404"),
    ],
)
def test_what_hides_or_turns_text_is_gone_and_what_joins_letters_stays(given: object, line: str) -> None:
    assert one_line(given) == line


def test_what_is_cut_says_so() -> None:
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"
