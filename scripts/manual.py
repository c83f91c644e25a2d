"""Writes what comes with an installed bridge and is made from its command parser: the man page, and completions for bash, zsh and
fish.

.venv/bin/python scripts/manual.py FOLDER
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from typer.completion import get_completion_script

from bridge.cli.group import build

NAME = "messenger-bridge"
COMPLETIONS = {"bash": NAME, "zsh": f"_{NAME}", "fish": f"{NAME}.fish"}
FILES = """\
.TP
.I bridge.yaml
The configuration: which accounts there are, and which chats are mirrored. bridge.yaml.example has every option.
.TP
.I /etc/messenger-bridge/bridge.yaml
The one of the system service.
.TP
.I /var/lib/messenger-bridge/messenger-bridge.journal
The journal of the system service: what was accepted, and what became of it.
"""
EXITS = """\
0 success; 1 problems were found; 2 wrong usage; 69 the journal cannot be used; 70 a bug; 75 try again later; 78 faults in
bridge.yaml; 130 interrupted.
"""
SIGNALS = """\
SIGTERM and SIGINT let waiting messages be delivered for some seconds; a second one ends at once. SIGHUP reads bridge.yaml again.
"""


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.1").write_text(manual(), encoding="utf-8")
    for shell, name in COMPLETIONS.items():
        script = get_completion_script(prog_name=NAME, complete_var="_MESSENGER_BRIDGE_COMPLETE", shell=shell)
        (folder / name).write_text(script + "\n", encoding="utf-8")


def manual() -> str:
    root = build()
    context = click.Context(root, info_name=NAME)
    parts = [
        f'.TH MESSENGER\\-BRIDGE 1 "" "{NAME} {version(NAME)}" "Messenger bridge"',
        ".SH NAME",
        rf"{_text(NAME)} \- {_text('mirrors chats across messengers')}",
        ".SH SYNOPSIS",
        rf".B {_text(NAME)}",
        r"[\fIOPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]",
        ".SH DESCRIPTION",
        _text(root.help or ""),
        ".SH OPTIONS",
        *_options(root, context),
        ".SH COMMANDS",
        *_commands(root, context, NAME),
        ".SH EXIT STATUS",
        EXITS.rstrip(),
        ".SH SIGNALS",
        SIGNALS.rstrip(),
        ".SH FILES",
        FILES.rstrip(),
    ]
    return "\n".join(parts) + "\n"


def _commands(group: Any, context: click.Context, path: str) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = click.Context(command, info_name=name, parent=context)
        full = f"{path} {name}"
        pieces = " ".join(command.collect_usage_pieces(inner))
        yield ".SS " + _text(f"{full} {pieces}")
        yield _text(command.help or "")
        if hasattr(command, "list_commands"):
            yield from _commands(command, inner, full)
        else:
            yield from _options(command, inner)


def _options(command: Any, context: click.Context) -> Iterator[str]:
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is None or getattr(parameter, "hidden", False):
            continue
        name = re.sub(" <[^>]*>$", "", record[0])  # an argument with its type
        yield ".TP"
        yield rf"\fB{_text(name)}\fR"
        yield _text(record[1]) or r"\&"


def _text(text: str) -> str:
    """As troff reads it: no line begins with a control character, and a hyphen stays one that can be copied."""
    flat = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", text)).strip()
    escaped = flat.replace("\\", r"\e").replace("-", r"\-").replace("…", r"\[u2026]")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    main(Path(sys.argv[1]))
