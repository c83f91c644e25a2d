"""Tables as Slack's `table` block. Pure. Called by `encode`.

Source: docs.slack.dev, table block, read 2026-11: up to 100 rows of 20 cells, 10,000 characters in all cells of a message, and one
table in a message. A cell is a rich_text block: Slack took no other cells at first, and an empty text is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapters.slack.outbound.encode_text import literal_leaves
from bridge.model.pauses import in_steps
from bridge.model.rich_text import Block, CodeBlock, RichText, normalize

Json = dict[str, Any]
Rows = Sequence[Sequence[str]]

MOST_ROWS = 100
MOST_COLUMNS = 20
MOST_CHARACTERS = 10_000
_BLANK = " "


def around_table(rich: RichText) -> tuple[RichText, Json, RichText] | None:
    """The first table that Slack shows as one, with what stands above and below it; None if there is none. Tables in quotes are
    columns of text, as a quote holds words alone."""
    blocks = normalize(rich).blocks
    for at, block in enumerate(blocks):
        if rows := _rows_of(block):
            return RichText(blocks[:at]), _table(rows), RichText(blocks[at + 1 :])
    return None


def has_table(rich: RichText) -> bool:
    return any(map(_rows_of, rich.blocks))


def _rows_of(block: Block) -> Rows:
    """The rows of a table that is within the limits, without a head that says nothing; else none."""
    rows = block.rows if isinstance(block, CodeBlock) else ()
    rows = rows[1:] if rows and not any(rows[0]) else rows
    width = max(map(len, rows), default=0)
    if not 1 <= len(rows) <= MOST_ROWS or not 1 <= width <= MOST_COLUMNS:
        return ()
    length = sum(len(cell.encode("utf-16-le")) // 2 for row in rows for cell in row)
    blanks = sum(width - sum(map(bool, row)) for row in rows)
    return rows if length + blanks <= MOST_CHARACTERS else ()


def _table(rows: Rows) -> Json:
    width = max(map(len, rows))
    shown = [[_cell(cell, is_head=not at) for cell in (*row, *("",) * (width - len(row)))] for at, row in enumerate(in_steps(rows))]
    return {"type": "table", "rows": shown, "column_settings": [{"is_wrapped": True}] * width}


def _cell(text: str, *, is_head: bool) -> Json:
    section = {"type": "rich_text_section", "elements": literal_leaves(text or _BLANK, bold=is_head and bool(text))}
    return {"type": "rich_text", "elements": [section]}
