"""Links to people's pictures, and what they open: the picture as it is now, initials where there is none, and always something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import bridge.files.faces as faces_module
from bridge.files.faces import ROOT, FaceGrant, Faces
from bridge.files.links import Purpose, Seal
from bridge.files.on_demand import OnDemand
from bridge.files.spool import Spool
from bridge.model.adapter import FileStream
from bridge.model.clock import SystemClock
from bridge.model.errors import Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, Author
from bridge.model.refs import AccountName
from tests.support.clock import ManualClock
from tests.support.patience import PATIENCE_S, eventually

TG = AccountName("tg")
BASE = "https://bridge.example.com"
ANNA = Author(user_id="42", name="Anna Petrova")
JPEG = b"\xff\xd8\xff" + b"anna" * 100


class Account:
    """An account that shows pictures: its supervisor and its adapter."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes | Exception] = {"42": JPEG}
        self.asked = 0
        self.opened = 0
        self.hold: asyncio.Event | None = None
        self.adapter = self

    async def face(self, user_id: str) -> Attachment | None:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        found = self.pictures.get(user_id)
        if isinstance(found, Exception):
            raise found
        if found is None:
            return None
        return Attachment(kind=AttachmentKind.PHOTO, file_id=user_id, unique_id=f"u{hash(found)}", size_bytes=len(found))

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        self.opened += 1
        found = self.pictures[attachment.file_id]
        assert isinstance(found, bytes)

        async def chunks() -> AsyncIterator[bytes]:
            yield found

        yield FileStream(chunks=chunks(), size_bytes=len(found))

    async def call(self, work: Any) -> Any:
        return await work


class Room:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.account = Account()
        self.accounts: dict[str, Any] = {TG: self.account}
        self.are_on = True
        self.spool = Spool(folder / "spool", 10_000_000)
        self.files = OnDemand(self.spool, self.accounts.get, SystemClock(), most_bytes=5_000_000)
        self.forgotten: dict[tuple[AccountName, str], datetime] = {}
        self.faces = Faces(
            *(Seal(bytes(64)), BASE, self.clock, self.accounts.get, self.files),
            are_on=lambda: self.are_on,
            forgotten=lambda: self.forgotten,
        )

    async def opened(self, url: str) -> faces_module.Picture:
        grant = self.faces.read(url.removeprefix(BASE))
        assert grant is not None
        return await self.faces.picture(grant)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    made = Room(tmp_path)
    made.spool.open()
    yield made
    await made.faces.close()
    await made.files.close()
    made.spool.close()


async def test_a_link_opens_the_picture_and_tells_nobody_whose_it_is(room: Room) -> None:
    url = await room.faces.url(TG, ANNA)
    assert url.startswith(f"{BASE}{ROOT}")
    assert url.endswith("/face.png")
    assert await room.opened(url) == (JPEG, "image/jpeg", True)
    assert await room.opened(url) == (JPEG, "image/jpeg", True)
    assert await room.faces.url(TG, ANNA) == url
    assert (room.account.asked, room.account.opened) == (1, 1)


async def test_another_picture_has_another_link(room: Room) -> None:
    before = await room.faces.url(TG, ANNA)
    room.account.pictures["42"] = b"\x89PNG\r\n\x1a\nnew"
    assert await room.faces.url(TG, ANNA) == before, "it is not asked for each message"
    room.clock.forward(faces_module._FRESH_S)
    after = await room.faces.url(TG, ANNA)
    assert after != before
    for url in (before, after):
        assert await room.opened(url) == (b"\x89PNG\r\n\x1a\nnew", "image/png", True)


async def test_who_has_none_has_initials(room: Room) -> None:
    url = await room.faces.url(TG, Author(user_id="43", name="Boris"))
    content, mime, is_final = await room.opened(url)
    assert (content[:8], mime, is_final) == (b"\x89PNG\r\n\x1a\n", "image/png", True)
    assert (await room.opened(url)).content == content
    assert await room.faces.url(TG, Author(user_id="44", name="Boris")) != url


