"""What the tests of sending share: outbound messages, and what people then see."""

from __future__ import annotations

from pathlib import Path

from adapters.common.emulation.contract import SeenMessage
from bridge.model.adapter import Copy, Outbound, OutboundFile, Receipt, Sender
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import RichText, plain

from .conftest import Bench

ANNA = Sender(name="Anna", avatar_url="https://example.com/anna.png")


def outbound(bench: Bench, text: str | RichText = "hello", *, token: str = "t1", **fields: object) -> Outbound:
    rich = plain(text) if isinstance(text, str) else text
    return Outbound(**{"token": token, "attempt": 1, "chat_id": bench.chat, "text": rich, "sender": ANNA, **fields})  # type: ignore[arg-type]


def copy_of(bench: Bench, receipt: Receipt) -> Copy:
    return Copy(chat_id=bench.chat, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data)


def shown(bench: Bench) -> list[SeenMessage]:
    return [m for m in bench.emulator.transcript(bench.chat) if not m.deleted]


def outbound_file(path: Path, *, mime: str = "text/plain", kind: AttachmentKind = AttachmentKind.DOCUMENT) -> OutboundFile:
    attachment = Attachment(kind=kind, file_id="", name=path.name, mime=mime)
    return OutboundFile(attachment=attachment, path=path, name=path.name, mime=mime, size_bytes=path.stat().st_size)
