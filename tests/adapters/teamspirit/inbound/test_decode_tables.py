"""Tables of Markdown are found wherever they stand, and nothing else is taken for one."""

from __future__ import annotations

import time

import pytest

from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.inbound.decode_markdown import decode_markdown
from adapters.teamspirit.inbound.decode_tables import fence_tables, rows_of
from bridge.model.rich_text import CodeBlock, Quote, RichText, text_of
from bridge.model.rich_text_tables import table

TABLE = "| Name | Votes |\n|:-----|------:|\n| Anna | 3 |\n| Bo \\| Co | 12 |"
FENCED = "```table-\n| Name | Votes |\n| Anna | 3 |\n| Bo \\| Co | 12 |\n```"
CELLS = (("Name", "Votes"), ("Anna", "3"), ("Bo | Co", "12"))

OPTIONS = {"server": "https://im.example.com", "api_key": "key"}
PLAIN = TeamSpiritOptions.model_validate(OPTIONS).read_dialect.text
MATTERMOST = TeamSpiritOptions.model_validate({**OPTIONS, "dialect": "mattermost"}).read_dialect.text


def decoded(source: str) -> RichText:
    return decode_markdown(source, MATTERMOST)


def tables(rich: RichText) -> list[tuple[tuple[str, ...], ...]]:
    inner = [each for block in rich.blocks for each in (block.blocks if isinstance(block, Quote) else (block,))]
    return [block.rows for block in inner if isinstance(block, CodeBlock) and block.rows]


@pytest.mark.parametrize("before", ["", "words\n", "- one\n- two\n", "1. one\n\n", "# head\n"])
@pytest.mark.parametrize("behind", ["", "\n", "\n\nmore", "\n- a list"])
def test_a_table_wherever_it_stands(before: str, behind: str) -> None:
    assert fence_tables(before + TABLE + behind) == (before + FENCED + behind, "table-")
    assert tables(decoded(before + TABLE + behind)) == [CELLS]


@pytest.mark.parametrize(
    "source",
    [
        "a | b",
        "a | b\nc | d",
        "| a | b |\n|---|",
        "a\n---",
        "```\n| a | b |\n|---|---|\n```",
        "~~~\n| a | b |\n|---|---|\n~~~",
        "> ```\n> | a | b |\n> |---|---|\n> ```",
        "> | a | b |\n|---|---|",
        "||spoiler||",
        "|",
        "    | a | b |\n    |---|---|",
    ],
)
def test_what_is_none_stays_as_it_is(source: str) -> None:
    assert fence_tables(source) == (source, "")
    assert tables(decoded(source)) == []


def test_a_table_in_a_quote() -> None:
    rich = decoded("> so\n> | a | b |\n> |---|---|\n> | 1 | 2 |\n\nand on")
    assert tables(rich) == [(("a", "b"), ("1", "2"))]
    assert isinstance(rich.blocks[0], Quote)
    assert text_of(rich) == "so\na | b\n--+--\n1 | 2\nand on"
    deep = decoded("> > | a | b |\n> > |---|---|\n> > | 1 | 2 |")
    assert tables(deep) == [(("a", "b"), ("1", "2"))]


def test_a_fence_that_ends_with_its_quote_hides_no_table() -> None:
    assert tables(decoded("> ```\n> code\n\n" + TABLE)) == [CELLS]


def test_two_tables_are_two() -> None:
    assert tables(decoded(f"{TABLE}\n\n{TABLE}\nand\n{TABLE}")) == [CELLS] * 3


def test_what_people_write_as_such_a_fence_is_code() -> None:
    for language in ("table", "table-", "table--"):
        fence = f"```{language}\n| a | b |\n```"
        assert tables(decoded(fence)) == []
        assert tables(decoded(f"{fence}\n\n{TABLE}")) == [CELLS]


def test_cells_may_hold_fences_and_rows_may_be_short_or_long() -> None:
    source, language = fence_tables("|a|b|\n|-|-|\n|`x`|```|more|\n|1|")
    assert source.split("\n") == [f"````{language}", "|a|b|", "|`x`|```|more|", "|1|", "````"]
    assert rows_of("|a|b|\n|`x`|```|more|\n|1|\n") == [["a", "b"], ["`x`", "```", "more"], ["1"]]
    assert tables(decoded("|a|b|\n|-|-|\n|`x`|```|more|\n|1|")) == [(("a", "b"), ("x", "```", "more"), ("1",))]


def test_a_cell_is_a_line_of_words() -> None:
    source = (
        "|kind|shown|\n|-|-|\n|**bold** _it_ ~~s~~|`a*b`|\n|[page](https://example.org/x)|https://example.org/a_b|\n"
        "|- no list|# no head|\n|1. no|> no|\n|@anna|\\*x\\*|\n|:tada:|![pic](https://example.org/p.png =10x10)|"
    )
    rows = tables(decoded(source))[0]
    assert rows[1:3] == (("bold it s", "a*b"), ("page (https://example.org/x)", "https://example.org/a_b"))
    assert rows[3:5] == (("- no list", "# no head"), ("1. no", "> no"))
    assert rows[5:] == (("@anna", "*x*"), ("🎉", "pic (https://example.org/p.png)"))


def test_short_names_in_cells_are_emoji_where_words_have_them() -> None:
    source = "|Tests|:x:|\n|-|-|\n|948 :white_check_mark:|`:x:` at 12:30:15 :no_such_name:|"
    assert tables(decoded(source)) == [(("Tests", "❌"), ("948 ✅", ":x: at 12:30:15 :no_such_name:"))]
    assert tables(decode_markdown(source, PLAIN))[0][0] == ("Tests", ":x:")


def test_hostile_sources_cost_little() -> None:
    begun = time.process_time()
    for source in (
        "|a|b|\n|-|-|\n|" + "x" * 8000 + "|y|\n" + "|1|2|\n" * 1500,
        "|" + "a|" * 5000 + "\n|" + "-|" * 5000 + "\n" + "|*b*|\n" * 2000,
        "table" + "-" * 30_000 + "\n|a|\n|-|",
        "> " * 15_000 + "|a|\n" + "> " * 15_000 + "|-|",
        "|a|\n" * 10_000,
    ):
        assert len(text_of(decoded(source))) < 20 * len(source)
    assert time.process_time() - begun < 60


def test_the_text_is_that_of_every_table() -> None:
    assert decoded(TABLE).blocks == (table(CELLS),)
