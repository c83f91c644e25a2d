"""A text that needs too many messages is shown in part, and the whole of it is a file beside it; where it cannot be, a line says
how much was left out. The file is made anew wherever it is gone."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.adapter import Outbound
from bridge.model.capabilities import Rates, Window
from bridge.model.errors import FileRejected, OutcomeUnknown
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import EMPTY, RichText, concat, plain, text_of
from bridge.policy.routing import RelayOptions, Route
from bridge.render.long_text import cut_line, split_at_most
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge, end, with_options

MOST_MESSAGES = RelayOptions().long_text_parts


def words(count: int, word: str = "word") -> str:
    return " ".join(f"{word}{number}" for number in range(count))


@pytest.fixture
def one() -> ScriptedPlatform:
    platform = ScriptedPlatform("one")
    platform.files["a"] = b"a"
    return platform


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two", text_length=200)


def whole(platform: ScriptedPlatform) -> list[str]:
    return [file.decode() for message in platform.posted() for file in message.files]


def check_beginning(platform: ScriptedPlatform, text: str) -> None:
    """The messages show the beginning, and say how much more there is."""
    shown = "\n".join(platform.texts()).rstrip("\n")
    beginning, _, said = shown.partition("\n✂️ ")
    assert len(platform.posted()) <= MOST_MESSAGES
    assert all(len(one) <= platform.text_length for one in platform.texts())
    joined = " ".join(beginning.split())
    assert text.startswith(joined)
    left_out = int(re.match(r"[\d,]+", said)[0].replace(",", ""))  # type: ignore[index]
    assert abs(len(text) - len(joined) - left_out) <= MOST_MESSAGES, (
        f"{len(text)} - {len(joined)} - {left_out}: but for the spaces at the cuts"
    )


async def test_the_whole_text_is_a_file_beside_its_beginning(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    text = words(2000)
    async with bridge(tmp_path, [one, two]):
        one.say(text)
        await eventually(lambda: whole(two) == [text + "\n"])
        check_beginning(two, text)
        one.say("next")
        await eventually(lambda: two.texts()[-1] == "next")
        await eventually(lambda: not any((tmp_path / "bridge.spool").iterdir()))


async def test_ten_messages_of_text_are_only_text(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    text = "x" * 1850
    async with bridge(tmp_path, [one, two]):
        one.say(text)
        await eventually(lambda: "".join(two.texts()) == text)
        assert len(two.posted()) == MOST_MESSAGES
        assert whole(two) == []


@pytest.mark.parametrize("parts", [1, 3])
async def test_a_route_says_how_many_messages_a_text_may_become(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, parts: int
) -> None:
    text = "x" * 900
    route = Route(name="r", ends=(end("one/c"), end("two/c", options={"long_text_parts": parts})))
    async with bridge(tmp_path, [one, two], [route]):
        said = one.say(text)
        await eventually(lambda: whole(two) == [text + "\n"])
        assert len(two.posted()) == max(parts, 2)  # words and the file
        one.edit(said, "short")
        await eventually(lambda: two.texts()[0] == "short")
        one.edit(said, "y" * 900)
        await eventually(lambda: whole(two)[-1:] == ["y" * 900 + "\n"])
        assert sum(bool(post.text.startswith("y")) for post in two.posted()) <= parts


async def test_other_files_are_there_too(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    text = words(2000)
    photo = Attachment(kind=AttachmentKind.DOCUMENT, file_id="a", name="a.txt", size_bytes=1)
    gone = Attachment(kind=AttachmentKind.DOCUMENT, file_id="b", name="b.txt", problem="hidden by its platform")
    async with bridge(tmp_path, [one, two]):
        one.say(text, attachments=(photo, gone))
        await eventually(lambda: whole(two) == ["a", text + "\n"] or whole(two) == ["a" + text + "\n"])
        assert len(two.posted()) <= MOST_MESSAGES, [(text[-30:], text[:20]) for text in two.texts()]
        assert "b.txt - hidden by its platform" in "\n".join(two.texts())


@pytest.mark.parametrize("left_off", ["files off", "too large"])
async def test_where_there_can_be_no_file_a_line_says_how_much_is_missing(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, left_off: str
) -> None:
    text = words(2000)
    options: dict[str, Any] = {"files": False} if left_off == "files off" else {"max_file_mb": 0.001}
    route = with_options(Route(name="r", ends=(end("one/c"), end("two/c"))), **options)
    async with bridge(tmp_path, [one, two], routes=[route]):
        one.say(text)
        await eventually(lambda: "✂️" in "".join(two.texts()))
        check_beginning(two, text)
        assert whole(two) == []
        assert "could not be shown" in two.texts()[-1]


async def test_a_refused_file_becomes_a_line(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    def before(outbound: Outbound) -> None:
        if outbound.files:
            raise FileRejected("uploads are off")

    two.before_send = before
    async with bridge(tmp_path, [one, two]):
        one.say(words(2000))
        await eventually(lambda: "uploads are off" in "".join(two.texts()))
        one.say("next")
        await eventually(lambda: two.texts()[-1] == "next")
        assert len(two.posted()) <= MOST_MESSAGES + 2


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("at", [0, 1, 5, 8, 9])
async def test_a_stop_between_the_parts_repeats_and_loses_nothing(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, at: int, arrived: bool
) -> None:
    """Whatever is sent before the stop: a slow machine may come to the next attempt."""
    text = words(2000)
    two.faults.extend([*[None] * at, (OutcomeUnknown("cut"), arrived)])

    def hang_behind(_: Outbound) -> None:
        if two.sends > at:
            two.hang = asyncio.Event()

    two.before_send = hang_behind
    app = bridge(tmp_path, [one, two])
    await app.start()
    one.say(text)
    await eventually(lambda: two.sends > at)
    await app.stop(drain_s=0)
    two.before_send = two.hang = None
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: whole(two) == [text + "\n"])
        check_beginning(two, text)


async def test_an_edit_replaces_the_file_and_adds_no_flood(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    first, second = words(2000), words(3000, "other")
    async with bridge(tmp_path, [one, two]):
        said = one.say(first)
        await eventually(lambda: whole(two) == [first + "\n"])
        one.edit(said, second, attachments_known=False)
        await eventually(lambda: whole(two) == [second + "\n"])
        shown = [text for text in two.texts() if not text.startswith("✏️")]
        assert len(two.posted()) <= MOST_MESSAGES, [(text[-30:], text[:20]) for text in two.texts()]
        assert " ".join(" ".join(shown).split("✂️")[0].split()) in second
        one.edit(said, second + "!", attachments_known=True)
        await eventually(lambda: whole(two) == [second + "!\n"])
        one.edit(said, "short")
        await eventually(lambda: two.texts() == ["short"] and whole(two) == [])


async def test_the_same_words_once_more_change_no_file(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    text = words(2000)
    async with bridge(tmp_path, [one, two]):
        said = one.say(text)
        await eventually(lambda: whole(two) == [text + "\n"])
        before = [message.message_id for message in two.posted()]
        one.edit(said, text, attachments_known=False)
        one.edit(said, text)
        one.say("next")
        await eventually(lambda: two.texts()[-1] == "next")
        assert [message.message_id for message in two.posted()][:-1] == before
        one.delete(said)
        await eventually(lambda: two.texts() == ["next"])


async def test_an_edit_that_grows_beyond_all_bounds(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    text = words(20000)
    async with bridge(tmp_path, [one, two]):
        said = one.say("short")
        await eventually(lambda: two.texts() == ["short"])
        one.edit(said, text)
        await eventually(lambda: whole(two) == [text + "\n"])
        assert len(two.posted()) <= MOST_MESSAGES + 1


async def test_an_edit_of_a_merged_piece_is_bounded_too(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.rates = Rates(per_chat=(Window(messages=1, span_s=1.0),))
    text = words(1000)
    async with bridge(tmp_path, [one, two]):
        ids = [one.say(f"m{number}") for number in range(6)]
        await eventually(lambda: "m5" in "\n".join(two.texts()))
        assert any("m1" in message and "m2" in message for message in two.texts()) or len(two.posted()) < 6
        two.rates = Rates()
        one.edit(ids[4], text)
        await eventually(lambda: whole(two) == [text + "\n"])
        assert len(two.posted()) <= MOST_MESSAGES + 6


# -- the rules alone --------------------------------------------------------------------------------------------------------


@given(
    st.text("ab \n", min_size=1, max_size=400).filter(lambda text: bool(text.strip())),
    st.text("yz\n", max_size=120),
    st.integers(60, 100),
    st.integers(1, 4),
)
def test_no_part_is_too_long_and_no_more_than_allowed(text: str, below: str, length: int, most: int) -> None:
    def ending(left_out: int) -> RichText:
        return cut_line(left_out, problem="too long")

    under = plain(below) if below.strip() else EMPTY
    parts, left_out = split_at_most(plain(text), lambda part: len(text_of(part)) <= length, most=most, ending=ending, below=under)
    assert len(parts) <= most
    assert all(len(text_of(part)) <= length for part in parts)
    together = "\n".join(text_of(part) for part in parts)
    if not left_out:
        assert "".join(together.split()) == "".join(text_of(concat(plain(text), under)).split())
    elif "✂️" in together:
        assert f"✂️ {left_out:,} more" in together
        assert len(below.strip()) > length // 3 or "".join(below.split()) in "".join(together.split())
