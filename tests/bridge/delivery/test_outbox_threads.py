"""Two threads of one chat as targets of one message: each has a copy of its own, and what becomes of the message reaches both."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.model.errors import Rejected
from bridge.model.events import ReplyTo
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import Posted, ScriptedPlatform, bridge, end


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


def both(*threads: str | None) -> list[Route]:
    return [Route(name="all", ends=(end("one/c"), *(end("two/c", thread_id=thread) for thread in threads)))]


def by_thread(platform: ScriptedPlatform) -> dict[str | None, list[Posted]]:
    found: dict[str | None, list[Posted]] = {}
    for message in platform.posted():
        found.setdefault(message.thread_id, []).append(message)
    return found


async def test_edits_replies_reactions_and_deletes_reach_both_copies_also_after_a_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two], both("x", "y")):
        said = one.say("hello")
        await eventually(lambda: len(two.posted()) == 2)
    async with bridge(tmp_path, [one, two], both("x", "y")):
        one.edit(said, "hello!")
        one.react(said, "👍")
        one.say("an answer", reply_to=ReplyTo(message_id=said))
        await eventually(lambda: len(two.posted()) == 4)
        copies = by_thread(two)
        for thread in ("x", "y"):
            first, answer = copies[thread]
            assert (first.text, first.reactions) == ("hello!", ("👍",))
            assert answer.reply_to == first.message_id
        one.delete(said)
        await eventually(lambda: len(two.posted()) == 2)
    assert {thread: [message.text for message in messages] for thread, messages in by_thread(two).items()} == {
        "x": ["an answer"],
        "y": ["an answer"],
    }


async def test_the_chat_itself_and_one_of_its_threads(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two], both(None, "y")):
        said = one.say("a" * 1500)
        await eventually(lambda: len(two.posted()) == 4)
        one.edit(said, "short")
        await eventually(lambda: two.texts() == ["short", "short"])
        assert list(by_thread(two)) == [None, "y"]


async def test_an_answer_in_one_thread_points_at_the_original_and_at_the_other_threads_copy(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two], both("x", "y")):
        said = one.say("hello")
        await eventually(lambda: len(two.posted()) == 2)
        copies = by_thread(two)
        two.say("hi Anna", thread="x", reply_to=ReplyTo(message_id=copies["x"][0].message_id))
        await eventually(lambda: one.posted() and len(two.posted()) == 3)
        assert one.posted()[0].reply_to == said
        answer = by_thread(two)["y"][1]
        assert (answer.text, answer.reply_to) == ("hi Anna", copies["y"][0].message_id)


async def test_threads_of_one_chat_relayed_to_each_other(tmp_path: Path, two: ScriptedPlatform) -> None:
    routes = [Route(name="all", ends=(end("two/c", thread_id="x"), end("two/c", thread_id="y")))]
    async with bridge(tmp_path, [two], routes):
        said = two.say("hello", thread="x")
        two.chats["c"] = [original := Posted(message_id=said, text="hello", sender="Anna", token="", thread_id="x")]
        (copy,) = await eventually(lambda: two.posted()[1:])
        assert copy.thread_id == "y"
        two.react(said, "👍")
        await eventually(lambda: copy.reactions == ("👍",))
        two.react(said, removed=("👍",))
        await eventually(lambda: copy.reactions == ())
        two.edit(said, "hello!")
        await eventually(lambda: copy.text == "hello!")
        two.delete(said)
        await eventually(lambda: copy.deleted)
    assert (original.text, original.reactions, original.deleted) == ("hello", (), False)


async def test_a_reaction_in_one_thread_is_seen_in_the_other_and_at_the_origin(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    class _Original(Posted):
        pass

    async with bridge(tmp_path, [one, two], both("x", "y")):
        said = one.say("hello")
        one.chats["c"] = [_Original(message_id=said, text="hello", sender="Anna", token="")]
        await eventually(lambda: len(two.posted()) == 2)
        x, y = (by_thread(two)[thread][0] for thread in ("x", "y"))
        two.react(x.message_id, "🎉")
        await eventually(lambda: y.reactions == ("🎉",) and one.chats["c"][0].reactions == ("🎉",))
        assert x.reactions == ()


async def test_one_threads_copy_that_was_refused_leaves_the_other_alone(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.faults.append((Rejected("thread is locked"), False))
    async with bridge(tmp_path, [one, two], both("x", "y")):
        said = one.say("hello")
        await eventually(lambda: len(two.posted()) == 1)
        one.edit(said, "hello!")
        one.say("an answer", reply_to=ReplyTo(message_id=said))
        await eventually(lambda: len(two.posted()) == 3)
        sends = two.sends
    assert by_thread(two)["y"][0].text == "hello!"
    assert two.posted()[0].thread_id == "y"
    # what has no copy in its own thread points at the nearest one, and changes nothing of it
    assert by_thread(two)["x"][0].reply_to == by_thread(two)["y"][0].message_id
    assert sends == 5


async def test_a_copy_in_a_thread_that_is_no_end_any_more_is_still_seen_to(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two], both("x")):
        said = one.say("hello")
        await eventually(two.posted)
    async with bridge(tmp_path, [one, two], both("y")):
        one.edit(said, "hello!")
        await eventually(lambda: two.texts() == ["hello!"])
        one.react(said, "👍")
        await eventually(lambda: two.posted()[0].reactions == ("👍",))
        one.delete(said)
        await eventually(lambda: not two.posted())
