"""Tables that are cut over several messages: each piece is a table of its own below the same head. Pure. Called by `split`."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bridge.model.rich_text import CodeBlock, RichText
from bridge.model.rich_text_tables import has_head

_HEAD_LINES = 2
"""The names of the columns, and the rule below them (`rich_text_tables`)."""


def with_heads(whole: RichText, head: RichText, rest: RichText, fits: Callable[[RichText], bool]) -> tuple[RichText, RichText]:
    """The two parts of a text that was cut between them. Where the cut is between two rows of a table, both have their rows as
    cells too, and what follows has the table's head again, unless that is most of what a message holds."""
    at = len(whole.blocks) - len(rest.blocks)
    if not rest.blocks or not head.blocks or at < 0:
        return head, rest
    table, above, below = whole.blocks[at], head.blocks[-1], rest.blocks[0]
    if not (isinstance(table, CodeBlock) and isinstance(above, CodeBlock) and isinstance(below, CodeBlock)):
        return head, rest
    if not (table.has_head or has_head(table.rows)) or not table.text.startswith(above.text):
        return head, rest
    names, lines = "\n".join(table.text.split("\n")[:_HEAD_LINES]), table.text.count("\n") + 1
    lines_above, lines_below = above.text.count("\n") + 1, below.text.count("\n") + 1
    if lines_above + lines_below != lines or lines_above <= _HEAD_LINES or len(above.text) < 2 * len(names):
        return head, rest  # within a row, above the first one, or there is little but the head
    text = f"{names}\n{below.text}"
    if not table.rows:
        return head, replace(rest, blocks=(replace(below, text=text, has_head=True), *rest.blocks[1:]))
    left = replace(below, text=text, rows=(table.rows[0], *table.rows[-lines_below:]))
    shown = replace(head, blocks=(*head.blocks[:-1], replace(above, rows=table.rows[: lines_above - 1])))
    return (shown if fits(shown) else head), replace(rest, blocks=(left, *rest.blocks[1:]))
