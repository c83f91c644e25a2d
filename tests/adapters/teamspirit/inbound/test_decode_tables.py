"""Tables are shown as code with aligned columns, wherever they stand."""

from __future__ import annotations

import pytest

from adapters.teamspirit.inbound.decode_tables import fence_tables

TABLE = "| Name | Votes |\n|:-----|------:|\n| Anna | 3 |\n| Bo \\| Co | 12 |"
SHOWN = "```\nName    | Votes\n--------+------\nAnna    | 3\nBo | Co | 12\n```"


@pytest.mark.parametrize("before", ["", "words\n", "- one\n- two\n", "1. one\n\n", "# head\n"])
@pytest.mark.parametrize("behind", ["", "\n", "\n\nmore", "\n- a list"])
def test_a_table_wherever_it_stands(before: str, behind: str) -> None:
    assert fence_tables(before + TABLE + behind) == before + SHOWN + behind


@pytest.mark.parametrize(
    "source",
    [
        "a | b",
        "a | b\nc | d",
        "| a | b |\n|---|",
        "a\n---",
        "```\n| a | b |\n|---|---|\n```",
        "~~~\n| a | b |\n|---|---|\n~~~",
        "> | a | b |\n> |---|---|",
        "||spoiler||",
        "|",
        "    | a | b |\n    |---|---|",
    ],
)
def test_what_is_none_stays_as_it_is(source: str) -> None:
    assert fence_tables(source) == source


def test_cells_may_hold_fences_and_rows_may_be_short_or_long() -> None:
    shown = fence_tables("|a|b|\n|-|-|\n|`x`|```|more|\n|1|")
    assert shown.split("\n") == ["````", "a   | b", "----+-----+-----", "`x` | ``` | more", "1", "````"]


def test_short_names_in_cells_are_emoji_where_words_have_them() -> None:
    source = "|Tests|:x:|\n|-|-|\n|948 :white_check_mark:|`:x:` at 12:30:15 :no_such_name:|"
    assert fence_tables(source, emoji_names=True).split("\n")[1::2] == ["Tests | ❌", "948 ✅ | `:x:` at 12:30:15 :no_such_name:"]
    assert ":white_check_mark:" in fence_tables(source)


def test_one_long_cell_does_not_make_every_row_long() -> None:
    source = "|a|b|\n|-|-|\n|" + "x" * 8000 + "|y|\n" + "|1|2|\n" * 1500
    assert len(fence_tables(source)) < 20 * len(source)
