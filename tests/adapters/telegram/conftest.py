"""Fixtures of the Telegram tests: an emulator, adapters that talk to it, and an intake that keeps what it is given."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.telegram import MANIFEST
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import AdapterContext, Copy, Cursor, Outbound, OutboundFile
from bridge.model.events import Attachment, AttachmentKind, ChatEvent
from bridge.model.refs import AccountName
from bridge.model.rich_text import plain
from tests.support.patience import PATIENCE_S

DEADLINE_S = PATIENCE_S


class RecordingIntake:
    """An intake in memory: keeps everything, remembers event keys, and can be told to fail or to wait before it commits."""

    def __init__(self) -> None:
        self.events: list[ChatEvent] = []
        self.keys: set[str] = set()
        self.cursors: dict[str, str] = {}
        self.undecoded: list[tuple[bytes, str]] = []
        self.reasons: Counter[str] = Counter()
        self.notices: list[tuple[str, str, str]] = []
        self.restorations: list[str] = []
        self.gaps: list[tuple[str, datetime, datetime]] = []
        self.moves: list[tuple[str, str]] = []
        self.connections = 0
        self.sending = 0
        self.names: set[str] = set()
        self.chats: frozenset[str] = frozenset()
        self.before_commit: Callable[[], Awaitable[None]] | None = None
        self._changed = asyncio.Event()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        if self.before_commit is not None:
            await self.before_commit()
        for event in events:
            if event.meta.event_key not in self.keys:
                self.keys.add(event.meta.event_key)
                self.events.append(event)
        self.cursors |= {cursor.name: cursor.value for cursor in cursors}
        self._wake()

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        self.undecoded.append((raw, reason))
        self.cursors |= {cursor.name: cursor.value for cursor in cursors}
        self._wake()

    def ignored(self, reason: str) -> None:
        self.reasons[reason] += 1
        self._wake()

    async def cursor(self, name: str) -> str | None:
        return self.cursors.get(name)

    async def is_known(self, event_key: str) -> bool:
        return event_key in self.keys

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        return []

    def routed_chats(self) -> frozenset[str]:
        return self.chats

    def is_end(self, chat_id: str, thread_id: str) -> bool:
        return False

    def may_send(self) -> None:
        self.sending += 1

    async def set_own_names(self, names: Iterable[str]) -> None:
        self.names = set(names)

    def connected(self) -> None:
        self.connections += 1
        self._wake()

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None:
        self.notices.append((reason, action, chat_id))
        self._wake()

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None:
        self.gaps.append((chat_id, since, until))

    def chat_restored(self, chat_id: str) -> None:
        self.restorations.append(chat_id)
        self._wake()

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None:
        self.moves.append((old_chat_id, new_chat_id))
        self._wake()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something that this intake is told makes the condition true."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                changed = self._changed
                if condition():
                    return
                await changed.wait()

    def texts(self) -> list[str]:
        from bridge.model.rich_text import text_of

        return [text_of(event.content.text) for event in self.events if hasattr(event, "content")]


class NoWeb:
    public_url = ""

    def mount(self, name: str, handler: Any) -> str:
        raise AssertionError("the Telegram adapter mounts nothing")

    def unmount(self, name: str) -> None: ...


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
        validated = MANIFEST.options()(**values)
        built.append(MANIFEST.build(AdapterContext(account=AccountName("tg"), options=validated, web=NoWeb())))
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
        task.add_done_callback(lambda _: into._wake())
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
        return Outbound(**({"token": f"t{next(numbers)}", "attempt": 1, "chat_id": chat, "text": rich} | fields))

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
