"""Tables: a code block of aligned columns, which also has the cells for targets that show tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.model.characters import clean
from bridge.model.rich_text_nodes import CodeBlock

MOST_CELLS = 2000
"""Of a larger table only the columns of text are kept."""


def table(rows: Sequence[Sequence[str]]) -> CodeBlock:
    """The rows, that of the head first; they need not be of one length. Without a cell, the text of the block is empty."""
    cells = tuple(tuple(" ".join(clean(cell).split()) for cell in row) for row in rows)
    widths = [max(len(row[n]) for row in cells if n < len(row)) for n in range(max(map(len, cells), default=0))]
    lines = (" | ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in cells)
    return CodeBlock("\n".join(lines), "", cells if sum(map(len, cells)) <= MOST_CELLS else ())
