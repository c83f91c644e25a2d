"""Files by their links: what a link opens, what it does not, and what it costs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession

import bridge.web.media as media_module
from bridge.files.links import FileLinks, Seal
from bridge.files.on_demand import OnDemand
from bridge.files.spool import Spool
from bridge.journal.contract import JournalError, Original
from bridge.model.adapter import FileStream
from bridge.model.clock import SystemClock
from bridge.model.errors import AccountDown, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, Content, EventMeta, MessageEdited
from bridge.model.refs import AccountName, ChatRef, MessageRef
from bridge.web.client_address import Proxies
from bridge.web.media import MediaPages
from bridge.web.public import PublicWeb
from tests.support.clock import BEGINNING, ManualClock
from tests.support.patience import PATIENCE_S, eventually
from tests.support.web import LOOPBACK

TG = AccountName("tg")
CHAT = ChatRef(TG, "-100")
MESSAGE = MessageRef(CHAT, "7")
BYTES = random.Random(5).randbytes(700_001)
CLIP = Attachment(kind=AttachmentKind.VIDEO, file_id="clip", name="Ünser clip.mp4", mime="video/mp4", size_bytes=len(BYTES))


class Origin:
    """The account that has the files: its adapter and its supervisor."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | Exception] = {"clip": BYTES}
        self.opened: list[str] = []
        self.hold: asyncio.Event | None = None
        self.down: list[AccountDown] = []
        self.adapter = self

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        self.opened.append(attachment.file_id)
        found = self.files[attachment.file_id]
        if isinstance(found, Exception):
            raise found

        async def chunks() -> AsyncIterator[bytes]:
            yield found[:1000]
            if self.hold is not None:
                await self.hold.wait()
            yield found[1000:]

        yield FileStream(chunks=chunks(), size_bytes=len(found))

    async def call(self, work: Any) -> Any:
        return await work

    def report_down(self, error: AccountDown) -> None:
        self.down.append(error)


class Server:
    """A public listener with links, and what it stands on."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.origin = Origin()
        self.accounts: dict[str, Any] = {TG: self.origin}
        self.originals: dict[MessageRef, Original | Exception] = {MESSAGE: Original()}
        self.routed = {CHAT}
        self.days = 7.0
        self.spool = Spool(folder / "spool", 4_000_000)
        self.files = OnDemand(self.spool, self.accounts.get, SystemClock(), most_bytes=2_000_000)
        self.public = PublicWeb("", proxies=Proxies([LOOPBACK]))
        self.links: FileLinks

    async def start(self) -> None:
        self.spool.open()
        port = await self.public.start("127.0.0.1", 0)
        url = f"http://127.0.0.1:{port}"
        self.links = FileLinks(Seal(bytes(64)), url, self.clock, days=lambda: self.days, most_bytes=2_000_000)
        self.public.media = MediaPages(self.links, self.files, self, self.clock, is_relayed=self.routed.__contains__)

    async def stop(self) -> None:
        await self.public.stop()
        await self.files.close()
        self.spool.close()

    async def original(self, message: MessageRef) -> Original | None:
        found = self.originals.get(message)
        if isinstance(found, Exception):
            raise found
        return found


Get = Callable[..., Any]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def get() -> AsyncIterator[Get]:
    async with ClientSession() as session:

        async def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
            async with asyncio.timeout(PATIENCE_S):
                async with session.request(method, url, headers={k.replace("_", "-"): v for k, v in headers.items()}) as answer:
                    return answer.status, answer.headers, await answer.read()

        yield ask


async def test_a_link_gives_the_file_as_a_download(server: Server, get: Get) -> None:
    status, headers, body = await get(server.links.url(MESSAGE, CLIP))
    assert (status, body) == (200, BYTES)
    assert headers["Content-Disposition"] == "attachment; filename=\"_nser clip.mp4\"; filename*=UTF-8''%C3%9Cnser%20clip.mp4"
    assert headers["Content-Type"] == "video/mp4"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox;")
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["X-Robots-Tag"].startswith("noindex")
    assert headers["Accept-Ranges"] == "bytes"
    assert "Server" not in headers
    again = await get(server.links.url(MESSAGE, CLIP))
    assert again[2] == BYTES
    assert server.origin.opened == ["clip"], "fetched once"


async def test_parts_of_a_file(server: Server, get: Get) -> None:
    url = server.links.url(MESSAGE, CLIP)
    for first, last in ((0, 0), (262_143, 262_145), (262_144, 524_287), (700_000, 700_000), (5, 700_000)):
        status, headers, body = await get(url, Range=f"bytes={first}-{last}")
        assert (status, body) == (206, BYTES[first : last + 1])
        assert headers["Content-Range"] == f"bytes {first}-{last}/{len(BYTES)}"
    status, headers, _ = await get(url, Range="bytes=700001-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(BYTES)}")
    status, _, body = await get(url, Range="bytes=-5", If_Range='"other"')
    assert (status, len(body)) == (200, len(BYTES))


async def test_parts_of_a_file_that_changed_under_its_id_are_never_one(
    server: Server, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same size and name: only its bytes tell."""
    monkeypatch.setattr("bridge.files.on_demand.KEPT_S", 0.0)
    url, half = server.links.url(MESSAGE, CLIP), len(BYTES) // 2
    status, first, begin = await get(url, Range=f"bytes=0-{half - 1}")
    assert (status, begin) == (206, BYTES[:half])
    unchanged = server.files
    await eventually(lambda: not unchanged.is_held(TG, CLIP), "the spool has let it go")
    status, again, end = await get(url, Range=f"bytes={half}-", If_Range=first["ETag"])
    assert (status, end, again["ETag"]) == (206, BYTES[half:], first["ETag"])
    assert (await get(url, If_None_Match=first["ETag"]))[0] == 304

    await eventually(lambda: not unchanged.is_held(TG, CLIP), "the spool has let it go")
    server.origin.files["clip"] = changed = BYTES[:half] + bytes(reversed(BYTES[half:]))
    status, later, body = await get(url, Range=f"bytes={half}-", If_Range=first["ETag"])
    assert (status, body) == (200, changed), "the whole new file, not a part for the old one"
    assert later["ETag"] != first["ETag"]
    status, _, body = await get(url, If_None_Match=first["ETag"])
    assert (status, body) == (200, changed)


