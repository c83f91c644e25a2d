"""Output shared by the commands: tables for people, JSON for scripts, faults on stderr. rich is used for terminals only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, TextIO

import typer

from bridge.model.errors import ConfigFault
from bridge.model.one_line import one_line

STYLES = {
    "ok": "green",
    "native": "green",
    "partly": "yellow",
    "converted": "yellow",
    "dropped": "red",
    "off": "dim",
    "FAILED": "bold red",
    "could not be reached": "yellow",
    "fault": "bold red",
    "warning": "yellow",
    "dead": "red",
    "held": "yellow",
}
"""Colour of a word that stands alone in a cell or begins a line."""


def for_people(stream: TextIO | None = None) -> bool:
    """Whether a stream is a terminal that shows more than plain lines."""
    stream = stream or sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def in_colour(stream: TextIO | None = None) -> bool:
    return for_people(stream) and not os.environ.get("NO_COLOR")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """A table: drawn in a terminal, else aligned columns without decoration."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if not for_people():
        _plain_table(columns, cells)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in cells:
        drawn.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    Console(no_color=not in_colour(), highlight=False).print(drawn)


def _plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    for row in ([column.upper() for column in columns], *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def styled(text: str, word: str, stream: TextIO | None = None) -> str:
    """The text in the colour of a word of `STYLES`, if colours are wanted."""
    if not in_colour(stream):
        return text
    style = STYLES.get(word, "")
    return typer.style(
        text,
        fg=next((name for name in ("green", "yellow", "red") if name in style), None),
        bold="bold" in style,
        dim="dim" in style,
    )


def say(text: str) -> None:
    """A line for people, on stderr: progress, and the result of a command."""
    typer.echo(text, err=True)


def as_json(value: Any) -> None:
    """One JSON document on stdout."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def fault_data(fault: ConfigFault) -> Mapping[str, Any]:
    return {
        "path": fault.path,
        "line": fault.line,
        "column": fault.column,
        "key": fault.key,
        "why": fault.why,
        "value": fault.value,
        "hint": fault.hint,
    }


def show_faults(faults: Sequence[ConfigFault], warnings: Sequence[ConfigFault]) -> None:
    """All of them on stderr, one line each."""
    for kind, found in (("warning", warnings), ("fault", faults)):
        for fault in found:
            say(f"{styled(kind, kind, sys.stderr)}: {one_line(str(fault))}")
    if faults:
        say(f"{len(faults)} fault{'s' if len(faults) != 1 else ''} in the configuration")


def fail(why: str, code: int, *, json: bool = False) -> NoReturn:
    """End the command with a reason."""
    if json:
        as_json({"ok": False, "error": why})
    else:
        say(f"{styled('error', 'fault', sys.stderr)}: {one_line(why)}")
    raise typer.Exit(code)
