"""What `status` is told: composed of what is known, asked for once a second at most, and bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.health import without_journal
from bridge.web.status import Status, StatusParts
from tests.support.clock import ManualClock

DISK = {"journal": {"status": "pass", "reason": "", "action": "", "free_bytes": 5, "total_bytes": 7}}


def lane(number: int, status: str = "pass") -> dict[str, Any]:
    oldest = f"2026-01-01T00:{59 - number % 60:02}:00+00:00"
    return {"target": f"tg/{number}", "status": status, "waiting": 2, "oldest": oldest, "next_attempt_at": None, "reason": ""}


class Bridge:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.asked = 0
        self.takes_s = 0.0
        self.found: dict[str, Any] = {
            "ok": True,
            "status": "pass",
            "accounts": {"tg": {"status": "pass"}},
            "routes": {"list": [{"name": "lobby", "ends": []}]},
            "lanes": [],
            "disk": DISK,
        }
        parts = StatusParts(
            report=self.report,
            per_minute=lambda: {("in", "tg"): 3, ("out", "tg"): 5, ("route", "lobby"): 5},
            reloaded=lambda: {"ok": True},
            clock=self.clock,
            config=Path("bridge.yaml"),
        )
        self.status = Status(parts)

    async def report(self) -> dict[str, Any]:
        self.asked += 1
        self.clock.forward(self.takes_s)
        await asyncio.sleep(0)
        return dict(self.found)


@pytest.fixture
def one() -> Bridge:
    return Bridge()


async def test_it_has_rates_disk_reload_and_where_it_runs(one: Bridge) -> None:
    one.clock.forward(90)
    data = await one.status.data()
    assert data["accounts"]["tg"] == {"status": "pass", "in_per_min": 3, "out_per_min": 5}
    assert data["routes"]["list"][0]["per_min"] == 5
    assert (data["per_min"], data["up_s"], data["reload"]) == ({"in": 3, "out": 5}, 90, {"ok": True})
    assert data["disk"] == {"free_bytes": 5, "total_bytes": 7}
    assert data["config"] == str(Path.cwd() / "bridge.yaml")


async def test_a_crowd_asks_the_journal_once_a_second(one: Bridge) -> None:
    await asyncio.gather(*(one.status.data() for _ in range(20)))
    assert one.asked == 1
    one.clock.forward(0.9)
    await one.status.data()
    assert one.asked == 1
    one.clock.forward(0.2)
    await one.status.data()
    assert one.asked == 2


async def test_a_report_that_takes_long_is_asked_for_rarely(one: Bridge) -> None:
    one.takes_s = 0.5
    for _ in range(2):
        await one.status.data()
        one.clock.forward(9.4)
        await one.status.data()
        asked = one.asked
        one.clock.forward(0.7)
        await one.status.data()
        assert one.asked == asked + 1
    one.takes_s = 0.0
    one.clock.forward(11)
    await one.status.data()
    one.clock.forward(1.1)
    await one.status.data()
    assert one.asked == asked + 3


async def test_of_many_chats_the_worst_and_oldest_are_shown_and_all_are_counted(one: Bridge) -> None:
    one.found["lanes"] = [*(lane(number) for number in range(500)), lane(7, "fail")]
    data = await one.status.data()
    assert data["waiting"] == {"deliveries": 1002, "chats": 501, "oldest": "2026-01-01T00:00:00+00:00"}
    assert len(data["lanes"]) == 100
    assert [one["status"] for one in data["lanes"][:2]] == ["fail", "pass"]


async def test_a_journal_that_cannot_be_asked_is_told(one: Bridge) -> None:
    one.found = without_journal("disk I/O error") | {"disk": DISK}
    data = await one.status.data()
    assert (data["ok"], data["journal"], data["waiting"]["chats"]) == (False, {"error": "disk I/O error"}, 0)


async def test_a_disk_that_does_not_answer_is_told(one: Bridge) -> None:
    one.found["disk"] = {"journal": {"status": "warn", "reason": "the disk does not answer", "action": "look"}}
    assert (await one.status.data())["disk"] == {"error": "the disk does not answer"}
