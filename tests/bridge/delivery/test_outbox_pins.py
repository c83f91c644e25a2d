"""Pins whose outcome is unknown: one that is set on the message itself is repeated, a line about one may be there already."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.journal.contract import DeliveryStatus
from bridge.model.errors import OutcomeUnknown
from bridge.policy.routing import OnUnknown, Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import PinningAdapter, ScriptedPlatform, all_done, bridge, end

HELD = Route(name="r", ends=tuple(end(f"{name}/c", options={"pins": True, "unknown": OnUnknown.HOLD}) for name in ("one", "two")))


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def pinning() -> ScriptedPlatform:
    return ScriptedPlatform("two", reconciles=False, adapter=PinningAdapter)


@pytest.mark.parametrize("arrives", [False, True])
async def test_a_native_pin_whose_answer_never_came_is_made_again(
    tmp_path: Path, one: ScriptedPlatform, pinning: ScriptedPlatform, arrives: bool
) -> None:
    async with bridge(tmp_path, [one, pinning], [HELD]) as app:
        plan = one.say("the plan")
        await eventually(lambda: pinning.texts() == ["the plan"])
        pinning.faults.append((OutcomeUnknown("cut"), arrives))
        one.pin(plan)
        one.say("next")
        await eventually(lambda: pinning.texts() == ["the plan", "next"])
        await all_done(app)
        assert not await app._journal.dead_letters()
    assert [post.pinned for post in pinning.posted()] == [True, False]


async def test_a_native_pin_during_which_the_bridge_stopped_is_made_again(
    tmp_path: Path, one: ScriptedPlatform, pinning: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, pinning], [HELD]):
        plan = one.say("the plan")
        await eventually(lambda: pinning.texts() == ["the plan"])
        pinning.hang = asyncio.Event()
        one.pin(plan)
        await eventually(lambda: pinning.sends == 2)
    pinning.hang = None
    async with bridge(tmp_path, [one, pinning], [HELD]) as app:
        await eventually(lambda: [post.pinned for post in pinning.posted()] == [True])
        await all_done(app)
        assert not await app._journal.dead_letters()


@pytest.mark.parametrize("stops", [False, True])
async def test_a_line_about_a_pin_is_left_to_a_human(tmp_path: Path, one: ScriptedPlatform, stops: bool) -> None:
    """The target cannot pin, and it cannot be asked for the line."""
    two = ScriptedPlatform("two", reconciles=False)
    async with bridge(tmp_path, [one, two], [HELD]):
        plan = one.say("the plan")
        await eventually(lambda: two.texts() == ["the plan"])
        two.faults.append((OutcomeUnknown("cut"), True))
        two.hang = asyncio.Event() if stops else None
        one.pin(plan)
        await eventually(lambda: two.sends == 2)
    two.hang = None
    async with bridge(tmp_path, [one, two], [HELD]) as app:
        letters = await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) == 1)
        assert [letter.state for letter in letters] == [DeliveryStatus.HELD]
        await all_done(app)
    assert two.sends == 2
