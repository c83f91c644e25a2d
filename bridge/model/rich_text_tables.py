"""Tables: a code block of aligned columns, which also keeps the cells for targets with native tables. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.model.characters import clean
from bridge.model.rich_text_nodes import CodeBlock

MOST_CELLS = 2000
"""The most cells kept; a larger table keeps only its aligned text."""


def table(rows: Sequence[Sequence[str]]) -> CodeBlock:
    """A table of these rows, the header first; rows may differ in length. Without any cell, the text of the block is empty."""
    cells = tuple(tuple(" ".join(clean(cell).split()) for cell in row) for row in rows)
    widths = [max(len(row[n]) for row in cells if n < len(row)) for n in range(max(map(len, cells), default=0))]
    lines = (" | ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in cells)
    return CodeBlock("\n".join(lines), "", cells if sum(map(len, cells)) <= MOST_CELLS else ())
