"""`messenger-bridge example`: bridge.yaml.example of this version, wherever the bridge was installed from."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import typer

import bridge
from bridge.cli.exits import EX_FAILED
from bridge.cli.output import fail

NAME = "bridge.yaml.example"


def example() -> None:
    """Print a commented bridge.yaml with every option: messenger-bridge example > bridge.yaml"""
    path = find(NAME)
    if path is None:
        fail(f"{NAME} was not installed with this bridge; it is in the source package", EX_FAILED)
    typer.echo(path.read_text(encoding="utf-8"), nl=False)


def find(name: str) -> Path | None:
    """A file that comes with the bridge: of the tree it runs in, or of the installed package."""
    here = Path(bridge.__file__).parents[1] / name
    if here.is_file():
        return here
    try:
        installed = [Path(str(one.locate())) for one in files("messenger-bridge") or [] if one.name == name]
    except PackageNotFoundError:
        installed = []
    # Debian's package moves it out of the environment; beside the root that it is installed in
    roots = list(Path(sys.prefix).parents)[2:3]
    debian = [root / "usr" / "share" / "doc" / "messenger-bridge" / name for root in roots]
    return next((path for path in (*installed, *debian) if path.is_file()), None)
