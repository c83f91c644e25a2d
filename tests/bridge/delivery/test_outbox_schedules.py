"""Targets that have a schedule of their own for what failed, and chats that are switched off."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.journal.contract import DeliveryStatus
from bridge.model.adapter import Outbound, Receipt
from bridge.model.capabilities import RetrySchedule
from bridge.model.errors import Answer, ChatOff, OutcomeUnknown, RetryLater
from bridge.model.rich_text import text_of
from bridge.policy.retry import Policy
from bridge.policy.routing import OnUnknown, Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end

SOON = RetrySchedule(waits_s=(0.01, 0.02, 0.03, 0.04, 0.05))
HASTY = Policy(poison_attempts=2, poison_after_s=0.0, chat_down_cap_s=0.02, fewest_attempts=1)


class Endpoints(ScriptedPlatform):
    """A platform with a schedule; sends into `broken` fail."""

    def __init__(self, name: str) -> None:
        super().__init__(name, adapter=EndpointsAdapter, retry=SOON)
        self.broken: set[str] = set()
        self.off: set[str] = set()
        self.tried: list[tuple[str, str]] = []


class EndpointsAdapter(ScriptedAdapter):
    platform: Endpoints

    async def send(self, outbound: Outbound) -> Receipt:
        self.platform.tried.append((outbound.chat_id, text_of(outbound.text)))
        if outbound.chat_id in self.platform.off:
            raise ChatOff("switched off", action="switch it on")
        if outbound.chat_id in self.platform.broken:
            raise RetryLater("HTTP 503")
        return await super().send(outbound)


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> Endpoints:
    return Endpoints("two")


def routes() -> list[Route]:
    return [Route(name=chat, ends=(end(f"one/{chat}"), end(f"two/{chat}"))) for chat in ("c", "other")]


async def test_a_schedule_decides_how_often_and_the_rest_waits_behind(
    tmp_path: Path, one: ScriptedPlatform, two: Endpoints
) -> None:
    two.broken.add("c")
    async with bridge(tmp_path, [one, two], routes(), policy=HASTY) as app:
        one.say("first", chat="c")
        one.say("second", chat="c")
        await eventually(lambda: len(one.confirmed) == 2)
        await all_done(app)
        assert [letter.state for letter in await app._journal.dead_letters()] == [DeliveryStatus.DEAD] * 2
    # an attempt, and one after each wait of the schedule, or fewer where the machine is slow; the second once the first was over
    first = two.tried.count(("c", "first"))
    assert 2 <= first <= 6
    assert two.tried == [("c", "first")] * first + [("c", "second")] * (len(two.tried) - first)


async def test_others_that_are_served_say_nothing_about_a_message_that_fails(
    tmp_path: Path, one: ScriptedPlatform, two: Endpoints
) -> None:
    two.broken.add("c")
    two.retry = RetrySchedule(waits_s=(*[0.01] * 6, 3600.0))
    async with bridge(tmp_path, [one, two], routes(), policy=HASTY) as app:
        one.say("first", chat="c")
        for number in range(1, 7):
            await eventually(lambda least=number: two.tried.count(("c", "first")) >= least)
            one.say("meanwhile", chat="other")
            await eventually(lambda least=number: len(two.texts("other")) >= least)
        assert not await app._journal.dead_letters()


async def test_what_waits_for_a_chat_that_is_off_is_kept_and_comes_in_order(
    tmp_path: Path, one: ScriptedPlatform, two: Endpoints
) -> None:
    hourly = [Route(name="c", ends=(end("one/c"), end("two/c", options={"give_up_after_h": 1e-9})))]
    two.off.add("c")
    async with bridge(tmp_path, [one, two], hourly, policy=HASTY) as app:
        one.say("first", chat="c")
        one.say("second", chat="c")
        await eventually(lambda: len(two.tried) > 20)
        assert not await app._journal.dead_letters()
        two.off.clear()
        await all_done(app)
        assert two.texts("c") == ["first", "second"]
        assert not await app._journal.dead_letters()


async def test_a_delivery_begins_anew_once_its_chat_is_on_again(tmp_path: Path, one: ScriptedPlatform, two: Endpoints) -> None:
    two.off.add("c")
    async with bridge(tmp_path, [one, two], routes(), policy=HASTY) as app:
        one.say("first", chat="c")
        await eventually(lambda: len(two.tried) > 10)
        two.off.clear()
        two.broken.add("c")
        seen = len(two.tried)
        await all_done(app)
        assert len(two.tried) - seen >= 2
        assert len(await app._journal.dead_letters()) == 1


async def test_what_attempts_were_answered_is_kept_with_the_dead_letter(
    tmp_path: Path, one: ScriptedPlatform, two: Endpoints
) -> None:
    class Refusing(EndpointsAdapter):
        async def send(self, outbound: Outbound) -> Receipt:
            error = RetryLater("HTTP 503")
            error.answer = Answer(status=503, took_s=0.5, body="down for maintenance")
            raise error

    two.adapter = Refusing
    async with bridge(tmp_path, [one, two], routes(), policy=HASTY) as app:
        one.say("first", chat="c")
        await eventually(lambda: len(one.confirmed) == 1)
        await all_done(app)
        (found,) = await app._journal.dead_letters()
        letter = await app._journal.dead_letter(found.delivery_id)
        assert letter is not None
        assert {answer.answer.body for answer in letter.answers} == {"down for maintenance"}
        assert 2 <= len(letter.answers) <= 6


async def test_what_is_known_when_it_comes_again_is_sent_again_whatever_a_route_says_of_the_unknown(
    tmp_path: Path, one: ScriptedPlatform
) -> None:
    two = ScriptedPlatform("two", reconciles=False, knows_repeats=True)
    held = [Route(name="c", ends=(end("one/c"), end("two/c", options={"unknown": OnUnknown.HOLD})))]
    two.faults.append((OutcomeUnknown("no answer"), False))
    async with bridge(tmp_path, [one, two], held, policy=HASTY) as app:
        one.say("first")
        one.say("second")
        await eventually(lambda: two.texts() == ["first", "second"])
        assert not await app._journal.dead_letters()


async def test_after_a_crash_what_may_have_arrived_is_sent_again_in_order(tmp_path: Path, one: ScriptedPlatform) -> None:
    two = ScriptedPlatform("two", reconciles=False, knows_repeats=True, hang=asyncio.Event())
    held = [Route(name="c", ends=(end("one/c"), end("two/c", options={"unknown": OnUnknown.HOLD})))]
    async with bridge(tmp_path, [one, two], held, policy=HASTY) as app:
        for number in range(20):
            one.say(f"number {number}")
        await eventually(lambda: two.sends == 1 and len(one.confirmed) == 20)
        await app.stop(drain_s=0)
    two.hang = None
    async with bridge(tmp_path, [one, two], held, policy=HASTY) as app:
        await eventually(lambda: two.texts()[-1:] == ["number 19"])
        assert list(dict.fromkeys(two.texts())) == [f"number {number}" for number in range(20)]
        assert not await app._journal.dead_letters()
