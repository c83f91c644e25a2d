"""Opens the journal for commands, whether or not a daemon runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bridge.cli.exits import EX_CONFIG, EX_UNAVAILABLE
from bridge.cli.output import as_json, fail, fault_data, say, show_faults
from bridge.model.moments import moment as moment

if TYPE_CHECKING:
    from bridge.journal.contract import Journal

T = TypeVar("T")

_SERVICE_STATE = Path("/var/lib/messenger-bridge")
"""Where the systemd unit keeps its state: an admin's shell does not have the service's environment."""

JournalPath = Annotated[
    Path | None, typer.Option("--journal", help="The journal file. Default: the one that the configuration names.", metavar="FILE")
]


def with_journal(config: Path, journal: Path | None, work: Callable[[Journal], Coroutine[Any, Any, T]], *, json: bool) -> T:
    """Run `work` on the opened journal; a journal that cannot be used ends the command with 69."""
    from bridge.journal import open_journal
    from bridge.journal.contract import JournalError

    path = journal_file(config, journal, json=json)

    async def run() -> T:
        async with open_journal(path, exclusive=False) as opened:
            return await work(opened)

    try:
        return asyncio.run(run())
    except JournalError as error:
        fail(str(error), EX_UNAVAILABLE, json=json)


def journal_file(config: Path, journal: Path | None, *, json: bool) -> Path:
    """The existing file. One that is not there ends the command with 69."""
    path = journal if journal is not None else journal_of(config, json=json)
    if not path.is_file():
        fail(f"there is no journal {path}: has the bridge run yet?", EX_UNAVAILABLE, json=json)
    return path


def journal_of(config: Path, *, json: bool) -> Path:
    """The journal that the configuration names. The rest of the file is not checked: an admin's shell has no tokens."""
    from bridge.config.env_file import with_file
    from bridge.config.load import find_journal
    from bridge.model.errors import ConfigFault

    try:
        place, faults = find_journal(config, with_file(os.environ))
    except ConfigFault as fault:
        place, faults = None, [fault]
    if place is None:
        if json:
            as_json({"ok": False, "faults": [fault_data(fault) for fault in faults]})
        else:
            show_faults(faults, ())
            say("--journal FILE needs no configuration")
        raise typer.Exit(EX_CONFIG)
    services = _SERVICE_STATE / place.path.name
    if place.is_default and not place.path.is_file() and services.is_file():
        say(f"using the service's journal, {services}")
        return services
    return place.path
