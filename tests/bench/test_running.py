"""The bench itself: a figure that fails is a row that says so, and leaves nothing behind that would spoil the next one."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable
from pathlib import Path

import pytest
from rich.console import Console

import bench.__main__ as command
from bench import journal
from bench.busy import Tally, busy
from bench.disabled_end import disabled_end
from bench.stage import Relay, Stage
from bench.surface import surface
from tests.support.patience import PATIENCE_S


async def test_one_failing_row_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def works() -> command.Row:
        return {"figure": 1, "over_time": [1, 2]}

    async def fails() -> command.Row:
        raise RuntimeError("2 routes do not relay")

    async def hangs() -> command.Row:
        await asyncio.sleep(60)
        return {}

    def rows(quick: bool) -> list[Awaitable[command.Row]]:
        return [fails(), hangs(), works()]

    monkeypatch.setattr(command, "FIGURES", {"one": rows, "two": rows})
    monkeypatch.setattr(command, "_ROW_LIMIT_S", 0.1)
    console = Console(record=True, width=200)
    results = await command.measure(["one", "two"], True, console)
    for name in ("one", "two"):
        failed, hung, worked = results[name]
        assert failed == {"failed": "RuntimeError: 2 routes do not relay"}
        assert hung["failed"].startswith("TimeoutError")
        assert worked["figure"] == 1
    shown = console.export_text()
    assert "2 routes do not relay" in shown
    assert "over_time" not in shown


async def test_the_journal_is_measured_with_the_tables_of_today(tmp_path: Path) -> None:
    figures = await journal.bench_links(tmp_path, 400, 20)
    assert figures["links"] == 400
    assert figures["link_p99_ms"] > 0


async def test_a_relay_that_does_not_start_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("bench.stage.READY_WITHIN_S", 0.01)
    monkeypatch.setattr("os.sched_setaffinity", lambda pid, cores: None)
    async with Stage(platforms=("teamspirit",), folder=tmp_path / "stage", settings={"routes": []}) as stage:
        stage.folder.mkdir()
        relay = Relay(stage)
        with pytest.raises(RuntimeError, match="did not become ready"):
            async with relay:
                pass
        assert relay.process is not None
        assert relay.process.returncode is not None


async def test_a_watcher_that_failed_is_no_empty_result(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.sched_setaffinity", lambda pid, cores: None)
    async with Stage(platforms=("teamspirit",), folder=tmp_path) as stage:
        stage.emulators["teamspirit"].configure({"changes_kept": 1})
        for number in range(3):
            await stage.emulators["teamspirit"].say(stage.chats["teamspirit"][0].chat_id, "Anna", str(number))
        with pytest.raises(Exception, match="no longer kept"):
            await stage.until(lambda: False, 5)


async def test_an_emulator_apart_tells_when_something_was_said_and_its_end_is_no_empty_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("os.sched_setaffinity", lambda pid, cores: None)
    options = {"teamspirit": {"messages_kept": 7}}
    async with Stage(platforms=("teamspirit",), keep_apart=("teamspirit",), emulator_options=options, folder=tmp_path) as stage:
        before_s = time.perf_counter()
        await stage.say("teamspirit", 0, "hello")
        after_s = time.perf_counter()
        said = stage.said["teamspirit"]
        assert await stage.until(lambda: "hello" in said, PATIENCE_S)
        assert before_s <= said["hello"] <= after_s
        accounts = stage.config()["accounts"]
        assert accounts["teamspirit"] == {"platform": "teamspirit", **await stage.apart["teamspirit"].emulator.account_options()}
        process = stage.apart["teamspirit"].process
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(RuntimeError, match="emulator of teamspirit has ended"):
            await stage.until(lambda: False, PATIENCE_S)


async def test_no_process_is_left_when_a_stage_does_not_come_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.sched_setaffinity", lambda pid, cores: None)
    stage = Stage(
        platforms=("teamspirit", "slack"),
        keep_apart=("teamspirit", "slack"),
        emulator_options={"slack": {"unknown": 1}},
        folder=tmp_path,
    )
    with pytest.raises(RuntimeError, match="emulator of slack did not start"):
        async with stage:
            pass
    assert [apart.process.returncode is not None for apart in stage.apart.values()] == [True, True]


async def test_a_busy_day_in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_setaffinity", lambda pid, cores: None)
    monkeypatch.setattr("bench.busy._RELOAD_S", 0.3)
    row = await busy(messages=600, chats=2)
    assert {name: row[name] for name in ("messages", "lost", "doubled", "out_of_order")} == {
        "messages": 600,
        "lost": 0,
        "doubled": 0,
        "out_of_order": 0,
    }
    assert row["reloads"]


async def test_a_disabled_end_in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_setaffinity", lambda pid, cores: None)
    row = await disabled_end(messages=300, seconds=0.5)
    assert {name: row[name] for name in ("lost", "doubled", "out_of_order")} == {"lost": 0, "doubled": 0, "out_of_order": 0}
    assert [row[f"{moment}_lost"] for moment in ("alone", "beside", "sending")] == [0, 0, 0]
    assert row["peak_mb"] < row["rss_mb"] + 40


def test_a_tally_sees_what_it_is_there_for() -> None:
    tally = Tally()
    for number in (0, 1, 3, 2, 3, 5):
        tally.take(number)
    assert (tally.arrived, tally.doubled, tally.out_of_order) == (5, 1, 1)


async def test_a_surface_in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_setaffinity", lambda pid, cores: None)
    row = await surface(seconds=0.5, messages=50, rounds=1, onlookers=2)
    assert row["lost"] == 0
    looked = dict(zip(row["looked"].split()[::2], row["looked"].split()[1::2], strict=True))
    assert looked["tails"] == "2"
    assert all(int(looked[kind]) > 0 for kind in ("overview", "scrapes", "steps", "traced")), looked
