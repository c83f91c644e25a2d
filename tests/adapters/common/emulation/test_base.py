"""A bounded memory, and followers who are told of a gap."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import CallsBridge, ChangesLost, Emulator, Upload
from adapters.common.emulation.control_client import ControlClient
from adapters.registry import load_emulator, platforms
from tests.support.patience import PATIENCE_S
from tests.support.web import LoopbackWeb


def built(platform: str, **options: Any) -> Any:
    emulator = load_emulator(platform)
    emulator.configure(options)
    return emulator


async def _takes(request: web.Request) -> web.Response:
    """A bridge that has everything on disk, and has named it."""
    await request.read()
    return web.json_response({"id": uuid.uuid4().hex})


async def _first(emulator: Emulator, since: int, count: int) -> Any:
    async for change in emulator.changes(since):
        yield change
        if change.seq == since + count:
            return


@pytest.mark.parametrize("platform", platforms())
async def test_an_emulator_remembers_no_more_than_it_is_told_to(platform: str) -> None:
    emulator: Emulator = built(platform, messages_kept=20, changes_kept=30, files_kept=5)
    await emulator.start()
    bridge = LoopbackWeb("hooks")
    try:
        chat = emulator.add_chat("lobby")
        if isinstance(emulator, CallsBridge):
            await bridge.start()
            bridge.mount(chat.chat_id, _takes)
            emulator.bridge_is_at(bridge.public_url, "hooks")
        for number in range(200):
            files = [Upload(name=f"{number}.txt", mime="text/plain", content=b"%d" % number)] if number % 10 == 0 else ()
            last = await emulator.say(chat.chat_id, "Anna", f"m{number}", files=files)
        seen = emulator.transcript(chat.chat_id)
        assert len(seen) <= 22, "a tenth more, since the oldest may go several at a time"
        assert [message.text for message in seen][-1] == "m199"
        await emulator.edit(chat.chat_id, last, "again")
        assert emulator.transcript(chat.chat_id)[-1].text == "again"
        kept = [change.message.text async for change in _first(emulator, 171, 30)]
        assert kept == [*(f"m{number}" for number in range(171, 200)), "again"]
    finally:
        await emulator.stop()
        await bridge.stop()


async def test_who_falls_behind_is_told_and_can_go_on(emulators: dict[str, EmulatorBase]) -> None:
    emulator = emulators["telegram"]
    emulator.configure({"changes_kept": 3})
    chat = emulator.chats()[0]
    await emulator.say(chat.chat_id, "Anna", "m0")
    changes = emulator.changes()
    assert (await anext(changes)).message.text == "m0"
    for number in range(1, 6):
        await emulator.say(chat.chat_id, "Anna", f"m{number}")
    with pytest.raises(ChangesLost) as lost:
        await anext(changes)
    assert [change.message.text async for change in _first(emulator, lost.value.resume_seq, 3)] == ["m3", "m4", "m5"]


async def test_a_gap_is_told_over_the_control_api_too(emulators: dict[str, EmulatorBase], control_url: str) -> None:
    emulator = emulators["telegram"]
    emulator.configure({"changes_kept": 3})
    chat = emulator.chats()[0]
    for number in range(6):
        await emulator.say(chat.chat_id, "Anna", f"m{number}")
    async with ControlClient(control_url, timeout_s=PATIENCE_S) as client:
        remote = await client.emulator("telegram")
        with pytest.raises(ChangesLost) as lost:
            await anext(remote.changes())
        after = remote.changes(lost.value.resume_seq)
        assert [(await anext(after)).message.text for _ in range(3)] == ["m3", "m4", "m5"]
        await after.aclose()  # type: ignore[attr-defined]
    # a plain reader of server-sent events goes on by itself, and knows
    async with aiohttp.ClientSession() as session, session.get(f"{control_url}/telegram/changes") as response:
        events = []
        async with asyncio.timeout(PATIENCE_S):
            async for line in response.content:
                if line.startswith(b"event: "):
                    events.append(line[len(b"event: ") :].strip())
                if len(events) == 4:
                    break
    assert events == [b"reset", b"change", b"change", b"change"]
