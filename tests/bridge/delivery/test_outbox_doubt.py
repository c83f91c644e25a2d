"""Dead letters that may have arrived: before one is sent again the platform is asked, where it can be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bridge.app import App
from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater
from bridge.policy.retry import Policy
from bridge.policy.routing import OnUnknown, Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, all_done, bridge, end

IMPATIENT = Policy(base_s=0.02, cap_s=0.02, floor_s=0.01, give_up_after_h=0.0, fewest_attempts=1)
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


async def died(app: App) -> list[int]:
    letters = await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) == 1)
    assert "may have arrived" in letters[0].reason
    await all_done(app)
    return [letter.delivery_id for letter in letters]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("arrived", [False, True])
async def test_what_was_given_up_is_asked_for_and_there_once(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool, restarted: bool
) -> None:
    two.faults.append((OutcomeUnknown("cut"), arrived))
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        one.say("maybe")
        letters = await died(app)
        assert not two.asked_since
        if not restarted:
            await app._journal.retry_dead(letters)
            await all_done(app)
    if restarted:
        async with bridge(tmp_path, [one, two]) as app:
            await app._journal.retry_dead(letters)
            await all_done(app)
    assert two.texts() == ["maybe"]
    assert two.sends == (1 if arrived else 2)
    assert len(two.asked_since) == 1


async def test_it_is_looked_for_from_the_first_attempt_on(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    """Not from when the message came, nor from the retry."""
    two.faults.extend([(RetryLater("later", after_s=0.3), False), (OutcomeUnknown("cut"), True)])
    async with bridge(
        tmp_path, [one, two], policy=Policy(base_s=0.02, cap_s=0.02, floor_s=0.01, fewest_attempts=2, give_up_after_h=0.0)
    ) as app:
        before = app._clock.now()
        one.say("maybe")
        letters = await died(app)
        after = app._clock.now()
        await app._journal.retry_dead(letters)
        await all_done(app)
    (since,) = two.asked_since
    assert before < since < after
    assert two.posted()[0].text == "maybe"
    assert two.sends == 2


async def test_a_held_letter_is_asked_for_once_the_platform_can_be_asked(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.reconciles = False
    two.faults.append((OutcomeUnknown("cut"), True))
    async with bridge(tmp_path, [one, two], [HELD]) as app:
        one.say("maybe")
        letters = await died(app)
    two.reconciles = True
    async with bridge(tmp_path, [one, two], [HELD]) as app:
        await app._journal.retry_dead(letters)
        await all_done(app)
    assert (two.texts(), two.sends) == (["maybe"], 1)


async def test_where_nobody_can_tell_it_is_sent_as_wished(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.reconciles = False
    two.faults.append((OutcomeUnknown("cut"), True))
    async with bridge(tmp_path, [one, two], [HELD]) as app:
        meeting = one.say("meet at 5")
        letters = await died(app)
        one.edit(meeting, "meet at 6")
        await eventually(lambda: len(one.confirmed) == 2)
        await all_done(app)
        await app._journal.retry_dead(letters)
        await all_done(app)
    assert (two.texts(), two.sends) == (["meet at 5", "meet at 6"], 2)


@pytest.mark.parametrize("arrived", [False, True])
async def test_an_edit_made_since_reaches_what_was_found_and_what_is_sent(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool
) -> None:
    two.faults.append((OutcomeUnknown("cut"), arrived))
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        meeting = one.say("meet at 5")
        letters = await died(app)
        one.edit(meeting, "meet at 6")
        await eventually(lambda: len(one.confirmed) == 2)
        await all_done(app)
        await app._journal.retry_dead(letters)
        await all_done(app)
    assert two.texts() == ["meet at 6"]


@pytest.mark.parametrize("arrived", [False, True])
async def test_what_was_deleted_since_is_deleted_or_not_sent(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool
) -> None:
    two.faults.append((OutcomeUnknown("cut"), arrived))
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        secret = one.say("secret")
        letters = await died(app)
        one.delete(secret)
        await eventually(lambda: len(one.confirmed) == 2)
        await all_done(app)
        await app._journal.retry_dead(letters)
        await all_done(app)
        assert not await app._journal.dead_letters()
    assert (two.texts(), two.sends) == ([], 2 if arrived else 1)


@pytest.mark.parametrize("arrived", [False, True])
async def test_of_several_parts_the_next_one_is_asked_for(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool
) -> None:
    two.text_length = 40
    words = " ".join(f"w{number}" for number in range(30))
    two.faults.extend([None, (OutcomeUnknown("cut"), arrived)])
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        one.say(words)
        letters = await died(app)
        await app._journal.retry_dead(letters)
        await all_done(app)
    assert " ".join(two.texts()).split() == words.split()
    assert len(two.asked_since) == 1


async def test_a_letter_of_an_earlier_version_is_asked_for_too(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.append((OutcomeUnknown("cut"), True))
    async with bridge(tmp_path, [one, two], policy=IMPATIENT) as app:
        one.say("maybe")
        letters = await died(app)
    with sqlite3.connect(tmp_path / "bridge.journal") as connection:
        connection.execute("DELETE FROM plan")
    connection.close()
    async with bridge(tmp_path, [one, two]) as app:
        await app._journal.retry_dead(letters)
        await all_done(app)
    assert (two.texts(), two.sends) == (["maybe"], 1)


async def test_a_refused_letter_is_known_not_to_be_there(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append((Rejected("too ugly"), False))
    async with bridge(tmp_path, [one, two]) as app:
        one.say("dead")
        (letter,) = await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) == 1)
        await all_done(app)
        await app._journal.retry_dead([letter.delivery_id])
        await all_done(app)
    assert two.texts() == ["dead"]
    assert not two.asked_since
