"""Options that several commands take, and loading the configuration they name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.exits import EX_CONFIG
from bridge.cli.output import as_json, fault_data, show_faults

if TYPE_CHECKING:
    from bridge.config.model import Config, Loaded

ConfigPath = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="MESSENGER_BRIDGE_CONFIG", show_envvar=True, help="The configuration file.", metavar="FILE"
    ),
]
DEFAULT_CONFIG = Path("bridge.yaml")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, for scripts.")]


def load(path: Path) -> Loaded:
    """The configuration with everything that was found in it."""
    from adapters import registry
    from bridge.config.load import load_config

    return load_config(path, os.environ, registry.manifest, registry.platforms())


def load_or_exit(path: Path, *, json: bool = False) -> Config:
    """The configuration; faults are shown and end the command with 78. Warnings are `check`'s business."""
    loaded = load(path)
    if loaded.config is None:
        if json:
            as_json({"ok": False, "faults": [fault_data(fault) for fault in loaded.faults]})
        else:
            show_faults(loaded.faults, ())
        raise typer.Exit(EX_CONFIG)
    return loaded.config
