"""`messenger-bridge schema`: the JSON Schema of bridge.yaml, for editors."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of bridge.yaml with the options of every platform, for editors and linters."""
    import json

    from adapters import registry
    from bridge.config.schema import schema as build

    typer.echo(json.dumps(build([registry.load_platform(name) for name in registry.platforms()]), indent=2, ensure_ascii=False))
