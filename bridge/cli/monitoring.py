"""`messenger-bridge monitoring`: writes the Grafana board and the alert rules that come with this version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.exits import EX_FAILED
from bridge.cli.output import fail, say

RULES, BOARD = "messenger-bridge.rules.yaml", "messenger-bridge.board.json"
_HEAD = """\
# Alert rules for Prometheus, made by `messenger-bridge monitoring`: name this file in `rule_files`, or copy from it.
"""


def monitoring(
    folder: Annotated[Path, typer.Argument(help="Where the files go. Those of an earlier version are replaced.", metavar="FOLDER")],
) -> None:
    """Write a board for Grafana and alert rules for Prometheus, as this version's metrics are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in documents().items():
            (folder / name).write_text(text, encoding="utf-8")
            say(f"written: {folder / name}")
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror or error}", EX_FAILED)


def documents() -> dict[str, str]:
    """The files by their names."""
    import yaml

    from bridge.observability.alerts import rules
    from bridge.observability.board import board

    return {
        RULES: _HEAD + yaml.safe_dump(rules(), sort_keys=False, width=132, allow_unicode=True),
        BOARD: json.dumps(board(), indent=2, ensure_ascii=False) + "\n",
    }
