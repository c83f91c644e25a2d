"""Tables over several messages."""

from __future__ import annotations

import pytest

from bridge.model.capabilities import Feature
from bridge.model.rich_text import CodeBlock, RichText, plain, text_of
from bridge.model.rich_text_tables import MOST_CELLS, table
from bridge.render.degrade import degrade
from bridge.render.split import Limit, split
from tests.support.strategies import capabilities

HEAD = ["name", "size"]
NO_TABLES = capabilities(Feature.TABLE)


def pieces(rich: RichText, most: int) -> list[RichText]:
    return split(rich, Limit(lambda part: len(text_of(part)), most))


def tables(parts: list[RichText]) -> list[CodeBlock]:
    return [block for part in parts for block in part.blocks if isinstance(block, CodeBlock)]


def test_where_the_target_has_no_tables_the_columns_have_their_head_too() -> None:
    rich = degrade(RichText((table([HEAD, *([f"file {number}", f"{number} kB"] for number in range(100))]),)), NO_TABLES, {})
    found = tables(pieces(rich, 200))
    assert len(found) > 5
    assert all(block.text.startswith("name") and not block.rows for block in found)


def test_a_table_of_very_many_cells_too() -> None:
    rich = RichText((table([HEAD, *([f"file {number}", f"{number} kB"] for number in range(MOST_CELLS))]),))
    found = tables(pieces(rich, 2000))
    assert all(block.text.startswith("name") for block in found)
    assert sum(block.text.count("\n") - 1 for block in found) == MOST_CELLS


@pytest.mark.parametrize("most", [120, 200, 555])
def test_each_piece_has_the_head_and_no_row_is_lost_or_twice(most: int) -> None:
    rows = [[f"file {number}", f"{number} kB"] for number in range(100)]
    rich = RichText((*plain("Above it.").blocks, table([HEAD, *rows]), *plain("Below it.").blocks))
    parts = pieces(rich, most)
    found = tables(parts)
    assert len(found) > 2
    assert all(len(text_of(part)) <= most for part in parts)
    assert all(block.text.startswith("name") and block.text.split("\n")[1].startswith("---") for block in found)
    assert [list(row) for block in found for row in block.rows[1:]] == rows
    assert {block.rows[0] for block in found} == {("name", "size")}
    lines = [line for block in found for line in block.text.split("\n")[2:]]
    assert [line.split("|")[0].strip() for line in lines] == [name for name, _ in rows]
    assert text_of(parts[0]).startswith("Above it.")
    assert text_of(parts[-1]).endswith("Below it.")


def test_a_table_that_fits_is_as_it_was() -> None:
    rich = RichText((table([HEAD, ["a", "1"]]),))
    assert pieces(rich, 1000) == [rich]


def test_a_head_that_would_fill_the_messages_is_said_once() -> None:
    rich = RichText((table([["a very long name of a column " * 3, "size"], *([f"row {n}", "1"] for n in range(20))]),))
    parts = pieces(rich, 250)
    assert sum(text_of(part).count("a very long name") > 0 for part in parts) == 1
    said = "".join(text_of(part) for part in parts)
    assert all(f"row {n} " in said for n in range(20))


def test_a_row_longer_than_a_message_is_cut_and_ends() -> None:
    rich = RichText((table([HEAD, ["x " * 300, "1"], ["y", "2"]]),))
    parts = pieces(rich, 100)
    said = "".join(text_of(part) for part in parts)
    assert said.count("x") == 300
    assert "y" in said


def test_code_that_is_no_table_has_nothing_added() -> None:
    text = "\n".join(["a | b", "--+--", *(f"{n} | {n}" for n in range(100))])
    parts = pieces(RichText((CodeBlock(text),)), 200)
    assert "\n".join(text_of(part) for part in parts) == text
