"""Fixtures of the Telegram tests: an emulator, adapters that talk to it, and an intake that keeps what it is given."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.registry import load_platform
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import Copy, Outbound, OutboundFile
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import plain
from tests.support.intake import RecordingIntake
from tests.support.patience import PATIENCE_S
from tests.support.web import NoWeb

DEADLINE_S = PATIENCE_S


@pytest.fixture
async def emulator() -> AsyncIterator[TelegramEmulator]:
    emulator = TelegramEmulator()
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
def chat(emulator: TelegramEmulator) -> str:
    return emulator.add_chat("Team").chat_id


@pytest.fixture
async def make_adapter(emulator: TelegramEmulator) -> AsyncIterator[Callable[..., Any]]:
    """Build adapters for the emulator's account; keyword arguments override options."""
    built: list[Any] = []

    def make(**options: Any) -> Any:
        values = emulator.account_options() | {"request_timeout_s": 30.0, "album_wait_s": 0.15} | options
        validated = load_platform("telegram").options()(**values)
        built.append(load_platform("telegram").build(AdapterContext(account=AccountName("tg"), options=validated, web=NoWeb())))
        return built[-1]

    yield make
    for adapter in built:
        await adapter.close()


@pytest.fixture
def adapter(make_adapter: Callable[..., Any]) -> Any:
    return make_adapter()


@pytest.fixture
def intake() -> RecordingIntake:
    return RecordingIntake()


@pytest.fixture
def make_intake() -> type[RecordingIntake]:
    return RecordingIntake


@pytest.fixture
def receiving(intake: RecordingIntake) -> Callable[..., Any]:
    """`async with receiving(adapter):` - the adapter's run in the background, connected; ended by leaving."""

    @asynccontextmanager
    async def receive(adapter: Any, into: RecordingIntake | None = None) -> AsyncIterator[asyncio.Task[None]]:
        into = into or intake
        before = into.connections
        task = asyncio.create_task(adapter.run(into))
        task.add_done_callback(lambda _: into.wake())
        try:
            await into.until(lambda: into.connections > before or task.done())
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return receive


@pytest.fixture
def say(chat: str) -> Callable[..., Outbound]:
    """An outbound message; `text` may be a string."""
    numbers = iter(range(1, 10_000))

    def build(text: Any = "", **fields: Any) -> Outbound:
        rich = plain(text) if isinstance(text, str) else text
        given: dict[str, Any] = {"token": f"t{next(numbers)}", "attempt": 1, "chat_id": chat, "text": rich}
        return Outbound(**(given | fields))

    return build


@pytest.fixture
def copy_of() -> Callable[..., Copy]:
    def build(outbound: Outbound, receipt: Any) -> Copy:
        return Copy(
            chat_id=outbound.chat_id,
            message_ids=receipt.message_ids,
            thread_id=receipt.thread_id,
            adapter_data=receipt.adapter_data,
        )

    return build


def make_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x20\x80\xe0" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def png() -> Callable[..., bytes]:
    return make_png


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., OutboundFile]:
    """A file on disk, ready to be sent."""
    numbers = iter(range(1, 10_000))

    def build(kind: str, name: str, mime: str, content: bytes, **facts: Any) -> OutboundFile:
        path = tmp_path / f"{next(numbers)}"
        path.write_bytes(content)
        attachment = Attachment(
            kind=AttachmentKind(kind), file_id="elsewhere", name=name, mime=mime, size_bytes=len(content), **facts
        )
        return OutboundFile(attachment=attachment, path=path, name=name, mime=mime, size_bytes=len(content))

    return build
