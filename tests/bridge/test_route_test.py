"""`test ROUTE`: a line goes through the route and is taken away; what does not work is told by its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.model.errors import AccountDown, ChatDown, Rejected, RetryLater
from bridge.model.events import ChatEvent, MessageDeleted
from bridge.model.refs import ChatAddress, ChatRef
from bridge.policy.routing import Route
from bridge.route_test import RouteTests
from tests.support.patience import PATIENCE_S, eventually
from tests.support.reloads import is_in
from tests.support.scripted import ScriptedPlatform, bridge, end, with_options

SOON_S = 1.0


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


async def tried(app: App, within_s: float) -> dict[str, Any]:
    for name in app.account_states():
        await is_in(app, name, AccountState.UP)
    (route,) = app.config.routes
    return await RouteTests(app.accounts, app.journal, within_s=within_s).run(route)


async def test_every_direction_is_timed_and_nothing_is_left(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    three = ScriptedPlatform("three")
    route = Route(name="all", ends=(end("one/c"), end("two/c"), end("three/c", sends=False)))
    async with bridge(tmp_path, [one, two, three], [route]) as app:
        answer = await tried(app, PATIENCE_S)
        assert answer["ok"], answer
        directions = [(found["origin"], found["target"]) for found in answer["directions"]]
        assert directions == [("one/c", "two/c"), ("one/c", "three/c"), ("two/c", "one/c"), ("two/c", "three/c")]
        assert all(0 <= found["took_s"] < PATIENCE_S and found["deleted_s"] >= 0 for found in answer["directions"])
        assert [len(platform.chats["c"]) for platform in (one, two, three)] == [1, 1, 2]
        assert not [message for platform in (one, two, three) for message in platform.posted()]
        assert "Test of the messenger bridge, route all, from two/c" in one.chats["c"][0].text


async def test_what_a_filter_or_an_option_keeps_back_is_told(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    route = with_options(Route(name="all", ends=(end("one/c"), end("two/c", sends=False))), deletes=False)
    async with bridge(tmp_path, [one, two], [route]) as app:
        answer = await tried(app, PATIENCE_S)
    assert not answer["ok"]
    (found,) = answer["directions"]
    assert (found["result"], found["is_gone"]) == ("delivered", False)
    assert found["note"] == "the copy is still there: deletes are off - delete it by hand"


async def test_a_refusal_is_told(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append((Rejected("the bot may not post here"), False))
    async with bridge(tmp_path, [one, two]) as app:
        answer = await tried(app, PATIENCE_S)
    results = {found["target"]: (found["ok"], found["result"], found["note"]) for found in answer["directions"]}
    assert results["one/c"] == (True, "delivered", "")
    assert results["two/c"][1] == "dead"
    assert "the bot may not post here" in results["two/c"][2]


async def test_what_waits_is_told_in_time_and_never_arrives_later(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.append((RetryLater("too many", after_s=3600.0), False))
    async with bridge(tmp_path, [one, two], [Route(name="all", ends=(end("one/c"), end("two/c", sends=False)))]) as app:
        answer = await tried(app, SOON_S)
        (found,) = answer["directions"]
        assert (found["ok"], found["result"], found["is_gone"]) == (False, "waiting", True)
        assert "too many" in found["note"]
        assert app._outbox is not None
        app._outbox.try_now(end("two/c").chat.account)
        one.say("end")
        await eventually(lambda: two.texts() == ["end"])


async def test_an_account_that_is_down_is_told_by_its_reason(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two], [Route(name="all", ends=(end("one/c"), end("two/c", sends=False)))]) as app:
        await is_in(app, "one", AccountState.UP)
        await is_in(app, "two", AccountState.UP)
        two.run_errors.extend([AccountDown("the token was revoked", action="make a new one")] * 100_000)
        two.cut()
        await is_in(app, "two", AccountState.PARKED)
        answer = await RouteTests(app.accounts, app.journal, within_s=SOON_S).run(app.config.routes[0])
    (found,) = answer["directions"]
    assert (found["result"], found["note"]) == ("waiting", "the token was revoked")


async def test_an_end_that_is_not_found_is_told(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        await is_in(app, "two", AccountState.UP)
        hearing = app.accounts.hear

        async def gone(address: Any, make: Any) -> Any:
            if address.account == "one":
                raise ChatDown("no such chat", action="invite the bot")
            return await hearing(address, make)

        class Half:
            hear = staticmethod(gone)
            supervisor = app.accounts.supervisor

        answer = await RouteTests(Half(), app.journal).run(app.config.routes[0])
    assert [(found["result"], found["note"]) for found in answer["directions"]] == [
        ("not tested", "no such chat"),
        ("delivered", ""),
    ]


class Lately:
    """Hears lines, and refuses what takes them away again; as if a reload had taken the account away meanwhile."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.supervisor = app.accounts.supervisor

    async def hear(self, address: ChatAddress, make: Callable[[ChatRef], ChatEvent]) -> ChatRef:
        def told(chat: ChatRef) -> ChatEvent:
            event = make(chat)
            if isinstance(event, MessageDeleted):
                raise ChatDown("no such chat any more", action="")
            return event

        return await self._app.accounts.hear(address, told)


async def test_a_line_that_cannot_be_taken_away_is_told(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    three = ScriptedPlatform("three")
    three.faults.append((RetryLater("too many", after_s=3600.0), False))
    route = Route(name="all", ends=(end("one/c"), end("two/c", sends=False), end("three/c", sends=False)))
    async with bridge(tmp_path, [one, two, three], [route]) as app:
        for name in ("one", "two", "three"):
            await is_in(app, name, AccountState.UP)
        answer = await RouteTests(Lately(app), app.journal, within_s=SOON_S).run(route)
        await eventually(lambda: len(two.posted()) == 1)
    found = {one["target"]: (one["result"], one["is_gone"], one["note"]) for one in answer["directions"]}
    assert found["two/c"][1:] == (False, "the copy is still there: no such chat any more - delete it by hand")
    assert found["three/c"][:2] == ("waiting", False)
    assert found["three/c"][2].endswith("it may still come, and is not taken away: no such chat any more")


async def test_an_end_in_the_middle_of_a_test_leaves_no_line(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    route = Route(name="all", ends=(end("one/c"), end("two/c", sends=False)))
    two.faults.append((RetryLater("too many", after_s=3600.0), False))
    async with bridge(tmp_path, [one, two], [route]) as app:
        await is_in(app, "one", AccountState.UP)
        await is_in(app, "two", AccountState.UP)
        running = asyncio.create_task(RouteTests(app.accounts, app.journal).run(route))
        await eventually(lambda: not two.faults)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert running.cancelled()
        assert app._outbox is not None
        app._outbox.try_now(end("two/c").chat.account)
        one.say("end")
        await eventually(lambda: two.texts() == ["end"])


async def test_one_at_a_time_and_bounded(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    ends = tuple(end(f"two/c{number}") for number in range(25))
    route = Route(name="many", ends=(*ends, end("one/c")))
    async with bridge(tmp_path, [one, two], [route]) as app:
        await is_in(app, "one", AccountState.UP)
        await is_in(app, "two", AccountState.UP)
        tests = RouteTests(app.accounts, app.journal)
        first = asyncio.create_task(tests.run(route))
        await asyncio.sleep(0)
        assert "another test is under way" in (await tests.run(route))["error"]
        answer = await first
    made = [found for found in answer["directions"] if found["result"] == "delivered"]
    assert len(made) == 50
    assert {found["note"] for found in answer["directions"] if found["result"] == "not tested"} == {
        "a test makes 60 copies at most"
    }
    assert not answer["ok"]
