"""`messenger-bridge status`: what the running daemon does now, like `top`. Asks the control socket: no port, no password."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.asking import SocketPath, asked, daemon_of
from bridge.cli.daemon import Daemon, NoDaemon
from bridge.cli.exits import EX_FAILED
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import STYLES, as_json, for_people, in_colour, styled
from bridge.cli.status_view import Line, cut, lines

if TYPE_CHECKING:
    from rich.text import Text

_WITHIN_S = 10.0
_PLAIN_WIDTH = 200
"""For what is piped into a file or another program."""
_LEAST_WIDTH, _LEAST_HEIGHT = 20, 5


def status(
    config: ConfigPath = DEFAULT_CONFIG,
    once: Annotated[
        bool, typer.Option("--once", help="Show it once, and end. So it is also if the output is no terminal.")
    ] = False,
    every_s: Annotated[float, typer.Option("--every", min=1, help="Seconds between two looks.", metavar="SECONDS")] = 2.0,
    socket: SocketPath = None,
    json: Json = False,
) -> None:
    """Show what the running daemon does: accounts, routes, rates, what waits and why, and what to do. Ends with 1 if not all is
    relayed."""
    daemon = daemon_of(config, socket, json=json)
    if json or once or not for_people():
        data = asked(daemon, "GET", "/status", within_s=_WITHIN_S, json=json)
        if json:
            as_json(data)
        else:
            width = max(shutil.get_terminal_size().columns, _LEAST_WIDTH) if for_people() else _PLAIN_WIDTH
            for line in lines(data, width=width, now=datetime.now(UTC)):
                typer.echo(styled(line.text, line.style) if line.style else line.text)
        raise typer.Exit(0 if data.get("ok") else EX_FAILED)
    _live(daemon, every_s)


def _live(daemon: Daemon, every_s: float) -> None:
    """Until Ctrl-C. A daemon that goes away is told, and shown again when it is back."""
    from rich.console import Console
    from rich.live import Live

    first = asked(daemon, "GET", "/status", within_s=_WITHIN_S, json=False)
    console = Console(no_color=not in_colour(), highlight=False)
    data: dict[str, Any] = first
    trouble = ""
    with Live(console=console, screen=True, auto_refresh=False) as shown:
        while True:
            width, height = max(console.width, _LEAST_WIDTH), max(console.height, _LEAST_HEIGHT)
            head = [Line(cut(trouble, width), "dead")] if trouble else []
            shown.update(_drawn([*head, *lines(data, width=width, now=datetime.now(UTC))], height), refresh=True)
            time.sleep(every_s)
            try:
                data, trouble = daemon.ask("GET", "/status", within_s=_WITHIN_S), ""
            except NoDaemon as error:
                trouble = f"{error} - below is what it said last"


def _drawn(all_lines: Sequence[Line], height: int) -> Text:
    """As many lines as there is room for."""
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis", end="")
    room = height - 1
    shown = list(all_lines[:room]) if len(all_lines) > room else list(all_lines)
    if len(all_lines) > room:
        shown[-1] = Line(f"... {len(all_lines) - room + 1} more lines; --once shows all")
    for line in shown:
        text.append(line.text + "\n", style=STYLES.get(line.style, ""))
    return text
