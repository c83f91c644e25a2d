"""What is wrong with one file stays with that file: its words, the other files and the rest of the chat go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.state import AccountState
from bridge.model.adapter import FileStream, Outbound
from bridge.model.errors import AccountDown, FileRejected, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import text_of
from bridge.policy.routing import Route
from tests.support.patience import PATIENCE_S, eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end


@pytest.fixture
def one() -> ScriptedPlatform:
    platform = ScriptedPlatform("one")
    platform.files.update(a=b"a" * 10, b=b"b" * 10, c=b"c" * 10)
    return platform


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_WAIT_S", 0.1)


def files(*names: str) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(kind=AttachmentKind.DOCUMENT, file_id=name, name=f"{name}.pdf", size_bytes=10, unique_id=name) for name in names
    )


def refuse(platform: ScriptedPlatform, *contents: bytes, told: bool = True) -> None:
    """The platform takes no message with one of these files, and says which one, or not."""

    def before(outbound: Outbound) -> None:
        places = tuple(place for place, file in enumerate(outbound.files) if file.path.read_bytes() in contents)
        if places:
            raise FileRejected("files of this kind are not allowed", indexes=places if told else ())

    platform.before_send = before


class Broken:
    """`open_file` of all accounts, for the files named, until it is mended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Callable[[], BaseException], *names: str) -> None:
        real = ScriptedAdapter.open_file
        self.asked = 0
        self.is_broken = True

        def open_file(adapter: ScriptedAdapter, attachment: Attachment) -> Any:
            if self.is_broken and attachment.file_id in names:
                self.asked += 1
                raise error()
            return real(adapter, attachment)

        monkeypatch.setattr(ScriptedAdapter, "open_file", open_file)


# -- refused by the target --------------------------------------------------------------------------------------------------


