"""Prints the self-test's report: coloured in a terminal, plain text elsewhere, JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

import msgspec
from rich.console import Console
from rich.table import Table

from bridge.sandbox.selftest.verdict import Cell, Outcome, Report

_WORDS = {Outcome.OK: "ok", Outcome.DEGRADED: "degraded", Outcome.FAILED: "FAILED"}
_STYLES = {Outcome.OK: "green", Outcome.DEGRADED: "yellow", Outcome.FAILED: "bold red"}


def print_json(report: Report, titles: Mapping[str, str], out: TextIO) -> None:
    """One object: `passed`, `took_s`, `faults`, and `cells` with check, origin, target, outcome and reason."""
    body = {"passed": report.passed, "took_s": report.took_s, "faults": report.faults, "cells": report.cells}
    print(msgspec.json.format(msgspec.json.encode(body), indent=2).decode(), file=out)


def print_table(report: Report, titles: Mapping[str, str], out: TextIO) -> None:
    """A row per pair, a column per check; below it why something is degraded or failed, each reason once."""
    checks = list(dict.fromkeys(cell.check for cell in report.cells))
    pairs = list(dict.fromkeys((cell.origin, cell.target) for cell in report.cells))
    found = {(cell.origin, cell.target, cell.check): cell for cell in report.cells}
    notes = _notes(report.cells)
    rows = [
        ((f"{titles[origin]} → {titles[target]}"), [found[origin, target, check] for check in checks]) for origin, target in pairs
    ]
    if out.isatty():
        _print_rich(checks, rows, notes, out)
    else:
        _print_plain(checks, rows, notes, out)
    _print_failures(report, titles, out)
    counts = {outcome: sum(cell.outcome is outcome for cell in report.cells) for outcome in Outcome}
    print(
        f"\n{counts[Outcome.OK]} ok, {counts[Outcome.DEGRADED]} degraded as declared, {counts[Outcome.FAILED]} failed;"
        f" {len(pairs)} pairs in {report.took_s:g} s",
        file=out,
    )


Rows = Sequence[tuple[str, Sequence[Cell]]]


def _notes(cells: Sequence[Cell]) -> dict[str, int]:
    """The reasons of degraded cells, numbered in the order of the table."""
    reasons = dict.fromkeys(cell.reason for cell in cells if cell.outcome is Outcome.DEGRADED)
    return {reason: number for number, reason in enumerate(reasons, 1)}


def _word(cell: Cell, notes: Mapping[str, int]) -> str:
    mark = f" [{notes[cell.reason]}]" if cell.outcome is Outcome.DEGRADED else ""
    return _WORDS[cell.outcome] + mark


def _print_rich(checks: Sequence[str], rows: Rows, notes: Mapping[str, int], out: TextIO) -> None:
    from rich.markup import escape

    console = Console(file=out, highlight=False)
    table = Table("", *checks, title="messenger-bridge self-test", header_style="bold", title_justify="left")
    for pair, cells in rows:
        table.add_row(pair, *(f"[{_STYLES[cell.outcome]}]{escape(_word(cell, notes))}[/]" for cell in cells))
    console.print(table)
    for reason, number in notes.items():
        console.print(f"  [yellow]\\[{number}][/] degraded as declared: {escape(reason)}")


def _print_plain(checks: Sequence[str], rows: Rows, notes: Mapping[str, int], out: TextIO) -> None:
    lines = [["", *checks], *([pair, *(_word(cell, notes) for cell in cells)] for pair, cells in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(entry.ljust(width) for entry, width in zip(line, widths, strict=True)).rstrip(), file=out)
    print(file=out)
    for reason, number in notes.items():
        print(f"[{number}] degraded as declared: {reason}", file=out)


def _print_failures(report: Report, titles: Mapping[str, str], out: TextIO) -> None:
    for cell in report.cells:
        if cell.outcome is Outcome.FAILED:
            print(f"FAILED {cell.check}, {titles[cell.origin]} → {titles[cell.target]}: {cell.reason}", file=out)
    for fault in report.faults:
        print(f"FAILED {fault}", file=out)
