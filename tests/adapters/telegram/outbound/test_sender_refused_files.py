"""Files that Telegram refuses: which of them it was, and that the words are not to blame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.telegram.capabilities import capabilities
from adapters.telegram.config import TelegramOptions
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.errors import Refused, file_fault
from adapters.telegram.outbound.sender import Sender
from bridge.model.errors import ChatDown, FileRejected

MB = 1024**2


async def test_a_file_over_the_upload_limit_is_rejected(adapter: Any, say: Any, tmp_path: Path, file: Any) -> None:
    big = file("document", "big.bin", "application/octet-stream", b"")
    with big.path.open("wb") as out:
        out.truncate(50 * MB + 1)
    big = msgspec.structs.replace(big, size_bytes=50 * MB + 1)
    small = file("document", "a.txt", "text/plain", b"x")
    with pytest.raises(FileRejected, match="up to 50 MB") as refused:
        await adapter.send(say("", files=(small, big)))
    assert refused.value.indexes == (1,)
    limits = capabilities(TelegramOptions(token="1:a", local_server=True)).limits
    adapter._sender = Sender(
        adapter._transport, limits.upload_bytes, adapter._state.polls, adapter._clock
    )  # Telegram itself refuses
    with pytest.raises(FileRejected, match="too large"):
        await adapter.send(say("", files=(big,)))


async def test_empty_files_are_not_sent(emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any) -> None:
    empty, full = file("document", "a.txt", "text/plain", b""), file("document", "b.txt", "text/plain", b"x")
    with pytest.raises(FileRejected, match="empty") as refused:
        await adapter.send(say("words", files=(full, empty)))
    assert refused.value.indexes == (1,)
    assert emulator.transcript(chat) == []
    with pytest.raises(Refused, match="file must be non-empty") as by_telegram:  # Telegram's own word for it
        await adapter._sender._send(say("words", files=(empty,)))
    fault = file_fault(by_telegram.value, 1)
    assert fault is not None
    assert fault.indexes == (0,)


@pytest.mark.parametrize(
    ("kind", "name", "mime"),
    [("photo", "a.png", "image/png"), ("voice", "a.ogg", "audio/ogg"), ("video", "a.mp4", "video/mp4"), ("document", "a.x", "a/x")],
)
async def test_a_kind_that_the_chat_does_not_allow_is_the_files_fault(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any, kind: str, name: str, mime: str
) -> None:
    emulator.forbid(chat, kind)
    content = png(8, 8) if kind == "photo" else b"x"
    with pytest.raises(FileRejected, match="not enough rights to send") as refused:
        await adapter.send(say("words", files=(file(kind, name, mime, content),)))
    assert refused.value.indexes == (0,)
    await adapter.send(say("words"))
    emulator.forbid(chat, "text")
    with pytest.raises(ChatDown):
        await adapter.send(say("words"))


async def test_what_is_no_file_as_a_document_either_is_the_files_fault(
    emulator: TelegramEmulator, chat: str, adapter: Any, say: Any, file: Any, png: Any
) -> None:
    emulator.forbid(chat, "document")
    files = (file("photo", "a.png", "image/png", png(8, 8)), file("photo", "b.png", "image/png", b"no picture"))
    with pytest.raises(FileRejected, match="documents"):
        await adapter.send(say("words", files=files))
    emulator.forbid(chat)
    receipt = await adapter.send(say("words", files=files))
    assert len(receipt.message_ids) == 2


@pytest.mark.parametrize(
    ("text", "files", "places"),
    [
        ('failed to send message #2 with the error message "PHOTO_INVALID_DIMENSIONS"', 3, (1,)),
        ('failed to send message #9 with the error message "X"', 3, ()),
        ("CHAT_SEND_VOICES_FORBIDDEN", 1, (0,)),
        ("CHAT_SEND_MEDIA_FORBIDDEN", 2, ()),
        ("not enough rights to send photos to the chat", 1, (0,)),
        ("file must be non-empty", 1, (0,)),
        ("wrong file type", 1, (0,)),
        ("VIDEO_FILE_INVALID", 1, (0,)),
    ],
)
def test_which_file_it_was(text: str, files: int, places: tuple[int, ...]) -> None:
    fault = file_fault(Refused(text), files)
    assert fault is not None
    assert fault.indexes == places
    assert fault.reason.startswith("Telegram does not take it: ")


@pytest.mark.parametrize("text", ["message caption is too long", "QUOTE_TEXT_INVALID", "can't parse entities: x"])
def test_what_is_not_the_files_fault(text: str) -> None:
    assert file_fault(Refused(text), 1) is None
