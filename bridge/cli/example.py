"""`messenger-bridge example`: bridge.yaml.example of this version, wherever the bridge was installed from."""

from __future__ import annotations

import typer

from bridge.cli.exits import EX_FAILED
from bridge.cli.output import fail
from bridge.cli.shipped import find

NAME = "bridge.yaml.example"


def example() -> None:
    """Print a commented bridge.yaml with every option: messenger-bridge example > bridge.yaml"""
    path = find(NAME)
    if path is None:
        fail(f"{NAME} was not installed with this bridge; it is in the source package", EX_FAILED)
    typer.echo(path.read_text(encoding="utf-8"), nl=False)
