"""The root command: options, and the table of commands, each imported only when it is called or listed in the help."""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bridge.config.env_file import VARIABLE

_COMMANDS = {
    "init": "bridge.cli.init:init",
    "run": "bridge.cli.run:run",
    "check": "bridge.cli.check:check",
    "reload": "bridge.cli.reload:reload",
    "status": "bridge.cli.status:status",
    "test": "bridge.cli.testing:try_route",
    "chats": "bridge.cli.chats:chats",
    "routes": "bridge.cli.routes:routes",
    "trace": "bridge.cli.trace:trace",
    "dead": "bridge.cli.dead:dead",
    "retry-now": "bridge.cli.retry_now:retry_now",
    "people": "bridge.cli.people:people",
    "mute": "bridge.cli.people:mute",
    "unmute": "bridge.cli.people:unmute",
    "audit": "bridge.cli.people:audit",
    "journal": "bridge.cli.journal_file:journal",
    "forget": "bridge.cli.forget:forget",
    "dialect": "bridge.cli.dialect:dialect",
    "keys": "bridge.cli.keys:keys",
    "hooks": "bridge.cli.hooks:hooks",
    "schema": "bridge.cli.schema:schema",
    "example": "bridge.cli.example:example",
    "monitoring": "bridge.cli.monitoring:monitoring",
    "import": "bridge.cli.importing:import_",
    "sandbox": "bridge.cli.sandbox:sandbox",
}
"""Command -> where its function (or its group of commands) is, in the order of the help."""


class _LazyGroup(TyperGroup):
    """Finds commands by name, so that `run` does not import the modules of the others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = dict.fromkeys(_COMMANDS, self)  # only the names count, for "did you mean"

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False)
            single.command(cmd_name)(found)
            found = single
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


def build() -> Any:
    """The root command, ready to be called."""
    app = typer.Typer(
        cls=_LazyGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Mirrors chats across messengers, as bridge.yaml configures it.",
        epilog="Exit codes: 0 ok, 1 problems found, 2 wrong usage, 69 journal unusable, 75 try later, 78 faults in bridge.yaml.",
    )
    app.callback()(_root)
    return typer.main.get_command(app)


def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            is_eager=True,
            callback=lambda asked: _version() if asked else None,
            help="Show the version and exit.",
        ),
    ] = False,
    env_file: Annotated[
        Path | None,
        typer.Option(
            "--env-file",
            envvar=VARIABLE,
            show_envvar=True,
            metavar="FILE",
            help="Variables for bridge.yaml, one NAME=value a line. May stand behind a command too. Set variables are stronger.",
        ),
    ] = None,
) -> None:
    """`env_file` was taken before (`env_option`): it is here for the help."""


def _version() -> None:
    typer.echo(f"messenger-bridge {version('messenger-bridge')} (Python {platform.python_version()})")
    raise typer.Exit
