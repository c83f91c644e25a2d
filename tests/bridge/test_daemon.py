"""Reloads and the watchdog outlive whatever goes wrong in one of them; the daemon as a process is in tests/flows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge import daemon
from bridge.config.model import Config, Loaded
from bridge.config.reader_process import Reading
from bridge.journal.contract import JournalError
from bridge.model.errors import ConfigFault
from tests.support.patience import eventually

FAULTY = Loaded(None, faults=[ConfigFault("unknown key 'x'", path="bridge.yaml", line=3), ConfigFault("another")])


class Daemon:
    """The reload loop of one, with what it told systemd."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.hang_up = asyncio.Event()
        self.loaded = Loaded(Config(path=Path("bridge.yaml"), accounts={}, routes=()))
        self.reading: Exception | None = None
        self.applying: Exception | None = None
        self.later: tuple[str, ...] = ()
        self.applied = 0
        self.reloads = daemon._Reloads()
        self.task = asyncio.create_task(
            daemon._reloads(self, self.hang_up, self, None, self, self.reloads)  # type: ignore[arg-type]
        )

    def notify(self, text: str) -> None:
        self.told.append(text)

    def read(self) -> Reading:
        if self.reading is not None:
            raise self.reading
        return Reading(self.loaded, frozenset())

    async def reload(self, config: Config) -> tuple[str, ...]:
        if self.applying is not None:
            raise self.applying
        self.applied += 1
        return self.later

    async def hup(self) -> str:
        """SIGHUP; returns the status that systemd has then."""
        before = self.told.count("READY=1")
        self.hang_up.set()
        await eventually(lambda: self.told.count("READY=1") > before and self.told[-1].startswith("STATUS="))
        assert self.told[-3] == "RELOADING=1"
        return self.told[-1].removeprefix("STATUS=")


@pytest.fixture
async def one(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Daemon]:
    monkeypatch.setattr(daemon, "set_up_logging", lambda *_, **__: None)
    running = Daemon()
    yield running
    assert not running.task.done()
    running.task.cancel()
    await asyncio.gather(running.task, return_exceptions=True)


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda one: setattr(one, "applying", JournalError("disk I/O error")), "bridge.yaml not reloaded: disk I/O error"),
        (lambda one: setattr(one, "applying", OSError(28, "no space left")), "bridge.yaml not reloaded: [Errno 28] no space left"),
        (lambda one: setattr(one, "applying", KeyError("a bug")), "bridge.yaml not reloaded: unexpected KeyError; see the log"),
        (
            lambda one: setattr(one, "reading", RuntimeError("a bug")),
            "bridge.yaml not reloaded: unexpected RuntimeError; see the log",
        ),
        (lambda one: setattr(one, "loaded", FAULTY), "bridge.yaml not reloaded: bridge.yaml:3: unknown key 'x' (and 1 more)"),
    ],
    ids=["journal", "disk", "bug", "bug in reading", "faults"],
)
async def test_a_reload_that_fails_is_told_and_leaves_the_next_one_possible(
    one: Daemon, break_it: Callable[[Any], None], told: str
) -> None:
    sound = one.loaded
    break_it(one)
    assert await one.hup() == told
    assert one.reloads.outcome == f"; {told}"
    one.applying = one.reading = None
    one.loaded = sound
    assert await one.hup() == "bridge.yaml reloaded"
    assert (one.applied, one.reloads.outcome) == (1, "")


async def test_what_takes_a_restart_is_named_until_a_reload_has_nothing_to_name(one: Daemon) -> None:
    one.later = ("journal.path", "web.admin")
    assert await one.hup() == "reloaded, but journal.path, web.admin changed and take a restart"
    assert one.reloads.outcome == "; reloaded, but journal.path, web.admin changed and take a restart"
    one.later = ()
    assert await one.hup() == "bridge.yaml reloaded"
    assert one.reloads.outcome == ""


async def test_the_watchdog_outlives_a_report_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    told: list[str] = []
    answers: list[Any] = [
        JournalError("disk I/O\nerror"),
        KeyError("a bug"),
        {"accounts": {"tg": "up"}, "dead": 2, "ends_in_trouble": 0},
    ]

    async def brief() -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    reloads = daemon._Reloads()
    app, notifier = SimpleNamespace(brief=brief), SimpleNamespace(notify=told.append)
    task = asyncio.create_task(daemon._watchdog(notifier, app, reloads))  # type: ignore[arg-type]
    try:
        await eventually(lambda: len(told) >= 4)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert told[:3] == [
        "WATCHDOG=1\nSTATUS=journal unavailable: disk I/O error",
        "WATCHDOG=1\nSTATUS=unexpected KeyError; see the log",
        "WATCHDOG=1\nSTATUS=tg up; 2 dead letters",
    ]
