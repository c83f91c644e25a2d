"""Chats are looked at now and then: one that the bot was thrown out of is told although nothing is sent there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge import app as app_module
from bridge.accounts.chat_probes import Lookout
from bridge.app import App
from bridge.model.adapter import Adapter, ProbeItem
from bridge.model.errors import ChatDown, RetryLater
from bridge.model.platform import Platform
from bridge.model.refs import AccountName
from bridge.policy.routing import Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end

KICKED = ProbeItem(name="chat", ok=False, detail="the bot is not a member", action="add it again", chat_id="c")
FINE = ProbeItem(name="chat", ok=True, chat_id="c")


class Looking(ScriptedPlatform):
    """`look` is what a look at a chat finds."""

    look: Callable[[str], Sequence[ProbeItem]] = staticmethod(lambda _: [FINE])
    looks = 0

    def manifest(self) -> Platform:
        platform = self

        class LookingAdapter(ScriptedAdapter):
            async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
                platform.looks += 1
                return platform.look(chat_id)

        def build(context: Any) -> Adapter:
            return LookingAdapter(platform, context)

        return msgspec.structs.replace(super().manifest(), build=build)


@pytest.fixture
def one() -> Looking:
    return Looking("one")


@pytest.fixture
def two() -> Looking:
    return Looking("two")


@pytest.fixture
async def app(tmp_path: Path, one: Looking, two: Looking, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    def quick(*arguments: Any) -> Lookout:
        return Lookout(*arguments, first_s=0.01, soon_s=0.01)

    monkeypatch.setattr(app_module, "Lookout", quick)
    async with bridge(tmp_path, [one, two]) as running:
        yield running


async def report_when(app: App, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    return await eventually_asked(app.report, holds=is_so)


async def test_a_chat_in_trouble_is_told_without_anything_being_sent(app: App, one: Looking, two: Looking) -> None:
    two.look = lambda _: [FINE, KICKED]
    await eventually(lambda: two.looks > 0)
    two.cut()  # a new connection is a new round
    report = await report_when(app, lambda report: bool(report["to_do"]) and report["accounts"]["two"]["state"] == "up")
    assert report["to_do"] == ["two/c: chat: the bot is not a member - add it again"]
    assert (report["ok"], report["status"]) == (True, "warn")
    two.look = lambda _: [FINE]
    assert (await report_when(app, lambda report: not report["to_do"]))["status"] == "pass"


async def test_an_end_at_which_nothing_goes_fails(app: App, two: Looking) -> None:
    missing = ProbeItem(name="pins", ok=False, detail="may not pin", chat_id="c")
    two.look = lambda _: [missing, msgspec.structs.replace(KICKED, dead=True)]
    two.cut()
    report = await report_when(app, lambda report: bool(report["to_do"]) and report["accounts"]["two"]["state"] == "up")
    assert (report["ok"], report["status"], report["routes"]["counts"]["fail"]) == (False, "fail", 1)
    two.look = lambda _: [missing]
    report = await report_when(app, lambda report: report["ok"])
    assert report["status"] == "warn"


async def test_a_route_in_trouble_at_every_end_is_not_ok(app: App, one: Looking, two: Looking) -> None:
    one.look = two.look = lambda _: [KICKED]
    one.cut()
    two.cut()
    report = await report_when(app, lambda report: len(report["to_do"]) == 2)
    assert (report["ok"], report["status"], report["routes"]["counts"]["fail"]) == (False, "fail", 1)


async def test_who_cannot_be_asked_says_nothing(app: App, two: Looking) -> None:
    def busy(_: str) -> Sequence[ProbeItem]:
        raise RetryLater("busy")

    def broken(_: str) -> Sequence[ProbeItem]:
        raise KeyError("a bug")

    passing = [msgspec.structs.replace(KICKED, temporary=True)]
    for look in (busy, broken, lambda _: passing):
        two.look, before = look, two.looks
        two.cut()
        await eventually(lambda before=before: two.looks > before)
        report = await report_when(app, lambda report: report["accounts"]["two"]["state"] == "up")
        assert (report["ok"], report["to_do"]) == (True, [])


DEAF = ProbeItem(name="reads all messages", ok=False, detail="only commands", action="switch it off", chat_id="c", deaf=True)


async def test_an_end_at_which_nothing_is_heard_fails_and_still_receives(app: App, one: Looking, two: Looking) -> None:
    """What people say there is lost; the other way everything goes on."""
    two.look = lambda _: [FINE, DEAF]
    two.cut()
    report = await report_when(app, lambda report: bool(report["to_do"]) and report["accounts"]["two"]["state"] == "up")
    assert report["to_do"] == ["two/c: reads all messages: only commands - switch it off"]
    assert (report["ok"], report["status"]) == (False, "fail")
    (route,) = report["routes"]["list"]
    assert (route["status"], [one["status"] for one in route["ends"]]) == ("warn", ["pass", "fail"])
    one.say("hello")
    await eventually(lambda: two.texts() == ["hello"])


async def test_a_notice_is_looked_into_at_once(app: App, two: Looking) -> None:
    await eventually(lambda: two.looks > 0)
    two.look = lambda _: [DEAF]
    app._supervisors[AccountName("two")].notices["c"] = ("the bot is no administrator any more", "make it one")
    report = await report_when(app, lambda report: not report["ok"])
    assert "two/c: reads all messages: only commands - switch it off" in report["to_do"]


async def test_an_end_that_only_receives_need_hear_nothing(
    tmp_path: Path, one: Looking, two: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "Lookout", lambda *arguments: Lookout(*arguments, first_s=0.01, soon_s=0.01))
    two.look = lambda _: [DEAF]
    route = Route(name="r", ends=(end("one/c", receives=False), end("two/c", sends=False)))
    async with bridge(tmp_path, [one, two], [route]) as running:
        await eventually(lambda: two.looks > 0)
        one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        report = await running.report()
        assert (report["ok"], report["status"], report["to_do"]) == (True, "pass", [])


async def test_a_chat_that_refuses_a_message_is_looked_at_and_tried_once_it_is_back(app: App, one: Looking, two: Looking) -> None:
    """Long before its lane would try again by itself, and though nobody tells that the bot is back."""
    await eventually(lambda: two.looks > 0)
    two.look = lambda _: [msgspec.structs.replace(KICKED, dead=True)]
    two.faults.append((ChatDown("not a member", action="add it again"), False))
    one.say("hello")
    await report_when(app, lambda report: not report["ok"] and bool(app._supervisors[AccountName("two")].seen_faults))
    assert two.texts() == []
    two.look = lambda _: [FINE]
    await eventually(lambda: two.texts() == ["hello"])
    assert (await report_when(app, lambda report: report["ok"]))["to_do"] == []