async def test_words_and_other_files_go_without_the_refused_one(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    refuse(two, b"b" * 10)
    async with bridge(tmp_path, [one, two]) as app:
        one.say("three files", attachments=files("a", "b", "c"))
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        first = two.posted()[0]
        assert first.files == (b"a" * 10, b"c" * 10)
        assert first.text.startswith("three files")
        assert "b.pdf" in first.text
        assert "not allowed" in first.text
        assert not await app._journal.dead_letters()


async def test_when_nobody_can_tell_which_one_all_are_lines(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    refuse(two, b"b" * 10, told=False)
    async with bridge(tmp_path, [one, two]):
        one.say("three files", attachments=files("a", "b", "c"))
        await eventually(lambda: two.posted())
        assert two.posted()[0].files == ()
        assert all(f"{name}.pdf" in two.texts()[0] for name in "abc")


async def test_a_file_without_words_is_a_line(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    refuse(two, b"a" * 10)
    async with bridge(tmp_path, [one, two]):
        one.say("", attachments=files("a"))
        await eventually(lambda: two.posted())
        assert "a.pdf" in two.texts()[0]


async def test_a_refused_file_behind_a_long_text(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.text_length = 40
    refuse(two, b"a" * 10)
    words = " ".join(f"word{number}" for number in range(30))
    async with bridge(tmp_path, [one, two]):
        one.say(words, attachments=files("a"))
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        everything = " ".join(two.texts())
        assert [everything.count(f"word{number}") for number in range(10, 30)] == [1] * 20
        assert everything.count("a.pdf") == 1


async def test_a_refused_message_is_still_a_dead_letter(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    def before(outbound: Outbound) -> None:
        if text_of(outbound.text) != "end":
            raise FileRejected("no") if not outbound.files else Rejected("no")

    two.before_send = before
    async with bridge(tmp_path, [one, two]) as app:
        one.say("words")
        one.say("words and a file", attachments=files("a"))
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert len(await app._journal.dead_letters()) == 2


async def test_an_edit_that_brings_a_refused_file(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("words")
        await eventually(lambda: two.texts() == ["words"])
        refuse(two, b"a" * 10)
        one.edit(message, "other words", attachments=files("a"))
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert two.texts()[0] == "other words"
        assert any("a.pdf" in text for text in two.texts())
        assert not await app._journal.dead_letters()


# -- not to be had now ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [lambda: RetryLater("temporarily unavailable"), lambda: OSError("reset"), lambda: KeyError("a bug")],
    ids=["later", "network", "bug"],
)
async def test_words_go_first_and_the_file_follows_them(
    tmp_path: Path,
    one: ScriptedPlatform,
    two: ScriptedPlatform,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], BaseException],
) -> None:
    broken = Broken(monkeypatch, error, "a")
    async with bridge(tmp_path, [one, two]):
        one.say("with a file", attachments=files("a", "b"))
        one.say("what comes after does not wait")
        await eventually(lambda: "what comes after does not wait" in two.texts())
        first = two.posted()[0]
        assert first.text.startswith("with a file")
        assert "a.pdf" in first.text
        assert first.files == (b"b" * 10,)
        broken.is_broken = False
        await eventually(lambda: any(b"a" * 10 in post.files for post in two.posted()))
        late = two.posted()[-1]
        assert late.reply_to == first.message_id
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert sum(b"a" * 10 in post.files for post in two.posted()) == 1


async def test_a_file_that_never_comes_is_a_line_in_the_end(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_PATIENCE_S", 0.5)
    Broken(monkeypatch, lambda: RetryLater("gone fishing"), "a")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("with a file", attachments=files("a"))
        await eventually(lambda: any("could not be fetched" in text for text in two.texts()))
        await eventually(lambda: app._outbox is not None and app._outbox.active_lanes == 0)
        assert len(two.posted()) == 2


async def test_a_late_file_comes_after_a_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(monkeypatch, lambda: RetryLater("not now"), "a")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("with a file", attachments=files("a"))
        one.say("after")
        await eventually(lambda: "after" in two.texts())
        await app.stop(drain_s=0)
    broken.is_broken = False
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: any(b"a" * 10 in post.files for post in two.posted()))
        one.say("end")
        await eventually(lambda: "end" in two.texts())
    assert [post.text.split(" ")[0] for post in two.posted()].count("with") == 1


@pytest.mark.parametrize("what", ["deleted", "taken out"])
async def test_a_late_file_that_its_author_took_back_is_not_posted(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    broken = Broken(monkeypatch, lambda: RetryLater("not now"), "a")
    async with bridge(tmp_path, [one, two]) as app:
        message = one.say("with a file", attachments=files("a"))
        one.say("after")
        await eventually(lambda: "after" in two.texts())
        if what == "deleted":
            one.delete(message)
        else:
            one.edit(message, "without a file")
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        broken.is_broken = False
        await eventually(lambda: app._outbox is not None and app._outbox.active_lanes == 0)
        assert not any(b"a" * 10 in post.files for post in two.posted())
        assert two.texts() == (["after", "end"] if what == "deleted" else ["without a file", "after", "end"])


async def test_an_origin_that_is_down_does_not_park_the_target(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(monkeypatch, lambda: AccountDown("its token was revoked", action="make another"), "a")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("with a file", attachments=files("a"))
        await eventually(lambda: any("with a file" in text for text in two.texts()))
        assert app.account_states()["two"].state is AccountState.UP
        broken.is_broken = False
        await eventually(lambda: any(b"a" * 10 in post.files for post in two.posted()))


async def test_an_edit_whose_file_is_late_changes_the_words_at_once(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(monkeypatch, lambda: RetryLater("not now"), "a")
    async with bridge(tmp_path, [one, two]):
        message = one.say("words")
        await eventually(lambda: two.texts() == ["words"])
        one.edit(message, "other words", attachments=files("a"))
        one.say("after")
        await eventually(lambda: "after" in two.texts())
        assert two.texts()[0].startswith("other words")
        broken.is_broken = False
        await eventually(lambda: any(b"a" * 10 in post.files for post in two.posted()))
        await eventually(lambda: two.texts()[0] == "other words")


# -- slow downloads ---------------------------------------------------------------------------------------------------------


class Trickle:
    """Downloads of the files named begin, and come to their end when they are let."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
        monkeypatch.setattr("bridge.delivery.file_patience._DOWNLOAD_WAIT_S", 0.1)
        monkeypatch.setattr("bridge.delivery.file_patience._LEAST_DOWNLOAD_WAIT_S", 0.1)
        monkeypatch.setattr("bridge.files.fetch._LOOK_AGAIN_S", 0.1)
        self.let = asyncio.Event()
        self.begun = 0
        self.ended = 0
        real = ScriptedAdapter.open_file

        @asynccontextmanager
        async def open_file(adapter: ScriptedAdapter, attachment: Attachment) -> AsyncIterator[FileStream]:
            async with real(adapter, attachment) as stream:
                if attachment.file_id not in names:
                    yield stream
                    return
                self.begun += 1
                try:
                    yield FileStream(chunks=self._chunks(adapter.platform.files[attachment.file_id]), size_bytes=10)
                finally:
                    self.ended += 1

        monkeypatch.setattr(ScriptedAdapter, "open_file", open_file)

    async def _chunks(self, content: bytes) -> AsyncIterator[bytes]:
        yield content[:1]
        await self.let.wait()
        yield content[1:]


async def test_words_go_first_while_a_download_is_slow(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not begun again for that."""
    trickle = Trickle(monkeypatch, "a")
    three = ScriptedPlatform("three")
    said = [f"what comes after does not wait {number}" for number in range(5)]
    async with bridge(tmp_path, [one, two, three]) as app:
        one.say("with a file", attachments=files("a", "b"))
        for text in said:
            one.say(text)
        for target in (two, three):
            await eventually(lambda target=target: said[-1] in target.texts())
            first = target.posted()[0]
            assert first.text.startswith("with a file")
            assert "a.pdf" in first.text
            assert first.files == (b"b" * 10,)
            assert target.texts()[1:] == said
        trickle.let.set()
        for target in (two, three):
            await eventually(lambda target=target: len(target.posted()) == 7)
            late = target.posted()[-1]
            assert late.files == (b"a" * 10,)
            assert late.reply_to == target.posted()[0].message_id
        await eventually(lambda: app._outbox is not None and app._outbox.active_lanes == 0)
    assert trickle.begun == 1


async def test_a_slow_download_is_begun_again_after_a_restart(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    trickle = Trickle(monkeypatch, "a")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("with a file", attachments=files("a"))
        one.say("after")
        await eventually(lambda: "after" in two.texts())
        await app.stop(drain_s=0)
    assert trickle.ended == trickle.begun == 1
    trickle.let.set()
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: len(two.posted()) == 3)
    assert [post.files for post in two.posted()] == [(), (), (b"a" * 10,)]


async def test_a_download_without_an_end_is_a_line_and_is_given_up(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.file_patience._FILE_PATIENCE_S", 0.5)
    trickle = Trickle(monkeypatch, "a")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("with a file", attachments=files("a"))
        one.say("after")
        await eventually(lambda: any("does not come to an end" in text for text in two.texts()))
        await eventually(lambda: app._outbox is not None and app._outbox.active_lanes == 0)
        await eventually(lambda: trickle.ended == 1)
        assert len(two.posted()) == 3
        assert not await app._journal.dead_letters()


async def test_slow_files_of_one_chat_hold_up_no_others(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than are downloaded at once; another chat's file comes whole."""
    trickle = Trickle(monkeypatch, "a")
    routes = [Route(name=chat, ends=(end(f"one/{chat}"), end(f"two/{chat}"))) for chat in ("c", "other")]
    async with bridge(tmp_path, [one, two], routes) as app:
        for number in range(12):
            one.say(f"slow {number}", attachments=files("a"))
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        assert [text.split("\n")[0] for text in two.texts()] == [*(f"slow {number}" for number in range(12)), "end"]
        assert trickle.begun == 8
        monkeypatch.setattr("bridge.delivery.file_patience._DOWNLOAD_WAIT_S", PATIENCE_S)
        one.say("quick", chat="other", attachments=files("b"))
        await eventually(lambda: [post.files for post in two.posted("other")] == [(b"b" * 10,)])
        trickle.let.set()
        await eventually(lambda: sum(post.files == (b"a" * 10,) for post in two.posted()) == 12)
        await eventually(lambda: app._outbox is not None and app._outbox.active_lanes == 0)
    assert len(two.posted()) == 25