async def test_head_and_robots_fetch_nothing_and_who_has_it_gets_nothing(server: Server, get: Get) -> None:
    url = server.links.url(MESSAGE, CLIP)
    status, headers, body = await get(url, "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(BYTES)), b"")
    assert "ETag" not in headers  # what it has now is not known without looking
    slack = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
    discord = "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"
    for robot in ("TelegramBot (like TwitterBot)", slack, discord):
        assert (await get(url, User_Agent=robot))[0] == 403
    assert server.origin.opened == []
    assert (await get(url, User_Agent="acme-bot/2.0 (files of our own receiver)", Range="bytes=0-0"))[0] == 206
    etag = (await get(url, Range="bytes=0-0"))[1]["ETag"]
    assert (await get(url, If_None_Match=f'"x", W/{etag}'))[0] == 304
    server.origin.opened.clear()
    unknown = msgspec.structs.replace(CLIP, size_bytes=None)
    status, headers, body = await get(server.links.url(MESSAGE, unknown), "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(BYTES)), b"")


async def test_what_is_no_open_link_is_not_found(server: Server, get: Get) -> None:
    """Forged, of a message that is not known, deleted, or not relayed any more, and while links are off: one answer."""
    good = server.links.url(MESSAGE, CLIP)
    unknown = server.links.url(MessageRef(CHAT, "8"), CLIP)
    answers = [await get(good[:-1] + "x"), await get(good.replace("/files/", "/files/A")), await get(unknown)]
    server.originals[MESSAGE] = Original(is_deleted=True)
    answers.append(await get(good))
    server.originals[MESSAGE] = Original()
    server.routed.clear()
    answers.append(await get(good))
    server.routed.add(CHAT)
    server.days = 0
    answers.append(await get(good))
    server.days = 7
    assert {(status, body) for status, _, body in answers} == {(404, b"not found\n")}
    assert len({tuple(sorted((k, v) for k, v in headers.items() if k != "Date")) for _, headers, _ in answers}) == 1
    assert server.origin.opened == []
    assert (await get(good))[0] == 200


async def test_an_edit_that_took_the_file_away_took_the_link_with_it(server: Server, get: Get) -> None:
    def edited(*attachments: Attachment, known: bool = True) -> Original:
        meta = EventMeta(event_key="e", origin=CHAT, occurred_at=BEGINNING, received_at=BEGINNING)
        content = Content(attachments=attachments)
        return Original(edit=MessageEdited(meta=meta, message_id="7", content=content, attachments_known=known))

    url = server.links.url(MESSAGE, CLIP)
    other = msgspec.structs.replace(CLIP, file_id="other")
    for original, status in ((edited(other), 404), (edited(), 404), (edited(other, CLIP), 200), (edited(known=False), 200)):
        server.originals[MESSAGE] = original
        assert (await get(url))[0] == status


async def test_a_link_ends(server: Server, get: Get) -> None:
    url = server.links.url(MESSAGE, CLIP)
    server.clock.forward(7 * 86_400 + 3600)
    status, headers, body = await get(url)
    assert (status, headers["Cache-Control"]) == (410, "no-store")
    assert b"over" in body


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (Rejected("the file was removed from its message"), 404, b"no longer there: the file was removed"),
        (RetryLater("busy", after_s=3), 503, b"try again"),
        (AccountDown("token revoked", action="renew it"), 503, b"try again later"),
        (ConnectionResetError("reset"), 503, b"try again"),
        (OSError("disk"), 503, b"try again"),
    ],
)
async def test_a_file_that_cannot_be_had_is_said_in_words(
    server: Server, get: Get, trouble: Exception, status: int, words: bytes
) -> None:
    server.origin.files["clip"] = trouble
    url = server.links.url(MESSAGE, CLIP)
    answer = await get(url)
    assert answer[0] == status
    assert words in answer[2]
    assert b"token" not in answer[2]
    assert ("Retry-After" in answer[1]) is (status == 503)
    assert len(server.origin.down) == isinstance(trouble, AccountDown)
    server.origin.files["clip"] = BYTES
    assert (await get(url))[0] == 200, "it is asked again"


