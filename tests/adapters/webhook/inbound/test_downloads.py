"""Files on disk: whole or not at all, bounded, and gone when they are relayed or old."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters.webhook.inbound.downloads import KEPT_S, READ_KEPT_S, Downloads
from adapters.webhook.inbound.refusal import Refusal
from bridge.model.errors import FileRejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from tests.support.clock import ManualClock


async def received(downloads: Downloads, content: bytes) -> Attachment:
    async with downloads.receiving() as incoming:
        await incoming.write(content)
        await incoming.done()
    return Attachment(kind=AttachmentKind.DOCUMENT, file_id=incoming.file_id, size_bytes=len(content))


async def read(downloads: Downloads, attachment: Attachment) -> bytes:
    async with downloads.open(attachment) as stream:
        return b"".join([block async for block in stream.chunks])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_file_that_was_read_goes_after_an_hour_and_any_other_after_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    downloads = Downloads(tmp_path / "received", clock)
    one, other = await received(downloads, b"one"), await received(downloads, b"other")
    for file in (one, other):
        os.utime(tmp_path / "received" / file.file_id, (clock.now().timestamp(),) * 2)
    assert await read(downloads, one) == b"one"
    await downloads.tidy()
    assert await read(downloads, one) == b"one"
    clock.forward(READ_KEPT_S + 1)
    await downloads.tidy()
    assert names(tmp_path / "received") == [other.file_id]
    clock.forward(KEPT_S)
    await downloads.tidy()
    assert names(tmp_path / "received") == []
    for file in (one, other):
        with pytest.raises(FileRejected):
            await read(downloads, file)


async def test_the_disk_is_bounded(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path, ManualClock(), most_bytes=10)
    first = await received(downloads, b"12345678")
    with pytest.raises(Refusal) as refused:
        await received(downloads, b"123")
    assert refused.value.status == 507
    assert names(tmp_path) == [first.file_id]
    await downloads.forget((first,))
    await received(downloads, b"1234567890")


async def test_what_lies_there_counts_after_a_restart(tmp_path: Path) -> None:
    await received(Downloads(tmp_path, ManualClock()), b"12345678")
    clock = ManualClock()
    for name in names(tmp_path):
        os.utime(tmp_path / name, (clock.now().timestamp(),) * 2)
    again = Downloads(tmp_path, clock, most_bytes=10)
    await again.tidy()
    with pytest.raises(Refusal):
        await received(again, b"123")


async def test_a_part_is_never_a_file(tmp_path: Path) -> None:
    downloads = Downloads(tmp_path, ManualClock())
    file = await received(downloads, b"12345678")
    (tmp_path / file.file_id).write_bytes(b"1234")
    with pytest.raises(RetryLater):
        await read(downloads, file)


@pytest.mark.parametrize("file_id", ["../secret", "", "x" * 32, "/etc/passwd", "a" * 31])
async def test_no_id_leads_elsewhere(tmp_path: Path, file_id: str) -> None:
    (tmp_path / "secret").write_text("s")
    with pytest.raises(FileRejected):
        await read(Downloads(tmp_path / "received", ManualClock()), Attachment(kind=AttachmentKind.DOCUMENT, file_id=file_id))


async def test_without_a_folder_files_are_refused() -> None:
    downloads = Downloads(None, ManualClock())
    with pytest.raises(Refusal):
        await received(downloads, b"x")
    await downloads.tidy()
