"""Markdown deeper than markdown-it follows: it leaves out what lies there, and all that comes after it. Pure.

Source: markdown-it-py 4.3, parser_block, "If nesting level exceeded - skip tail to the end". Each quote is a level, each list two:
a line of ten dashes with words behind it is too deep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

_CONTAINERS = ("blockquote_open", "list_item_open")
MOST_LEVELS = 20
"""Of the preset `commonmark`."""


def is_cut(tokens: Iterable[Token]) -> bool:
    """Whether something may be missing from the tokens of a text."""
    return any(token.level >= MOST_LEVELS - 1 and token.type in _CONTAINERS for token in tokens)
