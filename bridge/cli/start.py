"""Starts the daemon in this process. Called by `main` and by typer's `run`.

Imports nothing that only people at a terminal need, and nothing that reads bridge.yaml: `read` does that, in another process."""

from __future__ import annotations

import os
from pathlib import Path


def start(path: Path) -> int:
    """Relay until stopped; returns the exit code."""
    from bridge.config.reader_process import ConfigReader

    reader = ConfigReader(path, __name__, read.__name__, show.__name__)
    reader.begin()  # while this process imports what relays
    # observe comes first, so that structlog is imported without what it does not need
    from bridge.observability.logs import log_uncaught_errors  # isort: split
    from adapters import registry
    from bridge.daemon import run_daemon
    from bridge.policy.redact import ask_platforms

    ask_platforms(registry.secret_shapes)
    log_uncaught_errors()
    return run_daemon(reader, registry.load_platform)


def show(path: str) -> None:
    """What the process does that shows bridge.yaml."""
    from adapters import registry
    from bridge.config.env_file import with_file
    from bridge.config.load import show_config
    from bridge.config.reader_process import answer_shown
    from bridge.config.showing import Shown
    from bridge.model.errors import ConfigFault
    from bridge.policy.redact import ask_platforms

    ask_platforms(registry.secret_shapes)

    def load() -> Shown:
        try:
            environ = with_file(os.environ)
        except ConfigFault as fault:
            return Shown("", why=str(fault))
        return show_config(Path(path), environ, {name: registry.load_platform(name) for name in registry.platforms()})

    answer_shown(load)


def read(path: str) -> None:
    """What the reading process does."""
    from adapters import registry
    from bridge.config.env_file import with_file
    from bridge.config.load import load_config
    from bridge.config.model import Loaded
    from bridge.config.reader_process import answer
    from bridge.model.errors import ConfigFault
    from bridge.policy.redact import ask_platforms

    ask_platforms(registry.secret_shapes)

    def load() -> Loaded:
        try:
            environ = with_file(os.environ)
        except ConfigFault as fault:
            return Loaded(None, [fault])
        return load_config(Path(path), environ, registry.load_platform, registry.platforms())

    answer(load, registry.load_platform)
