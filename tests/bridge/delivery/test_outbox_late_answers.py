"""Readings that see a message before its acceptance was answered: the journal's contract allows it, and threads do it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import MessageCreated
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, all_done, bridge, end


class LateAnswers(SqliteJournal):
    """The answer of an acceptance comes once its account's gate is open; it is on disk before that."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.gates: dict[str, asyncio.Event] = {}
        self.committed: list[str] = []

    def hold(self, account: str) -> asyncio.Event:
        gate = self.gates[account] = asyncio.Event()
        return gate

    async def accept(self, lease: Any, entries: Sequence[Any], *arguments: Any, **more: Any) -> Any:
        answer = await super().accept(lease, entries, *arguments, **more)
        self.committed += [entry.event.message_id for entry in entries if isinstance(entry.event, MessageCreated)]
        if lease.account in self.gates:
            await self.gates[lease.account].wait()
        return answer


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture(params=[True, False], ids=["can be asked", "cannot be asked"])
def two(request: pytest.FixtureRequest) -> ScriptedPlatform:
    return ScriptedPlatform("two", reconciles=request.param)


@pytest.fixture
def journal(tmp_path: Path) -> LateAnswers:
    return LateAnswers(tmp_path / "bridge.journal")


def said(count: int, name: str = "m") -> list[str]:
    return [f"{name}{number}" for number in range(count)]


async def test_an_answer_that_comes_when_all_was_sent(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, journal: LateAnswers
) -> None:
    with capture_logs() as log:
        async with bridge(tmp_path, [one, two], journal=journal) as app:
            two.hang = asyncio.Event()
            for text in said(70):  # more than a lane has at hand: it will read
                one.say(text)
            await eventually(lambda: len(one.confirmed) == 70)
            gate = journal.hold("one")
            last = one.say("last")
            await eventually(lambda: last in journal.committed)
            two.hang.set()
            await eventually(lambda: len(two.texts()) == 71)
            await all_done(app)
            gate.set()
            await eventually(lambda: len(one.confirmed) == 71)
            one.say("end")
            await eventually(lambda: "end" in two.texts())
            assert not await app._journal.dead_letters()
    assert two.texts() == [*said(70), "last", "end"]
    assert not [entry for entry in log if entry["log_level"] not in ("debug", "info")]


async def test_an_answer_that_comes_while_the_lane_is_at_work(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, journal: LateAnswers
) -> None:
    async with bridge(tmp_path, [one, two], journal=journal) as app:
        first = two.hang = asyncio.Event()
        second = asyncio.Event()

        def before_send(_: object) -> None:
            if two.sends >= 65:
                two.hang = second

        two.before_send = before_send
        for text in said(70):
            one.say(text)
        await eventually(lambda: len(one.confirmed) == 70)
        gate = journal.hold("one")
        last = one.say("last")
        await eventually(lambda: last in journal.committed)
        first.set()
        await eventually(lambda: two.sends >= 66)  # read, with the last one
        gate.set()
        await eventually(lambda: len(one.confirmed) == 71)
        second.set()
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await all_done(app)
    assert two.texts() == [*said(70), "last", "end"]


async def test_answers_to_two_accounts_that_overtake_each_other(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, journal: LateAnswers
) -> None:
    three = ScriptedPlatform("three")
    routes = [
        Route(name="first", ends=(end("one/c"), end("two/c"))),
        Route(name="second", ends=(end("three/c"), end("two/c"))),
    ]
    async with bridge(tmp_path, [one, two, three], routes, journal=journal) as app:
        two.hang = asyncio.Event()
        one.say("start")
        await eventually(lambda: two.sends == 1)
        for round_ in range(3):
            gate = journal.hold("one")
            early = one.say(f"a{round_}")
            await eventually(lambda early=early: early in journal.committed)
            three.say(f"b{round_}")
            await eventually(lambda round_=round_: len(three.confirmed) == round_ + 1)
            gate.set()
            await eventually(lambda round_=round_: len(one.confirmed) == round_ + 2)
        two.hang.set()
        await all_done(app)
    texts = two.texts()
    assert sorted(texts) == sorted(["start", *said(3, "a"), *said(3, "b")])
    assert [text for text in texts if text.startswith("a")] == said(3, "a")
    assert [text for text in texts if text.startswith("b")] == said(3, "b")


async def test_an_answer_that_comes_when_its_lane_was_cancelled_and_is_gone(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, journal: LateAnswers
) -> None:
    """Somebody else found the message open: the look every few seconds, a reload."""
    async with bridge(tmp_path, [one, two], journal=journal) as app:
        one.say("m0")
        await eventually(lambda: two.texts() == ["m0"])
        await all_done(app)
        gate = journal.hold("one")
        last = one.say("m1")
        await eventually(lambda: last in journal.committed)
        await app.reload(app._config)
        await eventually(lambda: two.texts() == ["m0", "m1"])
        await all_done(app)
        gate.set()
        await eventually(lambda: len(one.confirmed) == 2)
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await all_done(app)
    assert two.texts() == ["m0", "m1", "end"]
