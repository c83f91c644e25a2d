"""Tables of Markdown (GitHub's) as code blocks with aligned columns, since no other platform of the bridge shows tables. Pure.

Called by `decode_markdown` before the parser, which would take a table right behind a list for the list's last words. A table is a
row of heads with a row of dashes below it, each with as many cells. Source: GitHub Flavored Markdown Spec, "Tables (extension)".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest

from adapters.teamspirit.emoji_names import with_emoji

_DASHES = re.compile(r" {0,3}\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_CELL_END = re.compile(r"(?<!\\)\|")
_WIDEST = 60
"""Characters to which a column is filled up: one long cell must not make every row as long."""
_BACKTICKS = re.compile("`+")


def fence_tables(source: str, *, emoji_names: bool = False) -> str:
    """The source with each table inside a fence; everything else as it is. `emoji_names`: short names in cells become emoji,
    since in a fence nobody makes them so later."""
    if "|" not in source:
        return source
    lines = source.split("\n")
    shown: list[str] = []
    fence = ""
    at = 0
    while at < len(lines):
        line = lines[at]
        opening = _FENCE.match(line)
        if opening and (not fence or (line.strip().startswith(fence) and not line.strip().strip(fence[0]))):
            fence = "" if fence else opening[1]
        end = at if fence or opening else _table_end(lines, at)
        if end > at:
            shown += _fenced(lines[at:end], with_emoji if emoji_names else str)
            at = end
        else:
            shown.append(line)
            at += 1
    return "\n".join(shown)


def _table_end(lines: list[str], at: int) -> int:
    """Where the table that begins here ends; `at` itself if none begins."""
    if at + 1 >= len(lines) or "|" not in lines[at] or not _DASHES.fullmatch(lines[at + 1].rstrip()):
        return at
    if lines[at].startswith(("    ", "\t", ">")) or len(_cells(lines[at])) != len(_cells(lines[at + 1])):
        return at
    end = at + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip() and not _FENCE.match(lines[end]):
        end += 1
    return end


def _cells(row: str) -> list[str]:
    inner = row.strip().removeprefix("|")
    pieces = [piece.strip().replace("\\|", "|") for piece in _CELL_END.split(inner)]
    return pieces[:-1] if len(pieces) > 1 and not pieces[-1] else pieces


def _fenced(rows: list[str], shown: Callable[[str], str]) -> list[str]:
    cells = [[shown(cell) for cell in _cells(row)] for row in (rows[0], *rows[2:])]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip_longest(*cells, fillvalue="")]
    head, *body = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in cells]
    rule = "-+-".join("-" * width for width in widths)
    fence = "`" * max(3, *(len(run) + 1 for row in rows for run in _BACKTICKS.findall(row)), 3)
    return [fence, head, rule, *body, fence]
