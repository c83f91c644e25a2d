"""Tables: a code block of aligned columns, which also keeps the cells for targets with native tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from bridge.model.characters import clean, columns
from bridge.model.rich_text_nodes import CodeBlock

MOST_CELLS = 2000
"""The most cells kept; a larger table keeps only its aligned text."""
WIDEST = 60
"""Columns to which a cell is filled up: one long cell must not make every row as long."""
_MOST_FILLING = 4
"""So many times as long as its cells a table may become by filling them up. A longer one is not aligned."""


def table(rows: Sequence[Sequence[str]]) -> CodeBlock:
    """A table of these rows, the header first; rows may differ in length. Below a header that says something is a rule. Without any
    cell, the text of the block is empty."""
    cells = tuple(tuple(" ".join(clean(cell).split()) for cell in row) for row in rows)
    if sum(map(len, cells)) > MOST_CELLS:
        return CodeBlock(_aligned(cells), has_head=has_head(cells))
    return CodeBlock(_aligned(cells), "", cells)


def has_head(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the text of a table with these rows begins with the names of its columns and a rule."""
    return len(rows) > 1 and any(rows[0])


def _aligned(cells: Sequence[Sequence[str]]) -> str:
    taken = [[columns(cell) for cell in row] for row in cells]
    widths = [min(max(column), WIDEST) for column in zip_longest(*taken, fillvalue=0)]
    filled = sum(sum(widths[: len(row)]) for row in cells)
    if filled > _MOST_FILLING * (sum(map(sum, taken)) + 1000):
        widths = [0] * len(widths)
    lines = [
        " | ".join(cell + " " * (width - own) for cell, own, width in zip(row, shown, widths, strict=False)).rstrip()
        for row, shown in zip(cells, taken, strict=True)
    ]
    if has_head(cells):
        lines.insert(1, "-+-".join("-" * max(width, 1) for width in widths))
    elif cells and not any(cells[0]):
        del lines[0]
    return "\n".join(lines)
