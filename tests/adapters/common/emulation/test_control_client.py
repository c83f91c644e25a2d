"""The client of the control API: a person acts in another process as in this one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import Upload
from adapters.common.emulation.control_client import ControlError, RemoteEmulator
from tests.support.patience import PATIENCE_S

Emulators = dict[str, EmulatorBase]


async def _first(remote: RemoteEmulator, since: int, count: int) -> AsyncIterator[tuple[int, str]]:
    async with asyncio.timeout(PATIENCE_S):
        stream = remote.changes(since)
        for _ in range(count):
            change = await anext(stream)
            yield change.seq, change.message.text
        await stream.aclose()  # type: ignore[attr-defined]


async def test_a_person_acts_from_another_process(emulators: Emulators, remote: RemoteEmulator) -> None:
    (chat,) = await remote.chats()
    assert chat == emulators["telegram"].chats()[0]
    first = await remote.say(chat.chat_id, "Анна", "hello <b>")
    second = await remote.say(chat.chat_id, "Boris", "hi", reply_to=first)
    await remote.edit(chat.chat_id, first, "hello again")
    await remote.react(chat.chat_id, first, "Boris", "👍")
    await remote.react(chat.chat_id, first, "Boris", "🎉")
    await remote.react(chat.chat_id, first, "Boris", "🎉", remove=True)
    await remote.delete(chat.chat_id, second)
    seen = await remote.transcript(chat.chat_id)
    assert seen == emulators["telegram"].transcript(chat.chat_id)
    assert [(m.author_name, m.text, m.edited, m.deleted, m.reply_to) for m in seen] == [
        ("Анна", "hello again", True, False, ""),
        ("Boris", "hi", False, True, first),
    ]
    assert [(r.emoji, r.by) for r in seen[0].reactions] == [("👍", ("Boris",))]


async def test_files_cross_whole_and_come_back_in_ranges(remote: RemoteEmulator, raw: aiohttp.ClientSession, url: str) -> None:
    (chat,) = await remote.chats()
    content = bytes(range(256)) * 100
    photo = Upload(name='das Größte "фото".png', mime="image/png", content=content)
    note = Upload(name="note.txt", mime="text/plain", content=b"x")
    await remote.say(chat.chat_id, "Anna", "look", files=[photo, note])
    (message,) = await remote.transcript(chat.chat_id)
    assert [(f.name, f.mime, f.size_bytes) for f in message.files] == [
        ('das Größte "фото".png', "image/png", 25600),
        ("note.txt", "text/plain", 1),
    ]
    assert message.files[0].sha256 == hashlib.sha256(content).hexdigest()
    assert await remote.file_bytes(message.files[0].file_id) == content
    at = f"{url}/telegram/files/{quote(message.files[0].file_id, safe='')}?mime=image/png"
    async with raw.get(URL(at, encoded=True), headers={"Range": "bytes=10-19"}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == "bytes 10-19/25600"
        assert await response.read() == content[10:20]
    async with raw.get(URL(at, encoded=True), headers={"Range": "bytes=99999-"}) as response:
        assert response.status == 416


async def test_changes_can_be_taken_up_again(remote: RemoteEmulator) -> None:
    (chat,) = await remote.chats()
    for number in range(5):
        await remote.say(chat.chat_id, "Anna", f"m{number}")
    seen = [(seq, text) async for seq, text in _first(remote, 0, 3)]
    assert seen == [(1, "m0"), (2, "m1"), (3, "m2")]
    await remote.say(chat.chat_id, "Anna", "m5")
    assert [text async for _, text in _first(remote, 3, 3)] == ["m3", "m4", "m5"]


async def test_the_rest_of_the_protocol(emulators: Emulators, remote: RemoteEmulator) -> None:
    assert await remote.account_options() == emulators["telegram"].account_options()
    assert await remote.formatting_sample() == emulators["telegram"].formatting_sample()
    assert await remote.add_person("Anna") == await remote.add_person("Anna")
    chat = await remote.add_chat("second")
    assert chat in await remote.chats()
    message_id = await remote.say(chat.chat_id, "Anna", "now")
    seen = await remote.wait_until(chat.chat_id, lambda messages: bool(messages), timeout_s=PATIENCE_S)
    assert seen[0].message_id == message_id
    with pytest.raises(TimeoutError):
        await remote.wait_until(chat.chat_id, lambda messages: False, timeout_s=0.1)


async def test_the_bot_is_thrown_out_and_let_in_again(emulators: Emulators, remote: RemoteEmulator) -> None:
    chat = (await remote.chats())[0].chat_id
    with pytest.raises(ControlError, match="cannot remove the bot"):
        await remote.remove_bot(chat)
    done: list[tuple[str, str]] = []
    emulator: Any = emulators["telegram"]
    emulator.remove_bot = lambda chat_id: done.append(("out", chat_id))
    emulator.bring_bot_back = lambda chat_id: done.append(("in", chat_id))
    await remote.remove_bot(chat)
    await remote.bring_bot_back(chat)
    assert done == [("out", chat), ("in", chat)]
    with pytest.raises(ControlError, match="no chat"):
        await remote.remove_bot("nowhere")
