"""Dead letters that were one merged message and may have arrived: that message is asked for, and sent again, as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.app import App
from bridge.model.adapter import Outbound
from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater
from bridge.model.rich_text import text_of
from bridge.policy.retry import Policy
from bridge.policy.routing import OnUnknown, Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, all_done, bridge, end

LIMITED = RetryLater("slow down", after_s=0.05, rate_limited=True)
IMPATIENT = Policy(base_s=0.02, cap_s=0.02, floor_s=0.01, give_up_after_h=0.0, fewest_attempts=2)
SENDS = 3
"""Until the message is given up: the first, "a" refused by a limit, and all of them as one."""
HELD = Route(name="r", ends=tuple(end(f"{name}/c", options={"unknown": OnUnknown.HOLD}) for name in ("one", "two")))


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what the command line wished."""
    monkeypatch.setattr("bridge.delivery.retry_requests.RETRY_POLL_S", 0.05)


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


async def given_up(app: App, one: ScriptedPlatform, two: ScriptedPlatform, *, arrived: bool) -> tuple[list[str], list[int]]:
    """The messages "a", "b" and "c", which were one and were given up, and their letters."""
    two.faults.extend([None, (LIMITED, False), (OutcomeUnknown("cut"), arrived)])
    one.say("first")
    await eventually(lambda: two.texts() == ["first"])
    two.hang = asyncio.Event()
    ids = [one.say(text) for text in "abc"]
    await eventually(lambda: len(one.confirmed) == 4)
    two.hang.set()
    letters = await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) == 3)
    assert all("may have arrived" in letter.reason for letter in letters)
    assert two.sends == SENDS, "they were one message"
    two.hang = None
    await all_done(app)
    return ids, [letter.delivery_id for letter in letters]


async def retried(app: App, letters: Sequence[int]) -> None:
    await app._journal.retry_dead(letters)
    await all_done(app)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("arrived", [False, True])
async def test_it_is_there_once_and_each_is_still_its_own(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool, restarted: bool
) -> None:
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        (_, b, c), letters = await given_up(app, one, two, arrived=arrived)
        if not restarted:
            await retried(app, letters)
    async with bridge(tmp_path, [one, two]) as app:
        if restarted:
            await retried(app, letters)
        assert two.texts() == ["first", "a\nb\nc"]
        assert two.sends == SENDS + (not arrived)
        assert len(two.asked_since) == 1, "one message, one question"
        one.edit(b, "B!")
        one.delete(c)
        await eventually(lambda: two.texts() == ["first", "a\nB!"], what=str(two.texts()))
        assert not await app._journal.dead_letters()


@pytest.mark.parametrize("arrived", [False, True])
async def test_letters_that_are_retried_one_after_the_other_neither_double_nor_get_lost(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool
) -> None:
    """What is sent for one of them must not be taken for the message that all were in."""
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        (a, _, c), (letter_a, letter_b, letter_c) = await given_up(app, one, two, arrived=arrived)
        await retried(app, [letter_a])
        assert two.texts() == (["first", "a\nb\nc"] if arrived else ["first", "a"])
        await retried(app, [letter_b, letter_c])
        assert two.texts() == (["first", "a\nb\nc"] if arrived else ["first", "a", "b\nc"])
        one.edit(a, "A!")
        one.edit(c, "C!")
        expected = ["first", "A!\nb\nC!"] if arrived else ["first", "A!", "b\nC!"]
        await eventually(lambda: two.texts() == expected, what=str(two.texts()))
        assert not await app._journal.dead_letters()


@pytest.mark.parametrize("arrived", [False, True])
async def test_changes_made_since_reach_what_was_found_and_what_is_sent(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool
) -> None:
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        (a, b, _), letters = await given_up(app, one, two, arrived=arrived)
        one.delete(a)
        one.edit(b, "B!")
        await eventually(lambda: len(one.confirmed) == 6)
        await all_done(app)
        await retried(app, letters)
        assert two.texts() == ["first", "B!\nc"]
        assert not await app._journal.dead_letters()


async def test_a_change_reaches_the_found_message_before_the_other_letters_are_retried(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        (_, b, _), (letter_a, *others) = await given_up(app, one, two, arrived=True)
        await retried(app, [letter_a])
        one.edit(b, "B!")
        await eventually(lambda: two.texts() == ["first", "a\nB!\nc"], what=str(two.texts()))
        await retried(app, others)
        assert two.texts() == ["first", "a\nB!\nc"]
        assert not await app._journal.dead_letters()


async def test_where_nobody_can_tell_the_same_message_is_sent_as_wished(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.reconciles = False
    async with bridge(tmp_path, [one, two], [HELD]) as app:
        _, letters = await given_up(app, one, two, arrived=True)
        await retried(app, letters)
    assert (two.texts(), two.sends) == (["first", "a\nb\nc", "a\nb\nc"], SENDS + 1)


async def test_a_question_that_fails_is_asked_again_for_the_same_message(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    """Set aside meanwhile, and stopped meanwhile, they stay together."""
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        _, letters = await given_up(app, one, two, arrived=True)
    two.ask_faults.append(RetryLater("busy", after_s=0.05))
    async with bridge(tmp_path, [one, two]) as app:
        await retried(app, letters)
        assert not await app._journal.dead_letters()
    assert (two.texts(), two.sends) == (["first", "a\nb\nc"], SENDS)
    assert len(two.asked_since) == 2


async def test_it_waits_as_one_when_it_is_sent_again(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        _, letters = await given_up(app, one, two, arrived=False)
    two.faults.append((RetryLater("busy", after_s=0.05), False))
    async with bridge(tmp_path, [one, two]) as app:
        await retried(app, letters)
    assert two.texts() == ["first", "a\nb\nc"]


async def test_given_up_a_second_time_it_is_still_one(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        _, letters = await given_up(app, one, two, arrived=False)
        two.faults.extend([(RetryLater("busy"), False), (OutcomeUnknown("cut again"), True)])
        await retried(app, letters)
        again = await app._journal.dead_letters()
        assert len(again) == 3
        await retried(app, [letter.delivery_id for letter in again])
        assert not await app._journal.dead_letters()
    assert (two.texts(), two.sends) == (["first", "a\nb\nc"], SENDS + 2)


async def test_refused_when_it_is_sent_again_each_is_tried_alone(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        _, letters = await given_up(app, one, two, arrived=False)

        def judge(outbound: Outbound) -> None:
            if "b" in text_of(outbound.text):
                raise Rejected("not that word")

        two.before_send = judge
        await retried(app, letters)
        assert two.texts() == ["first", "a", "c"]
        (letter,) = await app._journal.dead_letters()
        assert letter.reason == "refused: not that word"
