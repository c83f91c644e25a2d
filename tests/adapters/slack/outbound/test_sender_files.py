"""Files on their way to Slack: in one message, streamed, and refused before anything is sent."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from adapters.slack.emulator import SlackEmulator
from bridge.model.adapter import (
    OutboundDelete,
    OutboundEdit,
    OutboundFile,
    Reply,
)
from bridge.model.errors import Rejected
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import (
    RichText,
    plain,
)
from tests.adapters.slack.outbound.sending import ANNA, copy_of, file, outbound


async def test_files_become_one_message(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat = account.chat()
    adapter = await account.start()
    files = (file(tmp_path, "photo.png", b"png", "image/png"), file(tmp_path, "über uns.pdf", b"pdf" * 1000, "application/pdf"))
    parent = await emulator.say(chat, "Boris", "show me")
    receipt = await adapter.send(outbound(chat, "here", files=files, reply=Reply(message_id=parent)))
    seen = emulator.seen(chat, receipt.message_ids[0])
    assert (seen.text, seen.author_name, seen.reply_to) == ("here", "Anna Petrova", parent)
    assert [(entry.name, entry.kind) for entry in seen.files] == [("photo.png", "photo"), ("über uns.pdf", "document")]
    assert [emulator.file_bytes(entry.file_id) for entry in seen.files] == [b"png", b"pdf" * 1000]
    copy = copy_of(chat, receipt)
    await adapter.edit(OutboundEdit(token="t", copy=copy, text=plain("there"), has_files=True, sender=ANNA))
    assert emulator.seen(chat, receipt.message_ids[0]).text == "there"
    assert len(emulator.seen(chat, receipt.message_ids[0]).files) == 2
    await adapter.delete(OutboundDelete(copy=copy))
    assert all(emulator.workspace.files[entry.file_id].deleted for entry in seen.files)


async def test_files_without_events_are_found_by_asking(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    emulator.files.share_delay_s = 0.4
    receipt = await adapter.send(outbound(chat, RichText(), files=(file(tmp_path, "a.txt", b"text"),)))
    assert emulator.seen(chat, receipt.message_ids[0]).files[0].name == "a.txt"


async def test_an_empty_file_is_refused_before_anything_is_sent(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    with pytest.raises(Rejected):
        await adapter.send(outbound(chat, "x", files=(file(tmp_path, "empty.txt", b""),)))
    assert emulator.transcript(chat) == []


async def test_a_large_file_is_streamed(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat = account.chat()
    adapter = await account.start()
    size_bytes = 48 * 1024 * 1024
    path = tmp_path / "big.bin"
    with path.open("wb") as target:
        for number in range(48):
            target.write(bytes([number]) * 1024 * 1024)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="", name="big.bin")
    big = OutboundFile(attachment=attachment, path=path, name="big.bin", mime="", size_bytes=size_bytes)
    tracemalloc.start()
    receipt = await adapter.send(outbound(chat, "big", files=(big,)))
    entry = emulator.seen(chat, receipt.message_ids[0]).files[0]
    received = Attachment(
        kind=AttachmentKind.DOCUMENT,
        file_id=f"{entry.file_id} {emulator.workspace.file(emulator.workspace.files[entry.file_id])['url_private']}",
        name="big.bin",
        mime=entry.mime,
        size_bytes=size_bytes,
    )
    digest = hashlib.sha256()
    async with adapter.open_file(received) as stream:
        async for chunk in stream.chunks:
            digest.update(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest.hexdigest() == entry.sha256
    # emulator (8 MiB in memory at most) and adapter together
    assert peak < 24 * 1024 * 1024


async def test_a_file_leaves_its_message(account: Any, emulator: SlackEmulator, tmp_path: Path) -> None:
    chat, adapter = account.chat(), account.build()
    files = tuple(file(tmp_path, name, name.encode()) for name in ("a.txt", "b.txt", "c.txt"))
    copy = copy_of(chat, await adapter.send(outbound(chat, "words", files=files)))
    without_b = copy_of(chat, await adapter.remove_files(copy, [1]))
    assert [one.name for one in emulator.seen(chat, copy.message_ids[0]).files] == ["a.txt", "c.txt"]
    await adapter.remove_files(copy, [1])  # it is gone already
    without_any = copy_of(chat, await adapter.remove_files(without_b, [0, 1]))
    seen = emulator.seen(chat, copy.message_ids[0])
    assert (seen.text, seen.files, seen.deleted) == ("words", (), False)
    with pytest.raises(Rejected, match="not known"):
        await adapter.remove_files(without_any, [0])
