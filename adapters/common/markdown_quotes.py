"""Quotes in Markdown, also within quotes. Pure. Source: CommonMark 0.31, block quotes: a line without its signs that could go on a
paragraph of a deeper quote does so, unless a line of the outer quote's signs alone stands between."""

from __future__ import annotations

from bridge.model.rich_text import Quote


def quote_lines(text: str, depth: int) -> str:
    """The lines of the quote's blocks with its signs."""
    signs = "> " * depth
    return "\n".join(f"{signs}{line}" if line else signs.rstrip() for line in text.split("\n"))


def quote_joint(above: Quote, below: Quote) -> str:
    """The line between two parts of one outer quote."""
    depth = min(above.depth, below.depth) - (above.depth == below.depth)
    return ("> " * max(depth, 1)).rstrip()
