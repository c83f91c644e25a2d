"""A reload that adds routes: what is said in the meantime, and in the first moments of a route, is heard."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.config.model import Config
from bridge.model.errors import RetryLater
from bridge.model.refs import AccountName
from bridge.policy.routing import Route
from tests.support.patience import PATIENCE_S, eventually
from tests.support.reloads import is_in
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end


async def test_what_is_said_during_reloads_is_heard(tmp_path: Path) -> None:
    """The addresses are ids, which nobody keeps in the journal; the look-up of another end takes its time."""
    looking = asyncio.Event()

    class Slow(ScriptedAdapter):
        async def resolve(self, address: str) -> str:
            if address.startswith("#slow"):
                looking.set()
                await asyncio.sleep(0.2)
            return address.removeprefix("#")

    one, two = ScriptedPlatform("one", adapter=Slow), ScriptedPlatform("two")
    slow = Route(name="slow", ends=(end("one/#slow"), end("two/slow")))
    everyday = Route(name="all", ends=(end("one/c"), end("two/c")))
    async with bridge(tmp_path, [one, two], [everyday]) as app:
        await eventually(lambda: app.account_states()["one"].state is AccountState.UP)
        for number in range(3):
            looking.clear()
            added = msgspec.structs.replace(slow, ends=(end(f"one/#slow{number}"), end("two/slow")))
            reloading = asyncio.create_task(app.reload(replace(app._config, routes=(added, everyday))))
            await looking.wait()
            one.say(f"during reload {number}")
            await reloading
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert two.texts() == [*(f"during reload {number}" for number in range(3)), "end"]


async def test_an_end_that_is_not_found_at_once_is_looked_up_until_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two new ends at once, the first of which fails for a moment: the second is found, and then the first."""
    monkeypatch.setattr("bridge.accounts.ends._LOOK_UP_S", 0.05)
    failures = 3

    class Slow(ScriptedAdapter):
        async def resolve(self, address: str) -> str:
            nonlocal failures
            if address == "#new" and failures:
                failures -= 1
                raise RetryLater("not now")
            return address.removeprefix("#")

    one, two = ScriptedPlatform("one", adapter=Slow), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await eventually(lambda: app.account_states()["one"].state is AccountState.UP)
        added = [Route(name=name, ends=(end(f"one/#{name}"), end(f"two/{name}"))) for name in ("new", "other")]
        await app.reload(replace(app._config, routes=(*app._config.routes, *added)))
        one.say("in the other", chat="other")
        await eventually(lambda: two.texts("other") == ["in the other"])
        await eventually(lambda: not failures and not app._supervisors[AccountName("one")].has_unresolved)
        one.say("in the new", chat="new")
        await eventually(lambda: two.texts("new") == ["in the new"])


class Unhurried(ScriptedAdapter):
    """Answers where a `#name` leads when it is told to, but for `#lost`, of which nothing is ever known."""

    asked: ClassVar[list[str]] = []
    answer: ClassVar[asyncio.Event]

    async def resolve(self, address: str) -> str:
        if address.startswith("#"):
            type(self).asked.append(address)
            await (asyncio.Event() if address == "#lost" else type(self).answer).wait()
        return address.removeprefix("#")


@pytest.fixture
def unhurried() -> type[Unhurried]:
    return type("Unhurried", (Unhurried,), {"asked": [], "answer": asyncio.Event()})


def with_routes(app: App, *names: str) -> Config:
    added = [Route(name=name, ends=(end(f"one/#{name}"), end(f"two/{name}"))) for name in names]
    return replace(app._config, routes=(*app._config.routes, *added))


async def test_what_is_said_while_and_after_a_route_is_added_is_heard(tmp_path: Path, unhurried: type[Unhurried]) -> None:
    """The end's look-up takes its time. What other chats say goes on."""
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("of no route", chat="elsewhere")  # a chat that is unknown was looked for a moment ago
        await eventually(lambda: len(one.confirmed) == 1)
        reloading = asyncio.create_task(app.reload(with_routes(app, "new")))
        await eventually(lambda: unhurried.asked == ["#new"])
        one.say("known")
        await eventually(lambda: two.texts() == ["known"])
        one.say("during", chat="new")
        await eventually(lambda: one.incoming.empty())
        assert not reloading.done()
        unhurried.answer.set()
        await reloading
        one.say("after", chat="new")
        await eventually(lambda: two.texts("new") == ["during", "after"])


async def test_an_end_that_cannot_be_found_now_holds_no_reload_and_no_other_end(
    tmp_path: Path, unhurried: type[Unhurried], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.accounts.ends._AHEAD_S", 0.3)
    unhurried.answer.set()
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("of no route", chat="elsewhere")
        await eventually(lambda: len(one.confirmed) == 1)
        async with asyncio.timeout(PATIENCE_S):
            await app.reload(with_routes(app, "lost", "new"))
        one.say("after", chat="new")
        await eventually(lambda: two.texts("new") == ["after"])


async def test_a_chat_that_no_route_is_added_for_waits_for_no_reload_but_its_look_up(
    tmp_path: Path, unhurried: type[Unhurried], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a new end leads there is not known before: then it is let go, and what comes behind it is relayed."""
    monkeypatch.setattr("bridge.accounts.ends._AHEAD_S", 0.3)
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        one.say("of no route", chat="elsewhere")
        await eventually(lambda: len(one.confirmed) == 1)
        reloading = asyncio.create_task(app.reload(with_routes(app, "lost")))
        await eventually(lambda: unhurried.asked == ["#lost"])
        one.say("of no route either", chat="elsewhere")
        one.say("known")
        await eventually(lambda: two.texts() == ["known"])
        await reloading


async def test_a_reload_that_fails_lets_go_what_waited_for_it(
    tmp_path: Path, unhurried: type[Unhurried], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = ScriptedPlatform("one", adapter=unhurried), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two]) as app:
        await is_in(app, "one", AccountState.UP)
        reloading = asyncio.create_task(app.reload(with_routes(app, "new")))
        await eventually(lambda: unhurried.asked == ["#new"])
        one.say("during", chat="new")
        one.say("known")
        await eventually(lambda: one.incoming.qsize() == 1)
        reloading.cancel()
        await eventually(lambda: two.texts() == ["known"])
