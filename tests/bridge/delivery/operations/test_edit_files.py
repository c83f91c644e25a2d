"""Files that an edit adds, takes away or replaces: seen on every copy, or a line says why not; crashes and refusals in between."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bridge.model.errors import ChangeRefused, OutcomeUnknown, Rejected, RetryLater
from bridge.model.events import AlbumItem, Attachment, AttachmentKind
from bridge.model.rich_text import plain
from bridge.policy.retry import Policy
from bridge.policy.routing import Route
from tests.support.budget import examples
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge, end, with_options

ADDED, REPLACED, REMOVED = "✏️ added by an edit", "✏️ replaced by an edit", "🗑️ a file here was removed by an edit"


@pytest.fixture
def one() -> ScriptedPlatform:
    platform = ScriptedPlatform("one")
    platform.files.update({name: name.encode() for name in "abcd"})
    return platform


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


def files(names: str) -> dict[str, Any]:
    return {
        "attachments": tuple(
            Attachment(kind=AttachmentKind.DOCUMENT, file_id=f"{name}", name=f"{name}.txt", size_bytes=1) for name in names
        )
    }


def shown(platform: ScriptedPlatform) -> list[tuple[str, str]]:
    """Text and files of each message that is there."""
    return [(message.text, b"".join(message.files).decode()) for message in platform.posted()]


async def becomes(platform: ScriptedPlatform, *messages: tuple[str, str]) -> None:
    await eventually(lambda: shown(platform) == list(messages), what=f"{messages}, not {shown(platform)}")


async def test_an_added_file_answers_the_copy_and_is_deleted_with_it(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words")
        await becomes(two, ("words", ""))
        one.edit(said, "words!", **files("a"))
        await becomes(two, ("words!", ""), (ADDED, "a"))
        assert two.posted()[1].reply_to == two.posted()[0].message_id
    async with bridge(tmp_path, [one, two]):
        one.edit(said, "words!!", **files("a"))  # a further edit finds the file where it is
        await becomes(two, ("words!!", ""), (ADDED, "a"))
        one.edit(said, "words!!!", **files("ab"))
        await becomes(two, ("words!!!", ""), (ADDED, "a"), (ADDED, "b"))
        one.delete(said)
        await becomes(two)
    assert one.fetched == ["a", "b"]


async def test_words_that_cannot_change_any_more_keep_an_added_file_from_nobody(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words")
        await becomes(two, ("words", ""))
        two.faults.append((ChangeRefused("too old to be edited"), False))
        one.edit(said, "words!", **files("a"))
        await becomes(two, ("words", ""), (ADDED, "a"))
        one.edit(said, "words!!", **files("a"))
        await becomes(two, ("words!!", ""), (ADDED, "a"))


async def test_a_file_that_was_added_and_taken_away_again(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words")
        one.edit(said, "words!", **files("a"))
        await becomes(two, ("words!", ""), (ADDED, "a"))
        one.edit(said, "words!")
        await becomes(two, ("words!", ""))


async def test_a_removed_file_beside_text_is_a_line_where_the_platform_cannot_take_it_out(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words", **files("ab"))
        await becomes(two, ("words", "ab"))
        one.edit(said, "words", **files("a"))
        await becomes(two, (f"words\n{REMOVED}", "ab"))
        one.edit(said, "other words", **files("a"))  # what stays to be seen stays to be told
        await becomes(two, (f"other words\n{REMOVED}", "ab"))
        one.edit(said, "other words")
        await becomes(two, ("other words\n🗑️ 2 files here were removed by an edit", "ab"))
        one.edit(said, "other words", **files("ab"))
        await becomes(two, ("other words", "ab"))


async def test_a_removed_file_is_taken_out_where_the_platform_can(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.removes_files = True
    async with bridge(tmp_path, [one, two]):
        said = one.say("words", **files("abc"))
        await becomes(two, ("words", "abc"))
        one.edit(said, "words", **files("ac"))
        await becomes(two, ("words", "ac"))
        one.edit(said, "words!", **files("c"))
        await becomes(two, ("words!", "c"))
        one.edit(said, "words!")
        await becomes(two, ("words!", ""))
        one.edit(said, "words!!", **files("d"))
        await becomes(two, ("words!!", ""), (ADDED, "d"))


async def test_in_an_album_its_own_message_goes(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.albums = True
    async with bridge(tmp_path, [one, two]):
        said = one.say("words", **files("abc"))
        await becomes(two, ("words", "a"), ("", "b"), ("", "c"))
        one.edit(said, "words", **files("ac"))
        await becomes(two, ("words", "a"), ("", "c"))
        one.edit(said, "words", **files("a"))
        await becomes(two, ("words", "a"))
        one.edit(said, "words")  # the words are on this one
        await becomes(two, (f"words\n{REMOVED}", "a"))
        one.delete(said)
        await becomes(two)


async def test_a_file_without_words_is_replaced_as_a_whole(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("", **files("a"))
        await becomes(two, ("", "a"))
        one.edit(said, "", **files("b"))
        await becomes(two, (REPLACED, "b"))
        one.edit(said, "now with words", **files("b"))
        await becomes(two, ("now with words", "b"))
        one.edit(said, "", **files(""))
        await becomes(two)
        one.edit(said, "words again")
        one.say("end")
        await becomes(two, ("end", ""))


async def test_a_file_with_words_is_replaced_by_a_line_and_an_answer(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words", **files("a"))
        one.edit(said, "words", **files("b"))
        await becomes(two, (f"words\n{REMOVED}", "a"), (REPLACED, "b"))


async def test_one_of_an_album_is_replaced_at_its_place(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.removes_files = True
    async with bridge(tmp_path, [one, two]):
        one.say("words", number=10, also_ids=("one-11", "one-12"), **files("abc"))
        await becomes(two, ("words", "abc"))
        one.edit("one-11", "", album_item=True, **files("d"))
        await becomes(two, ("words", "ac"), (REPLACED, "d"))
        one.edit("one-10", "other words", album_item=True, **files("a"))
        await becomes(two, ("other words", "ac"), (REPLACED, "d"))
        one.edit("one-12", "", album_item=True, **files("c"))  # nothing that is shown
        one.say("end")
        await becomes(two, ("other words", "ac"), (REPLACED, "d"), ("end", ""))


# -- albums, whose items are edited one by one ---------------------------------------------------------------------------------


def album(*items: tuple[str, str]) -> dict[str, Any]:
    """The words and files of its native messages, as what `say` takes."""
    return {
        "items": tuple(AlbumItem(text=plain(words), **files(names)) for words, names in items),
        "also_ids": tuple(f"one-{number}" for number in range(11, 10 + len(items))),
        "number": 10,
    }


def item(platform: ScriptedPlatform, number: int, words: str, names: str) -> None:
    platform.edit(f"one-{number}", words, album_item=True, **files(names))


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_edit_of_one_caption_leaves_the_others(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, restarted: bool
) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bridge(tmp_path, [one, two]))
        one.say("", **album(("left", "a"), ("", "b"), ("right", "c")))
        await becomes(two, ("left\nright", "abc"))
        if restarted:
            await stack.aclose()
            await stack.enter_async_context(bridge(tmp_path, [one, two]))
        item(one, 10, "LEFT", "a")
        await becomes(two, ("LEFT\nright", "abc"))
        item(one, 11, "middle", "b")
        await becomes(two, ("LEFT\nmiddle\nright", "abc"))
        if restarted:
            await stack.aclose()
            await stack.enter_async_context(bridge(tmp_path, [one, two]))
        item(one, 12, "", "c")
        await becomes(two, ("LEFT\nmiddle", "abc"))
        item(one, 10, "", "a")
        item(one, 11, "", "b")
        await becomes(two, ("", "abc"))
        item(one, 12, "again", "c")
        await becomes(two, ("again", "abc"))


async def test_edits_of_items_that_come_at_once(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        edits = ScriptedPlatform("one")
        edits.say("", **album(("left", "a"), ("right", "b")))
        item(edits, 10, "LEFT", "a")
        item(edits, 11, "", "b")
        item(edits, 11, "RIGHT", "b")
        batch = [event for events, _ in (edits.incoming.get_nowait() for _ in range(4)) for event in events]
        one.hear(*batch)
        await becomes(two, ("LEFT\nRIGHT", "ab"))
        item(edits, 11, "right", "b")
        [another], _ = edits.incoming.get_nowait()
        one.hear(batch[0], another)  # the album itself is delivered once more
        await becomes(two, ("LEFT\nright", "ab"))


async def test_a_file_of_an_item_is_replaced_and_its_caption_goes(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    two.removes_files = True
    async with bridge(tmp_path, [one, two]):
        one.say("", **album(("left", "a"), ("right", "b")))
        await becomes(two, ("left\nright", "ab"))
        item(one, 11, "", "c")
        await becomes(two, ("left", "a"), (REPLACED, "c"))
        item(one, 10, "left!", "a")
        await becomes(two, ("left!", "a"), (REPLACED, "c"))


async def test_lines_of_the_other_items_stay(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    large = Attachment(kind=AttachmentKind.VIDEO, file_id="large", name="large.mp4", size_bytes=5_000_000_000)
    said = album(("left", "a"), ("", ""))
    said["items"] = (said["items"][0], AlbumItem(attachments=(large,)))
    async with bridge(tmp_path, [one, two]):
        one.say("", **said)
        line = "🎬 large.mp4 (5.0 GB) - too large for Two"
        await becomes(two, (f"left\n{line}", "a"))
        item(one, 10, "LEFT", "a")
        await becomes(two, (f"LEFT\n{line}", "a"))


async def test_an_edit_that_tells_only_the_text_leaves_files_alone(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words", **files("ab"))
        one.edit(said, "words!", attachments_known=False)
        await becomes(two, ("words!", "ab"))


async def test_an_added_file_that_cannot_be_there_is_a_line(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    large = Attachment(kind=AttachmentKind.DOCUMENT, file_id="large", name="large.iso", size_bytes=5_000_000_000)
    gone = Attachment(kind=AttachmentKind.DOCUMENT, file_id="gone", name="gone.txt", problem="deleted")
    async with bridge(tmp_path, [one, two]):
        said = one.say("words")
        one.edit(said, "words", attachments=(large, gone))
        await becomes(two, ("words\n📎 large.iso (5.0 GB) - too large for Two\n📎 gone.txt - deleted", ""))
        said = one.say("", **files("a"))
        one.edit(said, "", attachments=(large,))
        await eventually(lambda: len(two.posted()) == 2 and "large.iso" in two.texts()[1])
        assert [message.files for message in two.posted()] == [(), ()]
    assert one.fetched == ["a"]


async def test_where_files_are_off_an_added_one_is_a_line(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    routes = [with_options(Route(name="all", ends=(end("one/c"), end("two/c"))), files=False)]
    async with bridge(tmp_path, [one, two], routes):
        said = one.say("words")
        one.edit(said, "words", **files("a"))
        await becomes(two, ("words\n📎 a.txt (1 B) - files are not relayed here", ""))
    assert one.fetched == []


async def test_a_removal_that_is_refused_becomes_a_line(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.albums = True
    async with bridge(tmp_path, [one, two]):
        said = one.say("words", **files("ab"))
        await becomes(two, ("words", "a"), ("", "b"))
        two.faults.extend([None, (Rejected("message can't be deleted"), False)])
        one.edit(said, "words!", **files("a"))
        await becomes(two, (f"words!\n{REMOVED}", "a"), ("", "b"))


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_file_whose_answer_never_came_is_there_once(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, arrived: bool
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words")
        await becomes(two, ("words", ""))
        two.faults.extend([None, (OutcomeUnknown("cut"), arrived)])
        one.edit(said, "words!", **files("a"))
        await eventually(lambda: two.sends >= 3)
        answered = datetime.now(UTC)  # what was posted was posted before that
        one.say("end")
        await becomes(two, ("words!", ""), (ADDED, "a"), ("end", ""))
    assert two.asked_since
    assert max(two.asked_since) <= answered


async def test_a_process_that_died_over_the_new_file_asks_for_it(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words")
        await becomes(two, ("words", ""))
    async with bridge(tmp_path, [one, two], policy=Policy(base_s=600, cap_s=600, floor_s=600)):
        two.faults.extend([None, (OutcomeUnknown("cut"), True)])
        one.edit(said, "words!", **files("a"))
        await becomes(two, ("words!", ""), (ADDED, "a"))
        posted = datetime.now(UTC)
    async with bridge(tmp_path, [one, two]):
        one.say("end")
        await becomes(two, ("words!", ""), (ADDED, "a"), ("end", ""))
    assert two.asked_since
    assert max(two.asked_since) <= posted, "what is looked for was posted before the restart"


async def test_a_file_that_comes_later_holds_the_edit_up_until_then(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    async with bridge(tmp_path, [one, two]):
        said = one.say("words")
        two.faults.extend([None, (RetryLater("busy", after_s=0.01), False), None, (RetryLater("busy", after_s=0.01), False)])
        one.edit(said, "words!", **files("a"))
        await becomes(two, ("words!", ""), (ADDED, "a"))


VERSION = st.tuples(st.sampled_from(["", "words", "other words"]), st.sets(st.sampled_from("abcd")))


@given(versions=st.lists(VERSION, min_size=2, max_size=5), albums=st.booleans(), removes_files=st.booleans())
@settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
def test_after_any_edits_the_copy_shows_the_files_or_says_why_not(
    versions: list[tuple[str, set[str]]], albums: bool, removes_files: bool
) -> None:
    versions = [(words, names) for words, names in versions if words or names]
    assume(len(versions) > 1)

    async def run(folder: Path) -> None:
        one, two = ScriptedPlatform("one"), ScriptedPlatform("two", albums=albums, removes_files=removes_files and not albums)
        one.files.update({name: name.encode() for name in "abcd"})
        async with bridge(folder, [one, two]):
            said = one.say(versions[0][0], **files("".join(sorted(versions[0][1]))))
            for words, names in versions[1:]:
                one.edit(said, words, **files("".join(sorted(names))))
            one.say("end")
            await eventually(lambda: "end" in two.texts())
            words, names = versions[-1]
            there = sorted("".join(held for _, held in shown(two)))
            assert set(names) <= set(there)
            if there != sorted(names):
                assert not two.removes_files
                left = len(there) - len(names)
                assert any(f"{left} files here" in text or (left == 1 and REMOVED in text) for text in two.texts()), shown(two)
            if words:
                assert any(text.startswith(words) for text in two.texts()[:-1])

    with TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))
