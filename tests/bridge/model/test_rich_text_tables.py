"""Tables in columns, with their cells beside the text."""

from __future__ import annotations

from bridge.model.characters import columns
from bridge.model.rich_text import CodeBlock, RichText, normalize
from bridge.model.rich_text_tables import MOST_CELLS, table
from bridge.render.slice import slice_text


def test_columns_are_aligned_and_the_cells_are_kept() -> None:
    block = table([["os", "size"], ["linux\nx"], ["a\x00", "5 MB", "more"]])
    assert block.text == "os      | size\n--------+------+-----\nlinux x\na       | 5 MB | more"
    assert block.rows == (("os", "size"), ("linux x",), ("a", "5 MB", "more"))
    assert normalize(RichText((block,))) == RichText((block,))


def test_wide_letters_and_emoji_take_two_columns_and_marks_none() -> None:
    names = ["名前", "Zoë", "Zoe\u0308", "👨‍👩‍👧‍👦", "❤️", "🇩🇪", "ก็", "ﾊﾛｰ", "a\u200bb"]
    assert [columns(name) for name in names] == [4, 3, 3, 2, 2, 2, 1, 3, 2]
    lines = table([["who", "n"], *([name, "1"] for name in names)]).text.split("\n")
    assert {columns(line.rpartition("|" if "|" in line else "+")[0]) for line in lines} == {5}


def test_a_table_without_heads_has_no_rule() -> None:
    block = table([["", ""], ["a", "1"], ["bb", "2"]])
    assert block.text == "a  | 1\nbb | 2"
    assert block.rows[0] == ("", "")
    assert table([["a", "b"]]).text == "a | b"


def test_a_part_of_a_table_is_text() -> None:
    block = table([["a", "b"], ["c", "d"]])
    assert slice_text(RichText((block,)), 0, 5) == RichText((CodeBlock("a | b"),))
    assert slice_text(RichText((block,)), 0, 99) == RichText((block,))


def test_a_huge_table_has_its_text_alone() -> None:
    assert table([["x"]] * (MOST_CELLS + 1)).rows == ()
    assert table([]).text == ""


def test_filling_up_makes_no_table_many_times_as_long() -> None:
    long = table([["x" * 8000, "y"], *([["1", "2"]] * 3000)])
    assert len(long.text) < 5 * (8000 + 6 * 3000)
    assert long.text.endswith("\n1 | 2")
    wide = table([["h" * 50] * 300, *([["1"] * 300] * 300)])
    assert len(wide.text) < 5 * 300 * 300 + 300 * 120
