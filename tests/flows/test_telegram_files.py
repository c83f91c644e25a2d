"""Files that Telegram does not take, or does not hand out for the moment: the words go at once, and a line says what is missing."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adapters.common.emulation.contract import SeenMessage, Upload
from adapters.telegram.emulator import TelegramEmulator
from tests.flows.world import World
from tests.support.patience import eventually

EMPTY = Upload(name="empty.txt", mime="text/plain", content=b"")
FULL = Upload(name="full.txt", mime="text/plain", content=b"full")
SOUND = Upload(name="hello.ogg", mime="audio/ogg", content=b"OggS" + b"\0" * 60, kind="voice")


def bots(world: World, platform: str) -> list[SeenMessage]:
    return [message for message in world.seen(platform) if message.is_bot and not message.deleted]


def telegram_of(world: World) -> TelegramEmulator:
    emulator = world.emulators["telegram"]
    assert isinstance(emulator, TelegramEmulator)
    return emulator


@pytest.mark.parametrize("origin", ["discord", "teamspirit"])
async def test_an_empty_file_costs_neither_the_words_nor_the_other_file(world: World, origin: str) -> None:
    await world.say(origin, "see both", files=[EMPTY, FULL])
    await world.say(origin, "next")
    await world.copy("telegram", "next")
    shown = bots(world, "telegram")
    assert [file.name for message in shown for file in message.files] == ["full.txt"]
    assert any("see both" in message.text for message in shown)
    assert any("empty.txt" in message.text for message in shown)


async def test_a_kind_that_the_chat_does_not_allow_is_a_line(world: World) -> None:
    telegram_of(world).forbid(world.chats["telegram"].chat_id, "document", "voice")
    await world.say("discord", "see this", files=[FULL])
    await world.say("discord", "next")
    await world.copy("telegram", "next")
    (copy,) = [message for message in bots(world, "telegram") if "see this" in message.text]
    assert copy.files == ()
    assert "full.txt" in copy.text


async def test_what_telegram_does_not_hand_out_now_comes_behind_the_words(world: World) -> None:
    telegram, chat = telegram_of(world), int(world.chats["telegram"].chat_id)
    stored = telegram.world.files.add("report.txt", "text/plain", b"hello")
    telegram.world.files._by_id.pop(stored.file_id)
    document = {"file_id": stored.file_id, "file_unique_id": "AgAD", "file_name": "report.txt", "mime_type": "text/plain"}
    message: dict[str, Any] = {
        "message_id": 90,
        "from": {"id": 5, "is_bot": False, "first_name": "Kim"},
        "chat": {"id": chat, "type": "supergroup", "title": "lobby"},
        "date": int(time.time()),
        "caption": "the report",
        "document": document,
    }
    telegram.world.queues[telegram.bot().user_id].push("message", message)
    for platform in ("slack", "discord", "teamspirit"):
        await eventually(lambda platform=platform: world.copies(platform, "the report"), what=f"the words on {platform}")
    await world.say("telegram", "still there")
    for platform in ("slack", "discord", "teamspirit"):
        await world.copy(platform, "still there")
    telegram.world.files._by_id[stored.file_id] = stored
    for platform in ("slack", "discord", "teamspirit"):

        def arrived(platform: str = platform) -> list[str]:
            return [file.name for message in bots(world, platform) for file in message.files]

        await eventually(lambda: arrived() == ["report.txt"], what=f"the file on {platform}", within_s=120)
