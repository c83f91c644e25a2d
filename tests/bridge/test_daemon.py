"""The watchdog outlives whatever goes wrong in a report; the daemon as a process is in tests/flows."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bridge import daemon
from bridge.journal.contract import JournalError
from tests.support.patience import eventually


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

    app, notifier = SimpleNamespace(reports=SimpleNamespace(brief=brief)), SimpleNamespace(notify=told.append)
    task = asyncio.create_task(daemon._watchdog(notifier, app, lambda: "not reloaded: a fault"))  # type: ignore[arg-type]
    try:
        await eventually(lambda: len(told) >= 4)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert told[:3] == [
        "WATCHDOG=1\nSTATUS=journal unavailable: disk I/O error; not reloaded: a fault",
        "WATCHDOG=1\nSTATUS=unexpected KeyError; see the log; not reloaded: a fault",
        "WATCHDOG=1\nSTATUS=tg up; 2 dead letters; not reloaded: a fault",
    ]


async def test_a_start_that_takes_long_is_given_time_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "_LONGEST_START_S", 3 * daemon._START_STEP_S)
    told: list[str] = []
    await daemon._starting(SimpleNamespace(notify=told.append), step_s=0.01)  # type: ignore[arg-type]
    assert told == ["EXTEND_TIMEOUT_USEC=60000"] * 3
