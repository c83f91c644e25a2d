"""Tables as Slack's own blocks: within its limits, or as columns of text."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.render import show
from adapters.slack.emulator.rules import check_blocks
from adapters.slack.inbound.decode_blocks import decode_blocks
from adapters.slack.names import NO_NAMES
from adapters.slack.outbound.encode import message_blocks
from adapters.slack.outbound.encode_table import MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS, has_table
from bridge.model.rich_text import CodeBlock, Paragraph, Quote, RichText, Text
from bridge.model.rich_text_tables import table

SMALL = table([["os", "size", ""], ["linux", ""], ["<@U1> *b* :x:", "https://example.org/a", "5 MB"]])


def words(text: str) -> Paragraph:
    return Paragraph((Text(text),))


def blocks_of(*blocks: Any) -> list[dict[str, Any]]:
    made = message_blocks(RichText(tuple(blocks)), "mb-x", with_table=True)
    check_blocks(made)
    return made


def test_a_table_among_words() -> None:
    above, shown, below = blocks_of(words("so"), SMALL, words("and on"))
    assert [above["type"], shown["type"], below["type"]] == ["rich_text", "table", "rich_text"]
    assert [above.get("block_id"), shown.get("block_id"), below.get("block_id")] == ["mb-x", None, None]
    assert {len(row) for row in shown["rows"]} == {3}, "every row has all cells"
    assert show("", [shown], str).text == "os | size |  \nlinux |   |  \n<@U1> *b* :x: | https://example.org/a | 5 MB"
    html = show("", [shown], str).html
    assert "<td><div><b>os</b></div></td>" in html
    assert '<a href="https://example.org/a">' in html
    assert "mention" not in html


def test_a_head_that_says_nothing_is_left_out() -> None:
    (only,) = blocks_of(table([["", ""], ["a", "1"], ["b", "2"]]))
    assert show("", [only], str).text == "a | 1\nb | 2"


def test_our_mark_is_on_the_first_block() -> None:
    (only,) = blocks_of(SMALL)
    assert (only["type"], only["block_id"]) == ("table", "mb-x")


def test_it_reads_as_it_was() -> None:
    read = decode_blocks(blocks_of(words("so"), SMALL, words("and on")), NO_NAMES)
    assert read.blocks[0] == words("so")
    assert read.blocks[2] == words("and on")
    (shown,) = [block for block in read.blocks if isinstance(block, CodeBlock)]
    assert shown.rows == (("os", "size", ""), ("linux", "", ""), ("<@U1> *b* :x:", "https://example.org/a", "5 MB"))


def test_a_message_has_one_table() -> None:
    kinds = [block["type"] for block in blocks_of(SMALL, words("and"), SMALL)]
    assert kinds == ["table", "rich_text"]
    with pytest.raises(ApiError, match="invalid_attachments"):
        check_blocks([*blocks_of(SMALL), *blocks_of(SMALL)])


@pytest.mark.parametrize(
    ("rows", "fits"),
    [
        ([["a"]] * MOST_ROWS, True),
        ([["a"]] * (MOST_ROWS + 1), False),
        ([["a"] * MOST_COLUMNS], True),
        ([["a"] * (MOST_COLUMNS + 1)], False),
        ([["a"], ["b"] * (MOST_COLUMNS + 1)], False),
        ([["a" * MOST_CHARACTERS]], True),
        ([["a" * MOST_CHARACTERS, "b"]], False),
        ([["a" * (MOST_CHARACTERS - 1)], ["b", ""]], False),
        ([["🙂" * (MOST_CHARACTERS // 2)]], True),
        ([["🙂" * (MOST_CHARACTERS // 2 + 1)]], False),
    ],
)
def test_what_does_not_fit_is_columns_of_text(rows: list[list[str]], fits: bool) -> None:
    block = table(rows)
    assert has_table(RichText((block,))) == fits
    made = message_blocks(RichText((block,)), "mb-x", with_table=True)
    assert made[0]["type"] == ("table" if fits else "rich_text")
    if fits:
        check_blocks(made)
    else:
        assert made[0]["elements"][0]["elements"][0]["text"] == block.text


def test_in_a_quote_it_is_columns_of_text() -> None:
    (made,) = blocks_of(Quote((SMALL,)))
    assert made["type"] == "rich_text"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "table"},
        {"type": "table", "rows": []},
        {"type": "table", "rows": [[]]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]},
        {"type": "table", "rows": [[{"type": "mrkdwn", "text": "a"}]]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * 101},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * 21]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a" * 10_001}]]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]], "column_settings": [{}] * 21},
    ],
)
def test_the_emulator_refuses_what_slack_refuses(block: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="invalid_blocks"):
        check_blocks([block])
