"""The live tap of `trace --follow`. Reads the journal's file and not the daemon: nothing slows the relaying, and what happens while
nobody looks is there, with its number, when somebody looks again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import typer

from bridge.cli.journal import journal_file, with_journal
from bridge.cli.options import load
from bridge.cli.output import say, styled
from bridge.journal.tracing import Step
from bridge.model.one_line import one_line
from bridge.tracing import steps
from bridge.tracing.finding import known_of
from bridge.tracing.steps import Wanted, gaps

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.journal.contract import Journal
    from bridge.tracing.finding import FindingStore
    from bridge.tracing.known import Known

_PAGE = 100
_LOOK_S = 0.5
"""Between two looks when nothing happened."""


class Shown(Protocol):
    """Where steps go."""

    def step(self, step: Step, known: Known) -> None: ...

    def gap(self, line: str) -> None:
        """What is missing among them."""
        ...


class Explained:
    """What bridge.yaml says, read again when the file has changed; a version with faults is not used."""

    def __init__(self, path: Path, config: Config, load: Callable[[Path], Config | None]) -> None:
        self._path = path
        self._config = config
        self._load = load
        self._read_at = _changed_at(path)
        self._known: Known | None = None

    async def now(self, journal: FindingStore) -> Known:
        changed_at = _changed_at(self._path)
        if changed_at != self._read_at:
            self._read_at = changed_at
            config = await asyncio.to_thread(self._load, self._path)
            if config is not None:
                self._config, self._known = config, None
        now = datetime.now(UTC)
        if self._known is None:
            self._known = await known_of(journal, self._config, now=now)
        else:
            self._known = self._known.at({name: wait.until for name, wait in (await journal.waits()).items()}, now)
        return self._known


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


class OneFile:
    """Whether a path still leads to the file that it led to: a journal that was restored from a backup is another one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is = self._now()

    def is_there(self) -> bool:
        return self._now() == self._is

    def _now(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino


async def follow(
    journal: FindingStore, after: int | None, wanted: Wanted, shown: Shown, explained: Explained, goes_on: Callable[[], bool]
) -> int:
    """Show the steps behind `after` (None: behind the newest) until all are read and `goes_on` says no. Returns the number of the
    last one. Raises JournalError."""
    if after is None:
        after = (await journal.steps(after=0, limit=0)).newest
    while True:
        page = await journal.steps(after=after, limit=_PAGE)
        for line in gaps(page, after):
            shown.gap(line)
        chosen = [step for step in page.steps if wanted.shows(step)]
        if chosen:
            known = await explained.now(journal)
            for step in chosen:
                shown.step(step, known)
        after = page.last
        if after >= page.newest:
            if not goes_on():
                return after
            await asyncio.sleep(_LOOK_S)


# -- the command ------------------------------------------------------------------------------------------------------------


class Printed:
    """Lines for people, or one JSON value a line. What is missing is said on stderr too, so that a pipe has steps alone."""

    def __init__(self, *, json: bool) -> None:
        self._json = json

    def step(self, step: Step, known: Known) -> None:
        if self._json:
            typer.echo(msgspec.json.encode(steps.data(step, known)))
        else:
            typer.echo(styled(one_line(steps.line(step, known)), step.kind.value))

    def gap(self, line: str) -> None:
        if self._json:
            typer.echo(msgspec.json.encode({"gap": line}))
        else:
            say(one_line(line))


def tap(path: Path, journal: Path | None, config: Config, wanted: Wanted, begin: int | None, *, live: bool, json: bool) -> None:
    """Show steps, from `begin` on or from now on, until Ctrl-C; or, if not `live`, those that there are."""
    file = journal_file(path, journal, json=json)
    explained = Explained(path, config, lambda path: load(path, without_secrets=True).config)
    shown = Printed(json=json)
    after = None if begin is None else begin - 1
    while True:
        this = OneFile(file)

        async def work(opened: Journal, after: int | None = after, this: OneFile = this) -> int:
            return await follow(opened, after, wanted, shown, explained, lambda: live and this.is_there())

        after = with_journal(path, file, work, json=json)
        if not live:
            return
        shown.gap("the journal is another file now: going on with that")
        after = None
