"""Rows of cells to a table. Pure. Called by `decode_blocks` and `decode_markdown`."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.slack.inbound.decode_elements import bold, line, lines
from bridge.model.rich_text import Emoji, Inline, Mention, Paragraph, RichText, Text, merge_inlines, to_plain
from bridge.model.rich_text_tables import table

Cell = tuple[Inline, ...]


def one_line(rich: RichText) -> Cell:
    """A cell's words on one line, with their marks where it holds nothing but words."""
    if all(isinstance(block, Paragraph) for block in rich.blocks):
        found = [run for block in rich.blocks if isinstance(block, Paragraph) for run in (Text(" "), *block.inlines)][1:]
        return tuple(Text(" ".join(run.text.split("\n")), run.marks, run.link) if isinstance(run, Text) else run for run in found)
    return (Text(" ".join(to_plain(rich).split())),)


def table_of(rows: Sequence[Sequence[Cell]]) -> RichText:
    """A table, whose first row is the head. Its cells are plain words: where one of them mentions somebody, or has a link with a
    label or an emoji of the workspace's own, which would be lost, the rows are lines with bars between the cells."""
    if any(map(_is_more_than_words, (run for row in rows for cell in row for run in merge_inlines(cell)))):
        return lines(_row(row) if at else bold(_row(row)) for at, row in enumerate(rows))
    return RichText((table([[to_plain(RichText((Paragraph(cell),))) for cell in row] for row in rows]),))


def _is_more_than_words(run: Inline) -> bool:
    if isinstance(run, Text):
        return run.link is not None and run.link != run.text
    return isinstance(run, Mention | Emoji)


def _row(cells: Sequence[Cell]) -> RichText:
    runs: list[Inline] = []
    for number, cell in enumerate(cells):
        runs += [*((Text(" | "),) if number else ()), *cell]
    return line(*runs)
