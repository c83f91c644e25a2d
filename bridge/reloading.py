"""Reloads of a running bridge: bridge.yaml is read and checked, compared with what is in force, and applied; if what it brings does
not come up, everything is as before. Called by `daemon` for SIGHUP, and over the control socket.

One reload at a time. A reload that has begun is finished, whether or not somebody still waits for its result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from bridge.account_trial import NotUp
from bridge.config.difference import Difference
from bridge.config.model import Config, Loaded
from bridge.config.reader_process import Reading, ReadingFailed
from bridge.journal.contract import JournalError
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.errors import ConfigFault
from bridge.model.one_line import one_line
from bridge.model.tasks import end
from bridge.observability.logs import masked, set_up_logging

log = structlog.get_logger("daemon")

UP_WITHIN_S = 30.0
"""How long accounts that are new or connect anew may take to come up."""
_MOST_WAITING = 8
"""Reloads that were asked for over the control socket, and as many looks."""
_MOST_LINES = 50
"""Of a difference, in the log."""
_END_S = 5.0


class Reloadable(Protocol):
    """The part of an `App` that reloads."""

    @property
    def config(self) -> Config: ...

    async def reload(self, config: Config, *, up_within_s: float | None = None) -> Sequence[str]: ...

    def difference(self, config: Config) -> Difference: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Reloaded:
    """What became of a reload, or what one would change (`applied` is False then, and there are no faults)."""

    applied: bool = False
    """It is in force; with faults, because what came after that failed."""
    config_faults: tuple[ConfigFault, ...] = ()
    """Of bridge.yaml."""
    faults: tuple[str, ...] = ()
    """Other reasons why it was not applied."""
    warnings: tuple[ConfigFault, ...] = ()
    difference: Difference = field(default_factory=Difference)
    rolled_back: bool = False
    """It was begun, and undone."""
    seen: str = ""
    """A hash of what was read (`Loaded.seen`)."""
    is_other: bool = False
    """It was not begun: the file is not the one that was agreed to."""
    is_crowded: bool = False
    """It was not begun: too many others are under way."""

    @property
    def ok(self) -> bool:
        return not self.config_faults and not self.faults

    @property
    def outcome(self) -> str:
        """One line for the status of the service; empty if there is nothing to do."""
        found = [*map(str, self.config_faults), *self.faults]
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            back = "; what was in force before is in force" if self.rolled_back else ""
            failed = "reloaded, but not all of it is done; reload once more" if self.applied else "not reloaded"
            return f"bridge.yaml {failed}: {found[0]}{more}{back}"
        later = ", ".join(self.difference.needs_restart)
        return f"reloaded, but {later} changed and take a restart" if later and self.applied else ""

    def data(self) -> dict[str, Any]:
        """As the control socket answers."""
        return {
            "ok": self.ok,
            "applied": self.applied,
            "rolled_back": self.rolled_back,
            "config_faults": [_fault_data(fault) for fault in self.config_faults],
            "faults": [masked(fault) for fault in self.faults],
            "warnings": [_fault_data(fault) for fault in self.warnings],
            "difference": self.difference.data(),
            "lines": list(self.difference.lines()),
        }


_Read = Reloaded | tuple[Config, Loaded, Iterable[str]]
"""The configuration with its warnings and secrets, or why there is none."""


class Reloader:
    """`read` reads bridge.yaml, in a thread; `preload` imports what a platform needs; `notify` tells systemd."""

    def __init__(
        self,
        app: Reloadable,
        *,
        read: Callable[[], Reading],
        preload: Callable[[str], None],
        notify: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
        up_within_s: float = UP_WITHIN_S,
    ) -> None:
        self._app = app
        self._read = read
        self._preload = preload
        self._notify = notify
        self._clock = clock
        self._up_within_s = up_within_s
        self._one_at_a_time = asyncio.Lock()
        self._reloads: set[asyncio.Task[Reloaded]] = set()
        self._looks: set[asyncio.Task[Reloaded]] = set()
        self._latest: tuple[datetime, Reloaded] | None = None

    @property
    def outcome(self) -> str:
        """Of the latest reload, while there is something to do about it."""
        return self._latest[1].outcome if self._latest is not None else ""

    def latest(self) -> dict[str, Any]:
        """For `status`."""
        if self._latest is None:
            return {}
        at, reloaded = self._latest
        return {"at": at.isoformat(), "ok": reloaded.ok, "outcome": masked(reloaded.outcome)}

    async def on_signal(self, hang_up: asyncio.Event) -> None:
        """One reload per SIGHUP, whatever the result of the previous one, and however many wait: nobody could tell who sent it to
        try again. Signals that come while one waits are one. Until cancelled."""
        while True:
            await hang_up.wait()
            hang_up.clear()
            await self._do(self._reload(), "reload", self._reloads)

    async def reload(self, *, keep: bool = False, agreed: Callable[[str], bool] | None = None) -> Reloaded:
        """`keep`: what does not come up stays all the same, and is tried again as after a start. `agreed` says of what was read
        (`Loaded.seen`) whether it is what somebody wanted to apply; None: whatever it is."""
        if len(self._reloads) >= _MOST_WAITING:
            return _crowded()
        return await self._do(self._reload(keep, agreed), "reload", self._reloads)

    async def look(self) -> Reloaded:
        """What a reload would change."""
        return _crowded() if len(self._looks) >= _MOST_WAITING else await self._do(self._look(), "difference", self._looks)

    async def close(self) -> None:
        """What is under way is cut short: the bridge stops."""
        await end(self._reloads | self._looks, within_s=_END_S)

    async def _do(self, work: Coroutine[Any, Any, Reloaded], name: str, among: set[asyncio.Task[Reloaded]]) -> Reloaded:
        task = asyncio.create_task(work, name=name)
        among.add(task)
        task.add_done_callback(among.discard)
        return await asyncio.shield(task)

    async def _look(self) -> Reloaded:
        async with self._one_at_a_time:
            read = await self._read_file()
            if isinstance(read, Reloaded):
                return read
            config, loaded, _ = read
            differs = await asyncio.to_thread(self._app.difference, config)
            return Reloaded(warnings=tuple(loaded.warnings), difference=differs, seen=loaded.seen)

    async def _reload(self, keep: bool = False, agreed: Callable[[str], bool] | None = None) -> Reloaded:
        async with self._one_at_a_time:
            if agreed is None:
                self._tell_begun()
            read = await self._read_file()
            if agreed is not None:
                if not agreed(read.seen if isinstance(read, Reloaded) else read[1].seen):
                    return Reloaded(faults=("the file is not the one that was agreed to",), is_other=True)
                self._tell_begun()
            reloaded = await self._reloaded(read, keep)
            self._latest = (self._clock.now(), reloaded)
            for line in [*map(str, reloaded.config_faults), *reloaded.faults]:
                if reloaded.applied:
                    log.error("bridge.yaml reloaded, but not all of it is done", fault=line)
                else:
                    log.error("bridge.yaml not reloaded", fault=line, rolled_back=reloaded.rolled_back)
            self._notify("READY=1")
            self._notify("STATUS=" + one_line(masked(reloaded.outcome or "bridge.yaml reloaded")))
            return reloaded

    def _tell_begun(self) -> None:
        # with the moment: where a unit has Type=notify-reload, systemd tells by it which reload is meant (sd_notify(3))
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    async def _reloaded(self, read: _Read, keep: bool) -> Reloaded:
        if isinstance(read, Reloaded):
            return read
        config, loaded, secrets = read
        warnings = tuple(loaded.warnings)
        try:
            differs = await asyncio.to_thread(self._app.difference, config)
            set_up_logging(self._app.config.log, secrets=secrets)
            for platform in {account.platform for account in config.accounts.values()}:
                await asyncio.to_thread(self._preload, platform)
            needs_restart = await self._app.reload(config, up_within_s=None if keep else self._up_within_s)
        except NotUp as error:
            return Reloaded(faults=error.faults, warnings=warnings, difference=differs, rolled_back=True)
        except Exception as error:
            known = isinstance(error, JournalError | OSError)
            fault = (str(error) or type(error).__name__) if known else _unexpected(error)
            if self._app.config is not config:
                return Reloaded(faults=(fault,), warnings=warnings)
            set_up_logging(config.log, secrets=secrets)
            return Reloaded(applied=True, faults=(fault,), warnings=warnings, difference=differs)
        set_up_logging(config.log, secrets=secrets)
        log.info("bridge.yaml reloaded", routes=len(config.routes), changes=list(differs.lines())[:_MOST_LINES])
        if needs_restart:
            log.warning("changed, and in force only after a restart", keys=", ".join(needs_restart))
        return Reloaded(applied=True, warnings=warnings, difference=differs)

    async def _read_file(self) -> _Read:
        try:
            reading = await asyncio.to_thread(self._read)
        except (ReadingFailed, OSError) as error:
            return Reloaded(faults=(str(error) or type(error).__name__,))
        except Exception as error:
            return Reloaded(faults=(_unexpected(error),))
        loaded = reading.loaded
        if loaded.config is None:
            return Reloaded(config_faults=tuple(loaded.faults), warnings=tuple(loaded.warnings), seen=loaded.seen)
        return loaded.config, loaded, reading.secrets


def _crowded() -> Reloaded:
    return Reloaded(faults=("others are under way; try again when they are done",), is_crowded=True)


def _unexpected(error: Exception) -> str:
    log.exception("reload failed unexpectedly")
    return f"unexpected {type(error).__name__}; see the log"


def _fault_data(fault: ConfigFault) -> dict[str, Any]:
    names = ("path", "line", "column", "key", "why", "value", "hint")
    return {name: getattr(fault, name) for name in names} | {"text": str(fault)}
