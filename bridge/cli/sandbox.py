"""`messenger-bridge sandbox`: see the bridge at work without accounts or tokens, or let it test itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sandbox(
    port: Annotated[int, typer.Option(help="Port of the web page on 127.0.0.1.", min=1, max=65535)] = 8090,
    keep: Annotated[Path | None, typer.Option(help="Keep bridge.yaml and the journal in this new folder.", file_okay=False)] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Instead of the page: test every pair of messengers and print a table.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --self-test: print the results as JSON.")] = False,
) -> None:
    """Run the bridge between emulated messengers on this machine, with a web page to write messages in."""
    # the registry and what the sandbox needs are imported here: `messenger-bridge --help` stays quick
    from adapters.registry import load_platform, platforms

    if as_json and not self_test:
        raise typer.BadParameter("goes with --self-test", param_hint="--json")
    if self_test:
        from bridge.sandbox.selftest import run_self_test

        raise typer.Exit(run_self_test(manifests=load_platform, platforms=platforms(), keep=keep, as_json=as_json))
    from bridge.sandbox.runner import run_sandbox

    raise typer.Exit(run_sandbox(manifests=load_platform, platforms=platforms(), port=port, keep=keep))
