"""`messenger-bridge reload`: the running daemon applies bridge.yaml, or says why it does not."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from bridge.cli.asking import SocketPath, asked, daemon_of
from bridge.cli.exits import EX_CONFIG, EX_FAILED
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, say, styled
from bridge.model.one_line import one_line

_WITHIN_S = 110.0
"""Less than the 120 s that the systemd unit gives a reload."""


def reload(
    config: ConfigPath = DEFAULT_CONFIG,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Apply it even if an account does not come up or a chat is not found: both are tried again."),
    ] = False,
    socket: SocketPath = None,
    json: Json = False,
) -> None:
    """Make the running daemon apply bridge.yaml. Shows what changes; what does not come up is undone."""
    answer = asked(
        daemon_of(config, socket, json=json), "POST", "/reload?keep=1" if keep else "/reload", within_s=_WITHIN_S, json=json
    )
    if json:
        as_json(answer)
    else:
        show_answer(answer)
        if answer.get("ok"):
            typer.echo("reloaded")
    raise typer.Exit(code_of(answer))


def show_answer(answer: dict[str, Any]) -> None:
    """The difference on stdout; faults and warnings on stderr."""
    for warning in answer.get("warnings", ()):
        say(f"{styled('warning', 'warning')}: {one_line(warning['text'])}")
    if answer.get("ok") or answer.get("applied") or answer.get("rolled_back"):
        for line in answer.get("lines", ()):
            typer.echo(one_line(line))
    faults = [*(fault["text"] for fault in answer.get("config_faults", ())), *answer.get("faults", ())]
    for fault in faults:
        say(f"{styled('fault', 'fault')}: {one_line(fault)}")
    if faults and answer.get("applied"):
        say("the file is in force, but not all of it is done: reload once more")
    elif faults:
        say("undone: what was in force before is in force" if answer.get("rolled_back") else "not applied; nothing changed")


def code_of(answer: dict[str, Any]) -> int:
    if answer.get("ok"):
        return 0
    return EX_CONFIG if answer.get("config_faults") else EX_FAILED
