"""Files that the messenger refuses: the core is told which, and that the words are welcome."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter, Outbound, OutboundFile
from bridge.model.errors import AccountDown, ChatDown, FileRejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import plain
from tests.adapters.teamspirit import mattermost_server
from tests.adapters.teamspirit.mattermost_server import MattermostServer


@pytest.fixture
def chat(emulator: TeamSpiritEmulator) -> str:
    return emulator.add_chat("team").chat_id


def outbound(chat: str, folder: Path, *contents: bytes, names: tuple[str, ...] = ()) -> Outbound:
    files = []
    for number, content in enumerate(contents):
        path = folder / f"{number}"
        path.write_bytes(content)
        attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="elsewhere")
        name = names[number] if names else f"{number}.bin"
        files.append(OutboundFile(attachment=attachment, path=path, name=name, mime="", size_bytes=len(content)))
    return Outbound(token="mbabcdef-1-0", attempt=1, chat_id=chat, text=plain("the words"), files=tuple(files))


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({"files": False}, (0, 1, 2)),
        ({"empty_files": False}, (1,)),
        ({"proxy_upload_mb": 0.001}, (2,)),
        ({"refused_types": ["exe", "bin"]}, (0, 2)),
    ],
)
async def test_refused_files_are_named(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path, options: dict[str, Any], places: tuple[int, ...]
) -> None:
    emulator.configure(options)
    with pytest.raises(FileRejected) as caught:
        await adapter.send(outbound(chat, tmp_path, b"x", b"", b"y" * 2000, names=("a.EXE", "b.txt", "c.bin")))
    assert caught.value.indexes == places
    assert not emulator.transcript(chat), "nothing of it was posted"
    kept = [content for place, content in enumerate((b"x", b"", b"y" * 2000)) if place not in places]
    await adapter.send(outbound(chat, tmp_path, *kept, names=("a.txt", "b.txt")[: len(kept)]))
    (shown,) = emulator.transcript(chat)
    assert (shown.text, len(shown.files)) == ("the words", len(kept))


@pytest.mark.parametrize("status", [400, 403, 404, 405, 411, 413, 415, 422, 501])
async def test_whatever_final_an_upload_is_answered(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path, status: int
) -> None:
    """The words can still go: a right that is missing, or a proxy's limit, is about the file."""
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="POST /files", status=status, times=1))
    with pytest.raises(FileRejected) as caught:
        await adapter.send(outbound(chat, tmp_path, b"x"))
    assert caught.value.indexes == (0,)
    await adapter.send(outbound(chat, tmp_path))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_trouble_that_passes_refuses_nothing(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path, status: int
) -> None:
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="POST /files", status=status, times=1))
    with pytest.raises(RetryLater):
        await adapter.send(outbound(chat, tmp_path, b"x"))
    await adapter.send(outbound(chat, tmp_path, b"x"))


async def test_a_chat_that_is_closed_to_us_is_no_fault_of_the_file(
    server: MattermostServer, mattermost: Adapter, tmp_path: Path
) -> None:
    with pytest.raises(ChatDown):
        await mattermost.send(outbound("0" * 26, tmp_path, b"x"))


async def test_a_key_that_is_refused_is_no_fault_of_the_file(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path
) -> None:
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="POST /files", status=401, times=1))
    with pytest.raises(AccountDown):
        await adapter.send(outbound(chat, tmp_path, b"x"))


async def test_what_mattermost_refuses(server: MattermostServer, mattermost: Adapter, channel: str, tmp_path: Path) -> None:
    server.max_file_bytes = 10
    with pytest.raises(FileRejected) as caught:
        await mattermost.send(outbound(channel, tmp_path, b"x", b"y" * 11, b"z"))
    assert caught.value.indexes == (1,)
    server.takes_files = False
    with pytest.raises(FileRejected) as caught:
        await mattermost.send(outbound(channel, tmp_path, b"x", b"y"))
    assert caught.value.indexes == (0, 1)
    server.takes_files = True
    server.failing["POST /files"] = 403  # the right to upload is missing, the channel is ours
    with pytest.raises(FileRejected):
        await mattermost.send(mattermost_server.outbound(channel, files=outbound(channel, tmp_path, b"x").files))
    assert not server.posts


@pytest.mark.parametrize(
    "mime", ["image/png\r\nX-Evil: 1", "a\x00b", "image", 'image/png; name="a\nb"', "ü/ü", "text/plain; charset=utf-8"]
)
async def test_a_type_that_is_none_is_no_reason_to_refuse(
    emulator: TeamSpiritEmulator, adapter: Adapter, chat: str, tmp_path: Path, mime: str
) -> None:
    message = outbound(chat, tmp_path, b"x")
    file = msgspec.structs.replace(message.files[0], mime=mime)
    await adapter.send(msgspec.structs.replace(message, files=(file,)))
    (shown,) = emulator.transcript(chat)
    assert shown.files[0].mime in ("application/octet-stream", "text/plain; charset=utf-8", "text/plain")
