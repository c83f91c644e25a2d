"""Files on their way up: bounded memory, stalls, torn requests, files that vanished."""

from __future__ import annotations

import asyncio
import hashlib
import resource
from pathlib import Path

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.discord.adapter import DiscordAdapter
from bridge.model.adapter import Outbound, OutboundFile, Sender
from bridge.model.errors import FileHarmed, OutcomeUnknown, RetryLater
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import plain
from tests.adapters.discord.conftest import Bench
from tests.support.patience import PATIENCE_S

MEBIBYTE = 1024**2


async def test_a_large_file_travels_both_ways_in_bounded_memory(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    size = 150 * MEBIBYTE
    path = tmp_path / "large.bin"
    block = bytes(range(256)) * 4096
    with path.open("wb") as out:
        for _ in range(size // len(block)):
            out.write(block)
    bench.emulator.world.file_limit_bytes = 200 * MEBIBYTE
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="", name=path.name)
    file = OutboundFile(attachment=attachment, path=path, name=path.name, mime="application/octet-stream", size_bytes=size)
    before = _peak_bytes()
    receipt = await adapter.send(_outbound(bench, "t", files=(file,)))
    message = bench.emulator.people.find(bench.chat, receipt.message_ids[0])[1]
    file_id = f"{bench.chat}/{message.id}/{message.attachments[0].id}"
    digest = hashlib.sha256()
    async with adapter.open_file(Attachment(kind=AttachmentKind.DOCUMENT, file_id=file_id)) as stream:
        assert stream.size_bytes == size
        async for chunk in stream.chunks:
            digest.update(chunk)
    assert digest.hexdigest() == message.attachments[0].sha256
    # emulator and adapter together, both in this process
    assert _peak_bytes() - before < 48 * MEBIBYTE


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _outbound(bench: Bench, text: str, **fields: object) -> Outbound:
    base = {"token": "t1", "attempt": 1, "chat_id": bench.chat, "text": plain(text), "sender": Sender(name="Anna")}
    return Outbound(**{**base, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [FaultKind.HANG, FaultKind.HANG_AFTER])
async def test_an_upload_that_stalls_ends_in_time_and_a_torn_one_posted_nothing(
    bench: Bench, tmp_path: Path, kind: FaultKind
) -> None:
    adapter = bench.adapter(request_timeout_s=2.0)
    await adapter.send(_outbound(bench, "warm up", token="t0"))
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(9 * MEBIBYTE))
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="")
    file = OutboundFile(attachment=attachment, path=path, name="large.bin", mime="", size_bytes=9 * MEBIBYTE)
    bench.emulator.inject(Fault(kind=kind, operation="POST /webhooks/*"))
    with pytest.raises(RetryLater if kind is FaultKind.HANG else OutcomeUnknown):
        await asyncio.wait_for(adapter.send(_outbound(bench, "", files=(file,))), PATIENCE_S)


async def test_a_file_that_vanished_from_the_spool_is_fetched_again(bench: Bench, adapter: DiscordAdapter, tmp_path: Path) -> None:
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="")
    file = OutboundFile(attachment=attachment, path=tmp_path / "gone", name="gone", mime="", size_bytes=1)
    with pytest.raises(FileHarmed):
        await adapter.send(_outbound(bench, "", files=(file,)))
