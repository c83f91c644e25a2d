"""What was converted is kept for the next time, what could not be is not tried again, and both are bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from bridge.files import conversions
from bridge.files.conversions import Conversions
from bridge.files.convert import Converter, Made, NotConverted
from bridge.files.spool import Spool, Spooled
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.errors import RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.media import GIF, OGG, TGS, Form
from bridge.model.refs import AccountName, ChatRef
from tests.support.patience import eventually

CHAT = ChatRef(AccountName("tg"), "1")
FORM = Form(kind=AttachmentKind.ANIMATION, mime=GIF)
VOICE = Form(kind=AttachmentKind.VOICE, mime=OGG, waveform=True)


class Scripted(Converter):
    """Answers without a process."""

    def __init__(self) -> None:
        super().__init__(SYSTEM_CLOCK)
        self.calls = 0
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.answer: Made | NotConverted = Made(data=b"GIF89a", width=8, height=9)

    def can(self, source: str, form: Form) -> bool:
        return True

    async def convert(self, path: Path, source: str, form: Form, chat: ChatRef) -> Made:
        self.calls += 1
        await self.goes_on.wait()
        if isinstance(self.answer, NotConverted):
            raise self.answer
        return self.answer


def sticker(number: int = 1) -> Attachment:
    kind = AttachmentKind.STICKER
    return Attachment(kind=kind, file_id=f"f{number}", unique_id=f"u{number}", name="Foxes.tgs", mime=TGS, emoji="🦊")


class Folder:
    def __init__(self, path: Path) -> None:
        self.spool = Spool(path / "spool", 1_000_000)
        self.spool.open()
        self.converter = Scripted()
        self.made = Conversions(self.spool, self.converter)
        self._source = path / "source"
        self._source.write_bytes(b"packed")

    @asynccontextmanager
    async def source(self) -> AsyncIterator[Spooled]:
        yield Spooled(path=self._source, size_bytes=6, block_sums=b"")

    async def ask(self, attachment: Attachment, form: Form = FORM, most_bytes: int = 1000) -> tuple[str, bytes] | None:
        await self.made.make(CHAT, attachment, form, self.source)
        async with self.made.borrow(CHAT, attachment, form, self.source, most_bytes=most_bytes) as file:
            return None if file is None else (file.name, file.path.read_bytes())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


async def test_a_sticker_is_converted_once(folder: Folder) -> None:
    assert await folder.ask(sticker()) == ("Foxes.gif", b"GIF89a")
    assert await folder.ask(sticker()) == ("Foxes.gif", b"GIF89a")
    assert folder.converter.calls == 1


async def test_it_is_still_that_attachment(folder: Folder) -> None:
    await folder.made.make(CHAT, sticker(), FORM, folder.source)
    async with folder.made.borrow(CHAT, sticker(), FORM, folder.source, most_bytes=1000) as file:
        assert file is not None
        found = file.attachment
    assert (found.file_id, found.unique_id, found.emoji) == ("f1", "u1", "🦊")
    assert (found.kind, found.mime, found.width, found.height) == (AttachmentKind.ANIMATION, GIF, 8, 9)


async def test_a_failure_is_remembered(folder: Folder) -> None:
    folder.converter.answer = NotConverted("it is broken")
    assert await folder.ask(sticker()) is None
    assert not folder.made.can(CHAT, sticker(), FORM)
    assert folder.made.can(CHAT, sticker(2), FORM)


async def test_a_full_queue_is_not(folder: Folder) -> None:
    folder.converter.answer = NotConverted("too many wait", is_final=False)
    assert await folder.ask(sticker()) is None
    assert folder.made.can(CHAT, sticker(), FORM)


async def test_failures_that_are_remembered_are_bounded(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "_MOST_FAILED", 2)
    folder.converter.answer = NotConverted("it is broken")
    for number in range(4):
        await folder.ask(sticker(number))
    assert [folder.made.can(CHAT, sticker(number), FORM) for number in range(4)] == [True, True, False, False]


async def test_room_on_disk_is_bounded(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversions, "_KEPT_BYTES", 20)
    for number in range(10):
        await folder.ask(sticker(number))
    assert folder.spool.held_bytes <= 20
    monkeypatch.setattr(conversions, "_MOST_KEPT", 1)
    await folder.ask(sticker(10))
    assert folder.spool.held_bytes == 6


async def test_what_the_spool_lost_is_made_again(folder: Folder) -> None:
    await folder.ask(sticker())
    for path in (folder.spool._folder.path).iterdir():
        path.unlink()
    with pytest.raises(RetryLater):
        await folder.ask(sticker())
    assert await folder.ask(sticker()) == ("Foxes.gif", b"GIF89a")
    assert folder.converter.calls == 2


async def test_one_that_two_convert_at_once_takes_its_room_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise what is said to be kept grows without end, and nothing is kept any more."""
    monkeypatch.setattr(conversions, "_KEPT_BYTES", 12)
    folder.converter.goes_on.clear()
    twice = [asyncio.create_task(folder.ask(sticker(1))) for _ in range(2)]
    await eventually(lambda: folder.converter.calls == 2, what="both are being converted")
    folder.converter.goes_on.set()
    assert await asyncio.gather(*twice) == [("Foxes.gif", b"GIF89a")] * 2
    await folder.ask(sticker(2))
    await folder.ask(sticker(1))
    assert folder.converter.calls == 3, "there is room for both"


async def test_what_is_known_to_be_too_large_is_not_even_fetched(folder: Folder) -> None:
    large = msgspec.structs.replace(sticker(), size_bytes=20_000_001)
    assert not folder.made.can(CHAT, large, FORM)
    assert folder.made.can(CHAT, msgspec.structs.replace(large, size_bytes=20_000_000), FORM)


async def test_one_too_large_for_the_target_is_none(folder: Folder) -> None:
    assert await folder.ask(sticker(), most_bytes=5) is None
    assert await folder.ask(sticker(), most_bytes=6) is not None


async def test_a_waveform_is_added_to_the_file_as_it_is(folder: Folder) -> None:
    folder.converter.answer = Made(waveform="AAEC", duration_s=1.5)
    voice = Attachment(kind=AttachmentKind.VOICE, file_id="v", name="voice.ogg", mime=OGG)
    await folder.made.make(CHAT, voice, VOICE, folder.source)
    async with folder.made.borrow(CHAT, voice, VOICE, folder.source, most_bytes=1000) as file:
        assert file is not None
        assert (file.attachment.waveform, file.attachment.duration_s, file.name) == ("AAEC", 1.5, "voice.ogg")
        assert file.path.read_bytes() == b"packed"
    assert folder.spool.held_bytes == 0
