"""What the tests of sending to Slack send."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bridge.model.adapter import (
    Copy,
    Outbound,
    OutboundFile,
    Receipt,
    Sender,
)
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.rich_text import (
    RichText,
    plain,
)

ANNA = Sender(name="Anna Petrova", avatar_url="https://example.com/anna.png")


def outbound(chat: str, text: str | RichText = "hello", **more: Any) -> Outbound:
    rich = plain(text) if isinstance(text, str) else text
    return Outbound(**{"token": "tok-1", "attempt": 1, "chat_id": chat, "text": rich, "sender": ANNA, **more})


def file(path: Path, name: str, content: bytes, mime: str = "application/octet-stream") -> OutboundFile:
    path = path / name
    path.write_bytes(content)
    attachment = Attachment(kind=AttachmentKind.DOCUMENT, file_id="origin", name=name, mime=mime)
    return OutboundFile(attachment=attachment, path=path, name=name, mime=mime, size_bytes=len(content))


def copy_of(chat: str, receipt: Receipt) -> Copy:
    return Copy(chat_id=chat, message_ids=receipt.message_ids, thread_id=receipt.thread_id, adapter_data=receipt.adapter_data)
