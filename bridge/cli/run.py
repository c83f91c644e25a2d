"""`messenger-bridge run`: the daemon. Everything else about it is in `bridge.daemon`."""

from __future__ import annotations

import typer

from bridge.cli.options import DEFAULT_CONFIG, ConfigPath


def run(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Relay until stopped. SIGTERM or Ctrl-C drains, a second one ends at once; SIGHUP reads the configuration again."""
    # observe comes first, so that structlog is imported without what it does not need
    from bridge.observe import log_uncaught_errors  # isort: split
    from adapters import registry
    from bridge.daemon import run_daemon

    log_uncaught_errors()
    raise typer.Exit(run_daemon(config, registry.manifest, registry.platforms()))
