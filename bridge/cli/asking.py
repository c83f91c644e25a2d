"""What the commands that ask a running daemon share: options, and finding it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.cli.daemon import Daemon, NoDaemon
from bridge.cli.exits import EX_TEMPFAIL
from bridge.cli.journal import journal_of
from bridge.cli.options import DEFAULT_CONFIG
from bridge.cli.output import fail, say
from bridge.web.control_place import SERVICE_SOCKET

SocketPath = Annotated[
    Path | None,
    typer.Option(
        "--socket", help="The daemon's control socket. Default: where the daemon of the configuration listens.", metavar="FILE"
    ),
]


def daemon_of(config: Path, socket: Path | None, *, json: bool) -> Daemon:
    """The daemon that runs this file; where there is none and none is named, the service's. Ends the command with 78 if the file
    does not say where its journal is."""
    if socket is None and config == DEFAULT_CONFIG and not config.exists() and SERVICE_SOCKET.exists():
        say(f"asking the service at {SERVICE_SOCKET}")
        socket = SERVICE_SOCKET
    journal = Path() if socket is not None else journal_of(config, json=json)
    return Daemon(config, journal, socket)


def asked(daemon: Daemon, method: str, path: str, *, within_s: float, json: bool) -> dict[str, Any]:
    """The answer; a daemon that is not there, or does not answer, ends the command with 75."""
    try:
        return daemon.ask(method, path, within_s=within_s)
    except NoDaemon as error:
        fail(str(error), EX_TEMPFAIL, json=json)
