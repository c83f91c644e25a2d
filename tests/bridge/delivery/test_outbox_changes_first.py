"""Edits and deletions that are accepted before their message: platforms promise no order, and redeliver late."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bridge.model.events import PinsChanged
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge, end


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


async def test_a_message_that_comes_after_its_edit_shows_the_edit(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        one.edit("one-7", "meet at 17:00")
        one.say("meet at 15:00", number=7)
        one.say("end", number=8)
        await eventually(lambda: "end" in two.texts())
        assert two.texts() == ["meet at 17:00", "end"]
        one.edit("one-7", "meet at 18:00")
        await eventually(lambda: two.texts() == ["meet at 18:00", "end"])


async def test_a_message_that_comes_after_its_deletion_stays_away(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        one.edit("one-7", "my password is hunter3")
        one.delete("one-7")
        one.say("my password is hunter2", number=7)
        one.say("end", number=8)
        await eventually(lambda: "end" in two.texts())
        assert two.texts() == ["end"]
        assert not await app._journal.dead_letters()


async def test_the_change_waits_through_a_restart(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        one.edit("one-7", "after")
        one.delete("one-8")
        await eventually(lambda: len(one.confirmed) == 2)
    async with bridge(tmp_path, [one, two]):
        one.say("before", number=7)
        one.say("gone", number=8)
        one.say("end", number=9)
        await eventually(lambda: "end" in two.texts())
        assert two.texts() == ["after", "end"]


async def test_in_one_batch_as_well(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        one.edit("one-7", "after")
        edit, _ = one.incoming.get_nowait()
        one.say("before", number=7)
        message, _ = one.incoming.get_nowait()
        one.hear(*edit, *message)
        await eventually(lambda: two.texts() == ["after"])


async def test_an_edit_of_the_text_alone_leaves_files_and_answers(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    from bridge.model.events import Attachment, AttachmentKind, ReplyTo

    one.files["f"] = b"x" * 10
    file = Attachment(kind=AttachmentKind.DOCUMENT, file_id="f", name="f.pdf", size_bytes=10)
    async with bridge(tmp_path, [one, two]):
        first = one.say("first", number=6)
        await eventually(lambda: two.texts() == ["first"])
        one.edit("one-7", "new words", attachments_known=False)
        one.say("old words", number=7, attachments=(file,), reply_to=ReplyTo(message_id=first))
        await eventually(lambda: len(two.posted()) == 2)
        post = two.posted()[1]
        assert (post.text, post.files, post.reply_to) == ("new words", (b"x" * 10,), two.posted()[0].message_id)


async def test_an_edit_that_comes_after_the_deletion_brings_nothing_back(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        one.delete("one-7")
        one.edit("one-7", "my password is hunter3")
        one.say("my password is hunter2", number=7)
        one.say("end", number=8)
        await eventually(lambda: "end" in two.texts())
        assert two.texts() == ["end"]


async def test_a_change_whose_row_is_harmed_keeps_its_message_from_nobody(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        one.edit("one-7", "after")
        await eventually(lambda: len(one.confirmed) == 1)
        with sqlite3.connect(app._config.journal.path) as connection:
            connection.execute("UPDATE latest SET json = x'00'")
        connection.close()
        one.say("before", number=7)
        one.edit("one-7", "in the end")
        await eventually(lambda: two.texts() == ["in the end"])


async def test_a_reaction_that_comes_before_its_message_waits_for_it_through_a_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        one.react("one-7", "👍", "🎉")
        one.react("one-7", removed=("🎉",))
        await eventually(lambda: len(one.confirmed) == 2)
    async with bridge(tmp_path, [one, two]):
        one.say("words", number=7)
        await eventually(lambda: [post.reactions for post in two.posted()] == [("👍",)])
        one.react("one-7", "❤", author="Carla")
        await eventually(lambda: set(two.posted()[0].reactions) == {"👍", "❤"})
        one.react("one-7", removed=("👍",))
        await eventually(lambda: two.posted()[0].reactions == ("❤",))


async def test_a_reaction_before_its_message_in_one_batch_is_shown_as_well(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        one.react("one-7", "👍")
        reaction, _ = one.incoming.get_nowait()
        one.say("words", number=7)
        message, _ = one.incoming.get_nowait()
        one.say("more words", number=8)
        one.hear(*reaction, *message)
        await eventually(lambda: sorted((post.text, post.reactions) for post in two.posted())[-1:] == [("words", ("👍",))])


async def test_a_pin_that_came_first_is_announced_once_where_nothing_can_be_pinned(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    """Its line needs no copy, so it goes when the pin comes, and what follows the message adds none."""
    route = Route(name="r", ends=(end("one/c"), end("two/c", options={"pins": True})))
    async with bridge(tmp_path, [one, two], [route]):
        one.hear(PinsChanged(meta=one.meta("pin", "c"), message_id="one-7", pinned=True))
        one.say("words", number=7)
        one.say("end", number=8)
        await eventually(lambda: "end" in two.texts())
        assert sum("pinned a message" in text for text in two.texts()) == 1
