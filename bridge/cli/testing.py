"""`messenger-bridge test ROUTE`: the running daemon sends a line through a route, and takes it away again."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from bridge.cli import completing
from bridge.cli.asking import SocketPath, asked, daemon_of
from bridge.cli.exits import EX_FAILED
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, fail, table

_WITHIN_S = 600.0


def try_route(
    route: Annotated[
        str, typer.Argument(metavar="ROUTE", help="A route's name.", show_default=False, autocompletion=completing.routes)
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    socket: SocketPath = None,
    json: Json = False,
) -> None:
    """Send a line from every end of a route to the others, wait for each copy, delete it, and show the times."""
    answer = asked(daemon_of(config, socket, json=json), "POST", f"/test?route={quote(route)}", within_s=_WITHIN_S, json=json)
    if json:
        as_json(answer)
    elif "error" in answer:
        fail(answer["error"], EX_FAILED)
    else:
        rows = [
            (
                one["origin"],
                one["target"],
                "ok" if one["ok"] else one["result"],
                _s(one["took_s"]),
                _s(one["deleted_s"]),
                one["note"],
            )
            for one in answer["directions"]
        ]
        table(("from", "to", "result", "arrived in", "deleted in", "why"), rows)
        failed = sum(not one["ok"] for one in answer["directions"])
        typer.echo(f"{failed} of {len(rows)} directions failed" if failed else f"all {len(rows)} directions work")
    raise typer.Exit(0 if answer["ok"] else EX_FAILED)


def _s(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"
