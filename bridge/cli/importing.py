"""`messenger-bridge import`: bridge.yaml from a matterbridge configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.exits import EX_CONFIG, EX_FAILED
from bridge.cli.output import fail, say
from bridge.model.one_line import one_line


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="matterbridge.toml, or its JSON or YAML form.", show_default=False)],
    secrets: Annotated[
        Path | None,
        typer.Option("--secrets", metavar="ENV", help="Write tokens into this new file, for the service's environment."),
    ] = None,
) -> None:
    """Print bridge.yaml for a matterbridge configuration.

    What has no counterpart is a comment there, and a line on stderr. Tokens are not printed: bridge.yaml has variables."""
    from adapters import registry
    from bridge.matterbridge.convert import convert
    from bridge.matterbridge.read import Unreadable, read
    from bridge.matterbridge.write import as_yaml

    try:
        foreign = read(file, os.environ)
    except Unreadable as error:
        fail(one_line(str(error)), EX_CONFIG)
    draft = convert(foreign, registry.matterbridge())
    if secrets is not None:
        _keep(draft.secrets, secrets)
    typer.echo(as_yaml(draft, file.name), nl=False)
    for note in draft.notes:
        say(one_line(str(note)))
    say(f"{len(draft.accounts)} accounts, {len(draft.routes)} routes, {len(draft.notes)} notes")
    if draft.secrets and secrets is None:
        say(f"{len(draft.secrets)} secrets are not printed: --secrets FILE writes {', '.join(draft.secrets)}")


def _keep(secrets: dict[str, str], path: Path) -> None:
    """A file of variables that only its owner can read. An existing file is never touched."""
    lines = "".join(f"{name}={_quoted(value)}\n" for name, value in secrets.items())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(lines)
    except FileExistsError:
        fail(f"{path} exists already: name a new file", EX_FAILED)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror or error}", EX_FAILED)


def _quoted(value: str) -> str:
    """As systemd's EnvironmentFile= reads it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`") + '"'
