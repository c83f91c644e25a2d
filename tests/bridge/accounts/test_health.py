"""/health, /ready and the metrics tell of every account, every end of every route, and what waits until when and why."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.journal.contract import JournalError
from bridge.journal.sqlite import SqliteJournal
from bridge.model.errors import ChatDown, RetryLater
from bridge.model.platform import Platform
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.routing import Route
from bridge.web.admin import AdminWeb
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, bridge, end

KICKED = ChatDown("the bot was removed from the group", action="add it again")


class WithHeartbeat(ScriptedPlatform):
    """A platform that says when silence means something."""

    def manifest(self) -> Platform:
        return msgspec.structs.replace(super().manifest(), deaf_after_s=lambda _: 30.0)


@pytest.fixture
def one() -> ScriptedPlatform:
    return WithHeartbeat("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return WithHeartbeat("two")


@pytest.fixture
def three() -> ScriptedPlatform:
    return ScriptedPlatform("three")


@pytest.fixture
async def app(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, three: ScriptedPlatform) -> AsyncIterator[App]:
    """Three chats on one route, two of them on another too."""
    routes = [
        Route(name="all", ends=(end("one/c"), end("two/c"), end("three/c"))),
        Route(name="pair", ends=(end("one/d"), end("two/d"))),
    ]
    async with bridge(tmp_path, [one, two, three], routes) as running:
        await eventually(lambda: all(state.state is AccountState.UP for state in running.account_states().values()))
        yield running


def route(report: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (one for one in report["routes"]["list"] if one["name"] == name)
    return found


def samples(app: App) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(app.metrics.expose()[0].decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def sample(app: App, name: str, **labels: str) -> float | None:
    return samples(app).get((f"messenger_bridge_{name}", frozenset(labels.items())))


async def test_all_well(app: App) -> None:
    report = await app.report()
    assert (report["ok"], report["status"], report["to_do"]) == (True, "pass", [])
    assert report["routes"]["counts"] == {"pass": 2, "warn": 0, "fail": 0}
    assert {one["end"]: one["status"] for one in route(report, "all")["ends"]} == {
        "one/c": "pass",
        "two/c": "pass",
        "three/c": "pass",
    }
    assert sample(app, "ok") == 1
    assert sample(app, "account_up", account="two") == 1
    assert sample(app, "route_ends", route="all", status="pass") == 3
    assert sample(app, "route_ends", route="all", status="fail") == 0
    # as before this was more than accounts
    assert report["accounts"]["one"]["state"] == "up"
    assert set(report["journal"]) == {"events", "dead", "undecodable", "size_bytes"}


async def test_a_dead_end_of_three_is_told_everywhere(app: App, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.extend([(KICKED, False)] * 1000)
    one.say("m1")
    await eventually(lambda: app._supervisors[AccountName("two")].chat_faults)
    report = await app.report()
    assert (report["ok"], report["status"]) == (False, "fail")
    dead = next(one for one in route(report, "all")["ends"] if one["end"] == "two/c")
    assert dead == {"end": "two/c", "chat": "two/c", "status": "fail", "reason": KICKED.reason, "action": KICKED.action}
    assert route(report, "all")["status"] == "warn", "the other two still relay"
    assert route(report, "pair")["status"] == "pass", "another chat of the same account"
    assert report["to_do"] == ["two/c: the bot was removed from the group - add it again"]
    assert sample(app, "ok") == 0
    assert sample(app, "account_up", account="two") == 1
    assert sample(app, "route_ends", route="all", status="fail") == 1
    report = await eventually_asked(app.report, holds=lambda it: [lane["reason"] for lane in it["lanes"]] == [KICKED.reason])
    (lane,) = report["lanes"]
    assert (lane["target"], lane["status"], lane["waiting"], lane["reason"]) == ("two/c", "fail", 1, KICKED.reason)
    assert datetime.fromisoformat(lane["next_attempt_at"]) > datetime.now(UTC)


async def test_a_route_on_which_nothing_can_be_relayed_fails(app: App) -> None:
    app._supervisors[AccountName("two")].end_faults[ChatAddress(AccountName("two"), "d")] = KICKED
    report = await app.report()
    assert route(report, "pair")["status"] == "fail"
    assert report["routes"]["counts"] == {"pass": 1, "warn": 0, "fail": 1}
    assert report["ok"] is False


async def test_what_mends_itself_or_loses_nothing_is_a_warning(app: App) -> None:
    two = app._supervisors[AccountName("two")]
    two.notices["d"] = ("the bot may not read the history", "give it the right")
    two.end_faults[ChatAddress(AccountName("two"), "c")] = RetryLater("not asked yet")
    report = await app.report()
    assert (report["ok"], report["status"]) == (True, "warn")
    assert {one["end"]: one["status"] for one in route(report, "pair")["ends"]} == {"one/d": "pass", "two/d": "warn"}
    assert route(report, "all")["status"] == "warn"
    assert report["to_do"] == ["two/d: the bot may not read the history - give it the right"]


async def test_a_deaf_account_is_not_ready(app: App) -> None:
    supervisor = app._supervisors[AccountName("two")]
    assert supervisor.alive_at_s is not None
    supervisor.alive_at_s -= 31
    report = await app.report()
    account = report["accounts"]["two"]
    assert (report["ok"], account["state"], account["status"]) == (False, "up", "fail")
    assert "nothing was heard from the platform for 31 s" in account["reason"]
    assert account["last_heard_s"] >= 31
    assert account["deaf_after_s"] == 30
    assert route(report, "pair")["status"] == "fail"
    assert sample(app, "account_up", account="two") == 0
    assert (sample(app, "last_heartbeat_seconds", account="two") or 0) >= 31
    # the adapter's next sign of life ends it
    supervisor.alive()
    assert (await app.report())["ok"] is True


async def test_silence_says_nothing_of_an_account_without_a_heartbeat(app: App) -> None:
    supervisor = app._supervisors[AccountName("three")]
    supervisor.alive_at_s = (supervisor.alive_at_s or 0) - 100_000
    report = await app.report()
    assert report["ok"] is True
    assert report["accounts"]["three"]["last_heard_s"] is None
    assert sample(app, "last_heartbeat_seconds", account="three") is None


async def test_a_wait_of_hours_is_told_with_its_end_and_reason(app: App, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.extend([(RetryLater("asked to wait", after_s=5 * 3600.0, rate_limited=True), False)] * 5)
    one.say("m1")
    one.say("m2")
    await eventually(lambda: two.sends == 1 and len(one.confirmed) == 2)

    async def lane() -> dict[str, Any]:
        return next((one for one in (await app.report())["lanes"] if one["target"] == "two/c"), {})

    found = await eventually_asked(lane, holds=lambda it: it.get("reason") and it["waiting"] >= 2)
    assert (found["waiting"], found["attempts"], found["reason"], found["status"]) == (2, 1, "asked to wait", "warn")
    assert datetime.fromisoformat(found["next_attempt_at"]) > datetime.now(UTC) + timedelta(minutes=10)
    app.metrics.journal(await app._journal.figures())
    assert (sample(app, "next_attempt_seconds", account="two") or 0) > 600


async def test_a_dead_letter_is_something_to_do(app: App, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    from bridge.model.errors import Rejected

    two.faults.append((Rejected("no"), False))
    one.say("m1")
    await eventually(lambda: two.sends == 1)
    report = await eventually_asked(app.report, holds=lambda it: it["journal"]["dead"])
    assert (report["ok"], report["status"]) == (True, "warn")
    assert report["to_do"] == ["1 dead letter - messenger-bridge dead list"]


async def test_a_journal_that_fails_is_told_not_raised(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    class Broken(SqliteJournal):
        broken = False

        async def figures(self) -> Any:
            if self.broken:
                raise JournalError("the disk is full")
            return await super().figures()

    journal = Broken(tmp_path / "bridge.journal")
    async with bridge(tmp_path, [one, two], journal=journal) as app:
        journal.broken = True
        report = await app.report()
        assert {one["status"] for one in report.pop("disk").values()} <= {"pass", "warn"}
        assert report == {
            "ok": False,
            "status": "fail",
            "journal": {"error": "the disk is full"},
            "to_do": ["the disk is full"],
        }


async def test_very_many_routes_show_those_in_trouble(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    routes = [Route(name=f"r{number}", ends=(end(f"one/{number}"), end(f"two/{number}"))) for number in range(600)]
    async with bridge(tmp_path, [one, two], routes) as app:
        await eventually(lambda: all(state.state is AccountState.UP for state in app.account_states().values()))
        assert (await app.report())["routes"] == {"counts": {"pass": 600, "warn": 0, "fail": 0}, "list": []}
        app._supervisors[AccountName("two")].chat_faults[ChatAddress(AccountName("two"), "577")] = KICKED
        shown = (await app.report())["routes"]
        assert shown["counts"] == {"pass": 599, "warn": 0, "fail": 1}
        assert [one["name"] for one in shown["list"]] == ["r577"]
        assert sample(app, "route_ends", route="r577", status="fail") == 1
        assert sample(app, "route_ends", route="r578", status="pass") is None


async def test_no_disk_is_asked_by_the_loop(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    asking, asked = os.statvfs, []

    def noted(path: Any) -> os.statvfs_result:
        asked.append(threading.current_thread() is threading.main_thread())
        return asking(path)

    monkeypatch.setattr(os, "statvfs", noted)
    assert b'disk_free_bytes{folder="journal"}' in (await app.metrics.scraped())[0]
    assert (await app.report())["disk"]["spool"]["free_bytes"] > 0
    assert asked
    assert not any(asked)


async def test_over_http(app: App, two: ScriptedPlatform) -> None:
    web = AdminWeb(report=app.report, metrics=app.metrics.scraped)
    port = await web.start("127.0.0.1", 0)

    def get(path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    try:
        assert await asyncio.to_thread(get, "/ready") == (200, {"ok": True, "status": "pass"})
        app._supervisors[AccountName("two")].chat_faults[ChatAddress(AccountName("two"), "c")] = KICKED
        assert await asyncio.to_thread(get, "/ready") == (503, {"ok": False, "status": "fail"})
        code, verbose = await asyncio.to_thread(get, "/ready?verbose")
        assert code == 503
        found = {check["name"]: check["status"] for check in verbose["checks"]}
        assert found["route all: two/c"] == "fail"
        assert found["route all: one/c"] == found["account two"] == found["journal"] == "pass"
        assert verbose["to_do"] == ["two/c: the bot was removed from the group - add it again"]
        code, health = await asyncio.to_thread(get, "/health")
        assert (code, health["status"]) == (200, "fail")
    finally:
        await web.stop()
