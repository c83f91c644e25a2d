"""A bot that begins more than 1000 sessions a day has its token reset: crash loops end before that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.common.platform_time import PlatformTime
from adapters.discord.inbound.identify_budget import CURSOR, DAY_S, KEPT_FOR_PEOPLE, IdentifyBudget
from bridge.model.errors import AccountDown
from tests.adapters.discord.conftest import Bench
from tests.support.intake import RecordingIntake


class Day:
    """Steady and local time, moved by sleeping."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.waited_s: list[float] = []
        self.intake = RecordingIntake()

    async def sleep(self, seconds: float) -> None:
        self.waited_s.append(seconds)
        self.at_s += seconds

    def budget(self, local_off_s: float = 0.0) -> IdentifyBudget:
        """Of a new process."""
        time = PlatformTime(local_s=lambda: 1e9 + self.at_s + local_off_s, steady_s=lambda: self.at_s)
        time.learn_moment(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at_s))
        return IdentifyBudget(self.intake, time, sleep=self.sleep)


@pytest.mark.parametrize(
    "local_off_s", [lambda _: 0.0, lambda n: 3e7 * (-1) ** n, lambda n: 86_400.0 * n], ids=["right", "jumping", "racing"]
)
async def test_no_crash_loop_exceeds_the_limit(local_off_s: Callable[[int], float]) -> None:
    day = Day()
    begun_at_s: list[float] = []
    while day.at_s < 3 * DAY_S:
        day.at_s += 60.0  # a crash a minute
        with suppress(AccountDown):
            await day.budget(local_off_s(len(begun_at_s))).take(None)
            begun_at_s.append(day.at_s)
    assert len(begun_at_s) > 1000, "it goes on the next day"
    for first in begun_at_s:
        assert sum(1 for at_s in begun_at_s if first <= at_s < first + DAY_S) < 1000


async def test_a_few_sessions_are_not_held_up_and_discords_own_count_is_kept_to() -> None:
    day = Day()
    for _ in range(100):
        await day.budget().take({"total": 1000, "remaining": 900, "reset_after": 1000})
    assert day.waited_s == []
    with pytest.raises(AccountDown, match="too many sessions") as raised:
        await day.budget().take({"total": 1000, "remaining": KEPT_FOR_PEOPLE, "reset_after": 7_200_000})
    assert "2.0 h" in raised.value.action
    odd: Any = {"total": "odd", "remaining": None, "reset_after": []}
    await day.budget().take(odd)


async def test_many_sessions_are_spread_over_the_day() -> None:
    day = Day()
    for _ in range(400):
        await day.budget().take(None)
    assert DAY_S * 0.15 < day.at_s < DAY_S * 0.25, "the second 200 of 1000"


async def test_a_cursor_of_another_form_begins_anew() -> None:
    day = Day()
    day.intake.cursors[CURSOR] = '{"since_s": "yesterday"}'
    await day.budget().take(None)
    assert '"count":1' in day.intake.cursors[CURSOR]


async def test_each_session_of_the_adapter_is_counted(bench: Bench) -> None:
    intake = bench.intake()
    async with bench.running(bench.adapter(), intake):
        pass
    bench.emulator.gateway.invalidate_sessions()
    async with bench.running(bench.adapter(), intake):
        await asyncio.sleep(0)
    assert '"count":2' in intake.cursors[CURSOR]
    assert bench.emulator.gateway.identifies == 2
