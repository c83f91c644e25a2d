"""Starts the daemon in this process. Called by `main` and by typer's `run`; imports nothing that only people at a terminal need."""

from __future__ import annotations

from pathlib import Path


def start(path: Path) -> int:
    """Relay until stopped; returns the exit code."""
    # observe comes first, so that structlog is imported without what it does not need
    from bridge.observe import log_uncaught_errors  # isort: split
    from adapters import registry
    from bridge.daemon import run_daemon

    log_uncaught_errors()
    return run_daemon(path, registry.manifest, registry.platforms())
