"""What was done with a message while it was a dead letter is shown once it was retried and has a copy."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bridge.app import App
from bridge.journal.contract import DeliveryStatus
from bridge.model.errors import Rejected
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.policy.routing import Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import PinningAdapter, ScriptedPlatform, all_done, bridge, end, skipped_by

REFUSED = (Rejected("too ugly"), False)


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what the command line wished."""
    monkeypatch.setattr("bridge.delivery.retry_requests.RETRY_POLL_S", 0.05)


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two", adapter=PinningAdapter)


def pinning(*platforms: ScriptedPlatform) -> list[Route]:
    return [Route(name="r", ends=tuple(end(f"{one.name}/c", options={"pins": True}) for one in platforms))]


async def dead(app: App, count: int = 1) -> list[int]:
    letters = await eventually_asked(app._journal.dead_letters, holds=lambda them: len(them) == count)
    await all_done(app)
    return [letter.delivery_id for letter in letters]


def shown(platform: ScriptedPlatform) -> list[tuple[str, set[str], bool]]:
    return [(post.text, set(post.reactions), post.pinned) for post in platform.posted()]


async def test_what_people_hold_by_now_and_the_pin(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two], pinning(one, two)) as app:
        message = one.say("dead")
        one.react(message, "👍", "🎉")
        one.react(message, "❤", author="Carla")
        one.react(message, removed=("🎉",))
        one.pin(message)
        letters = await dead(app)
        assert skipped_by(app) == {str(Skip.REACTION_WITHOUT_COPY): 3, str(Skip.PIN_WITHOUT_COPY): 1}
        await app._journal.retry_dead(letters)
        await eventually(lambda: shown(two) == [("dead", {"👍", "❤"}, True)])
        one.react(message, removed=("❤",), author="Carla")
        one.pin(message, False)
        await eventually(lambda: shown(two) == [("dead", {"👍"}, False)])
        await all_done(app)
        (traced,) = await app._journal.trace(MessageRef(ChatRef(AccountName("one"), "c"), message))
        ends = {delivery.state for change in traced.changes for delivery in change.deliveries}
        assert ends == {DeliveryStatus.DELIVERED, DeliveryStatus.SKIPPED}


async def test_what_was_taken_back_since_is_not_shown(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two], pinning(one, two)) as app:
        message = one.say("dead")
        one.react(message, "👍")
        one.react(message, removed=("👍",))
        one.pin(message)
        one.pin(message, False)
        sends = two.sends
        await app._journal.retry_dead(await dead(app))
        await eventually(lambda: two.texts() == ["dead"])
        await all_done(app)
        assert shown(two) == [("dead", set(), False)]
        assert two.sends == sends + 2, "the message, twice: nothing else was called"


async def test_reactions_on_another_copy(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    """Somebody reacts where the message has a copy; where it has none yet, that is shown later."""
    three = ScriptedPlatform("three")
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two, three]) as app:
        one.say("dead at two")
        letters = await dead(app)
        copy = three.posted()[0].message_id
        three.react(copy, "👍")
        await all_done_after(app, three)
        await app._journal.retry_dead(letters)
        await eventually(lambda: [post.reactions for post in two.posted()] == [("👍",)])


async def all_done_after(app: App, *platforms: ScriptedPlatform) -> None:
    """Once they handed over all they have."""
    await eventually(lambda: all(not one.incoming.qsize() for one in platforms))
    await eventually(lambda: bool(skipped_by(app)))
    await all_done(app)


async def test_where_reactions_are_off_none_is_shown(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append(REFUSED)
    route = Route(name="r", ends=(end("one/c"), end("two/c", options={"reactions": False})))
    async with bridge(tmp_path, [one, two], [route]) as app:
        message = one.say("dead")
        one.react(message, "👍")
        await app._journal.retry_dead(await dead(app))
        await eventually(lambda: two.texts() == ["dead"])
        await all_done(app)
        assert two.posted()[0].reactions == ()


async def test_it_may_die_twice(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.extend([REFUSED, REFUSED])
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("dead")
        one.react(message, "👍")
        await app._journal.retry_dead(await dead(app))
        await eventually(lambda: two.sends == 2)
        letters = await dead(app)
        one.react(message, "🎉", author="Carla")
        await eventually(lambda: skipped_by(app) == {str(Skip.REACTION_WITHOUT_COPY): 2})
        await app._journal.retry_dead(letters)
        await eventually(lambda: [set(post.reactions) for post in two.posted()] == [{"👍", "🎉"}])


async def test_its_reactions_came_before_the_message_and_it_died(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        one.react("one-7", "👍")
        one.say("dead", number=7)
        await app._journal.retry_dead(await dead(app))
        await eventually(lambda: [post.reactions for post in two.posted()] == [("👍",)])


async def test_the_rest_of_it_may_die_again(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    """Its first part is a copy that can be reacted to."""
    two.text_length = 40
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say(" ".join(f"w{number}" for number in range(20)))
        one.react(message, "👍")
        letters = await dead(app)
        two.faults.extend([None, REFUSED])
        await app._journal.retry_dead(letters)
        await eventually(lambda: [post.reactions for post in two.posted()] == [("👍",)])
        assert await dead(app) == letters


@pytest.mark.parametrize("arrives", [True, False], ids=["it arrived", "it did not"])
async def test_the_process_dies_while_it_is_sent(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrives: bool
) -> None:
    two.faults.append(REFUSED)
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("dead")
        one.react(message, "👍")
        letters = await dead(app)
        two.faults.append((asyncio.CancelledError(), arrives))
        await app._journal.retry_dead(letters)
        await eventually(lambda: two.sends == 2)
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: [post.reactions for post in two.posted()] == [("👍",)])
    assert two.texts() == ["dead"]
