"""`messenger-bridge run`: the daemon. `bridge.cli.daemon_config` takes the plain form of it past typer."""

from __future__ import annotations

import typer

from bridge.cli.options import DEFAULT_CONFIG, ConfigPath


def run(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Relay until stopped. SIGTERM or Ctrl-C drains waiting messages; a second one ends at once. SIGHUP reloads bridge.yaml."""
    from bridge.cli.start import start

    raise typer.Exit(start(config))
