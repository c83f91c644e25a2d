"""Finds tables of Markdown (GitHub's) and puts each in a fence of its own. Pure.

Called by `decode_markdown` before the parser, which would take a table right behind a list for the list's last words. A table is a
row of heads with a row of dashes below it, each with as many cells. Source: GitHub Flavored Markdown Spec, "Tables (extension)".
"""

from __future__ import annotations

import re

_DASHES = re.compile(r" {0,3}\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_QUOTE = re.compile(r"(?: {0,3}> ?)*")
_CELL_END = re.compile(r"(?<!\\)\|")
_BACKTICKS = re.compile("`+")
_LANGUAGES = re.compile(r"table(-*)")


def fence_tables(source: str) -> tuple[str, str]:
    """The source with the rows of each table inside a fence, everything else as it is; and the language of these fences, which no
    other can have. Without a table it is empty."""
    if "|" not in source:
        return source, ""
    lines = source.split("\n")
    language = f"table{max(_LANGUAGES.findall(source), default='')}-"
    shown: list[str] = []
    fence, fence_quotes = "", 0
    found = False
    at = 0
    while at < len(lines):
        line, quotes = _unquoted(lines[at]), _quotes(lines[at])
        if fence and quotes < fence_quotes:
            fence = ""  # it ends with its quote
        opening = _FENCE.match(line)
        if opening and (not fence or (line.strip().startswith(fence) and not line.strip().strip(fence[0]))):
            fence, fence_quotes = ("", 0) if fence else (opening[1], quotes)
        rows = [] if fence or opening else _rows(lines, at)
        if rows:
            shown += _fenced(rows, language, quotes=quotes)
            at += len(rows) + 1
            found = True
        else:
            shown.append(lines[at])
            at += 1
    return ("\n".join(shown), language) if found else (source, "")


def rows_of(fenced: str) -> list[list[str]]:
    """The cells of what is in such a fence, as they are written."""
    return [_cells(row) for row in fenced.removesuffix("\n").split("\n")]


def _quotes(line: str) -> int:
    """In how many quotes the line stands."""
    begun = _QUOTE.match(line)
    return begun[0].count(">") if begun else 0


def _unquoted(line: str) -> str:
    begun = _QUOTE.match(line)
    return line[begun.end() :] if begun and begun[0] else line


def _rows(lines: list[str], at: int) -> list[str]:
    """The rows of the table that begins here, without its row of dashes and the signs of its quotes; none if none begins."""
    if at + 1 >= len(lines) or "|" not in lines[at] or _quotes(lines[at]) != (quotes := _quotes(lines[at + 1])):
        return []
    head, dashes = _unquoted(lines[at]), _unquoted(lines[at + 1])
    if not _DASHES.fullmatch(dashes.rstrip()) or head.startswith(("    ", "\t")) or len(_cells(head)) != len(_cells(dashes)):
        return []
    rows = [head]
    for line in lines[at + 2 :]:
        row = _unquoted(line)
        if "|" not in row or not row.strip() or _FENCE.match(row) or _quotes(line) != quotes:
            break
        rows.append(row)
    return rows


def _cells(row: str) -> list[str]:
    inner = row.strip().removeprefix("|")
    pieces = [piece.strip().replace("\\|", "|") for piece in _CELL_END.split(inner)]
    return pieces[:-1] if len(pieces) > 1 and not pieces[-1] else pieces


def _fenced(rows: list[str], language: str, *, quotes: int) -> list[str]:
    fence = "`" * max(3, *(len(run) + 1 for row in rows for run in _BACKTICKS.findall(row)), 3)
    return [f"{'> ' * quotes}{line}" for line in (f"{fence}{language}", *(row.strip() for row in rows), fence)]
