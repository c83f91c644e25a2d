"""Nobody is shown under the name of one of the bridge's own bots, from the moment its platform told it and after every restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model.errors import AccountDown
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one", own_names=("Post Relay", "post_relay_bot"))


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two", own_names=("Courier",))


async def _sender(origin: ScriptedPlatform, target: ScriptedPlatform, author: str) -> str:
    before = len(target.posted())
    origin.say("hello", author=author)
    await eventually(lambda: len(target.posted()) > before)
    return target.posted()[before].sender


@pytest.mark.parametrize("name", ["Courier", "COURIER", "Cоuriеr", "C o u r i e r", "Post Relay", "post_relay_bot", "P0st ReIay"])
async def test_a_sender_called_like_a_bot_is_told_apart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, name: str
) -> None:
    async with bridge(tmp_path, [one, two]):
        assert await _sender(one, two, name) == f"{name} (one)"
        assert await _sender(one, two, "Couriere") == "Couriere"


async def test_a_bot_that_is_renamed_is_protected_at_once(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        assert await _sender(one, two, "Messenger") == "Messenger"
        two.own_names = ("Messenger",)
        two.cut()
        await eventually(lambda: two.connections == 2)
        assert await _sender(one, two, "Messenger") == "Messenger (one)"
        assert await _sender(one, two, "Courier") == "Courier"


async def test_names_are_known_from_the_first_message_after_a_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    three = ScriptedPlatform("three")
    async with bridge(tmp_path, [one, two, three]):
        await _sender(one, three, "Anna")
    two.run_errors.extend(AccountDown("logged out", action="log in") for _ in range(1000))
    async with bridge(tmp_path, [one, two, three]):
        assert await _sender(one, three, "Courier") == "Courier (one)"
