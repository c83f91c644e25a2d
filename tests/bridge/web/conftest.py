"""A public listener with one hook, and raw connections to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import Journal
from bridge.journal.sqlite import SqliteJournal
from bridge.model.refs import AccountName
from bridge.web.public import PublicWeb
from tests.support.keyed_door import Door
from tests.support.raw_http import Caller, Hook


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
async def public(hook: Hook) -> AsyncIterator[PublicWeb]:
    public = PublicWeb()
    public.of(AccountName("team")).mount("events", hook.handle)
    public.public_url = str(await public.start("127.0.0.1", 0))
    yield public
    await public.stop()


@pytest.fixture
async def call(public: PublicWeb) -> AsyncIterator[Any]:
    callers: list[Caller] = []

    async def connect(text: str | bytes = b"") -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", int(public.public_url)))
        caller.send(text)
        callers.append(caller)
        return caller

    yield connect
    for caller in callers:
        caller.writer.transport.abort()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = SqliteJournal(tmp_path / "bridge.journal")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def make(journal: Journal) -> AsyncIterator[Any]:
    doors: list[Door] = []

    async def build(**more: Any) -> Door:
        door = Door(journal, **more)
        door.port = await door.public.start("127.0.0.1", 0)
        doors.append(door)
        return door

    yield build
    for door in doors:
        for caller in door.callers:
            caller.writer.transport.abort()
        await door.public.stop()


@pytest.fixture
async def door(make: Any) -> Door:
    return await make()  # type: ignore[no-any-return]
