"""Tables in columns, with their cells beside the text."""

from __future__ import annotations

from bridge.model.rich_text import CodeBlock, RichText, normalize
from bridge.model.rich_text_tables import MOST_CELLS, table
from bridge.render.slice import slice_text


def test_columns_are_aligned_and_the_cells_are_kept() -> None:
    block = table([["os", "size"], ["linux\nx"], ["a\x00", "5 MB", "more"]])
    assert block.text == "os      | size\nlinux x\na       | 5 MB | more"
    assert block.rows == (("os", "size"), ("linux x",), ("a", "5 MB", "more"))
    assert normalize(RichText((block,))) == RichText((block,))


def test_a_part_of_a_table_is_text() -> None:
    block = table([["a", "b"], ["c", "d"]])
    assert slice_text(RichText((block,)), 0, 5) == RichText((CodeBlock("a | b"),))
    assert slice_text(RichText((block,)), 0, 99) == RichText((block,))


def test_a_huge_table_has_its_text_alone() -> None:
    assert table([["x"]] * (MOST_CELLS + 1)).rows == ()
    assert table([]).text == ""