async def test_what_is_no_picture_is_not_handed_out(room: Room) -> None:
    for odd in (b"<svg onload=alert(1)>", b"<html>", b"", b"\xff\xd8\xff" + bytes(faces_module._MOST_BYTES)):
        room.account.pictures["42"] = odd
        room.clock.forward(faces_module._FRESH_S)
        found = await room.opened(await room.faces.url(TG, ANNA))
        assert found.mime == "image/png"
        assert found.content.startswith(b"\x89PNG")


@pytest.mark.parametrize("trouble", [RetryLater("busy"), Rejected("no"), ConnectionResetError("reset"), ValueError("a mistake")])
async def test_trouble_gives_initials_for_the_moment(room: Room, trouble: Exception) -> None:
    room.account.pictures["42"] = trouble
    url = await room.faces.url(TG, ANNA)
    found = await room.opened(url)
    assert (found.mime, found.is_final) == ("image/png", False)
    room.account.pictures["42"] = JPEG
    room.clock.forward(faces_module._FAILED_S)
    assert (await room.opened(url)).content == JPEG


async def test_a_message_does_not_wait_long_for_a_picture(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces_module, "_PATIENCE_S", 0.02)
    room.account.hold = asyncio.Event()
    urls = [await room.faces.url(TG, Author(user_id=str(number), name="x")) for number in range(faces_module._MOST_ASKED + 5)]
    assert all(urls)
    assert room.account.asked == faces_module._MOST_ASKED, "and not more are asked about at a time"
    room.account.hold.set()
    monkeypatch.setattr(faces_module, "_PATIENCE_S", PATIENCE_S)
    await eventually(lambda: not room.faces._asking, "all are answered")
    assert (await room.opened(await room.faces.url(TG, ANNA))).content == JPEG


async def test_a_public_picture_stays_where_the_account_shows_none(room: Room) -> None:
    public = Author(user_id="42", name="Anna", avatar_url="https://cdn.example.com/a.png")
    assert await room.faces.url(AccountName("gone"), public) == public.avatar_url
    assert await room.faces.url(TG, public) != public.avatar_url
    room.account.pictures.clear()
    room.clock.forward(faces_module._FRESH_S)
    assert await room.faces.url(TG, public) == public.avatar_url
    room.are_on = False
    assert await room.faces.url(TG, public) == public.avatar_url
    assert await room.faces.url(TG, ANNA) == ""


async def test_a_link_ends_and_no_other_opens_anything(room: Room) -> None:
    url = await room.faces.url(TG, ANNA)
    path = url.removeprefix(BASE)
    grant = room.faces.read(path)
    assert grant is not None
    room.clock.forward(7 * 86_400 - 3601)
    assert room.faces.read(path) == grant
    room.clock.forward(8 * 86_400)
    assert room.faces.read(path) is None
    fresh = FaceGrant(ends_at_h=10**9 // 3600 * 10, account=TG, user_id="42", initials="A", version=b"")
    sealed = Seal(bytes(64)).make(Purpose.FILE, fresh, "face.png")
    for odd in (
        f"{ROOT}{sealed}/face.png",
        path.replace("face.png", "other.png"),
        path.replace(ROOT, "/files/"),
        f"{ROOT}x",
        "/faces/",
    ):
        assert room.faces.read(odd) is None


async def test_links_of_somebody_who_was_erased_are_over_at_once(room: Room) -> None:
    before, of_another = await room.faces.url(TG, ANNA), await room.faces.url(TG, Author(user_id="43", name="Boris"))
    room.forgotten[TG, ANNA.user_id] = room.clock.now()
    room.faces.forget(TG, ANNA.user_id)
    assert room.faces.read(before.removeprefix(BASE)) is None
    assert await room.opened(of_another)
    after = await room.faces.url(TG, ANNA)
    assert after != before
    assert (await room.opened(after)).content == JPEG, "who writes again is shown again"
    del room.forgotten[TG, ANNA.user_id]  # kept no longer: links of before have ended by then
    assert await room.opened(after)
    assert faces_module.LONGEST_LINK.days == 14