async def test_an_account_that_is_gone_and_a_journal_that_is_down(server: Server, get: Get) -> None:
    url = server.links.url(MESSAGE, CLIP)
    del server.accounts[TG]
    assert (await get(url))[0] == 404
    server.originals[MESSAGE] = JournalError("disk full")
    assert (await get(url))[0] == 503


async def test_a_slow_origin_is_not_waited_for_and_its_file_comes_all_the_same(
    server: Server, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_module, "_WAIT_S", 0.05)
    server.origin.hold = asyncio.Event()
    url = server.links.url(MESSAGE, CLIP)
    status, headers, body = await get(url)
    assert (status, headers["Retry-After"]) == (503, "5")
    assert b"being fetched" in body
    server.origin.hold.set()
    monkeypatch.setattr(media_module, "_WAIT_S", PATIENCE_S)
    assert (await get(url))[2] == BYTES
    assert server.origin.opened == ["clip"]


async def test_too_many_at_a_time_and_too_often(server: Server, get: Get) -> None:
    server.origin.hold = asyncio.Event()
    url = server.links.url(MESSAGE, CLIP)
    waiting = [asyncio.create_task(get(url)) for _ in range(media_module.MOST_OF_ONE)]
    media = server.public.media
    assert media is not None
    await eventually(lambda: media._under_way.total() == media_module.MOST_OF_ONE, "all of them wait")
    assert (await get(url))[0] == 503
    assert (await get(url, X_Forwarded_For="198.51.100.7", Range="bytes=0-0", method="HEAD"))[0] == 200
    server.origin.hold.set()
    assert {status for status, _, _ in await asyncio.gather(*waiting)} == {200}
    answers = [(await get(url + "x"))[0] for _ in range(media_module.PER_MINUTE)]
    assert answers[-1] == 429
    status, headers, _ = await get(url)
    assert (status, "Retry-After" in headers) == (429, True)
    assert (await get(url, X_Forwarded_For="198.51.100.7"))[0] == 200, "another visitor"


async def test_links_leave_room_for_deliveries(server: Server, get: Get) -> None:
    """Together they may use half of the spool; what is more than that is asked for again later."""
    for number in range(3):
        server.origin.files[f"f{number}"] = bytes([number]) * 900_000
    server.origin.hold = asyncio.Event()
    urls = [
        server.links.url(MESSAGE, msgspec.structs.replace(CLIP, file_id=f"f{number}", size_bytes=900_000)) for number in range(3)
    ]
    waiting = [asyncio.create_task(get(url)) for url in urls[:2]]
    await eventually(lambda: len(server.origin.opened) == 2, "two are being fetched")
    assert (await get(urls[2]))[0] == 503
    server.origin.hold.set()
    assert [status for status, _, _ in await asyncio.gather(*waiting)] == [200, 200]
    assert (await get(urls[2]))[2] == bytes([2]) * 900_000
    assert server.spool.held_bytes <= 4_000_000


async def test_a_file_that_is_larger_than_was_said_is_not_handed_out(server: Server, get: Get) -> None:
    server.origin.files["clip"] = bytes(2_000_001)
    assert (await get(server.links.url(MESSAGE, CLIP)))[0] == 404


async def test_bytes_that_the_disk_changed_break_the_download_off(server: Server, get: Get) -> None:
    url = server.links.url(MESSAGE, CLIP)
    assert (await get(url))[2] == BYTES
    (spooled,) = (server.spool._folder.path).glob("*.spooled")
    harmed = bytearray(BYTES)
    harmed[300_000] ^= 1
    spooled.write_bytes(harmed)
    with pytest.raises(Exception, match=r"(?i)payload|disconnected|length"):
        await get(url)
    assert (await get(url))[2] == BYTES, "fetched again"


async def test_only_get(server: Server, get: Get) -> None:
    url = server.links.url(MESSAGE, CLIP)
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        status, headers, _ = await get(url, method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
