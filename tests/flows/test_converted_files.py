"""Stickers and voice messages between real clients: converted by real processes to what the other platform plays."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adapters.common.emulation.contract import EmulatedFile, Upload
from adapters.discord.emulator import DiscordEmulator
from adapters.telegram.emulator import TelegramEmulator
from tests.flows.world import World
from tests.support import media_samples
from tests.support.patience import eventually

OTHERS = ("slack", "discord", "teamspirit")
WITHIN_S = 300


async def converting(world: World) -> None:
    world.settings["media"] = {"convert": "auto"}
    await world.stop_bridge()
    await world.start_bridge()


def files(world: World, platform: str) -> list[EmulatedFile]:
    return [file for message in world.seen(platform) if message.is_bot and not message.deleted for file in message.files]


async def arrive(world: World, platform: str, mime: str) -> EmulatedFile:
    await eventually(
        lambda: [file.mime for file in files(world, platform)] == [mime],
        what=f"{mime} on {platform}: {files(world, platform)}, {world.texts(platform)}",
        within_s=WITHIN_S,
    )
    return files(world, platform)[0]


def push(world: World, **parts: Any) -> None:
    """A message of Telegram as its server sends it."""
    telegram = world.emulators["telegram"]
    assert isinstance(telegram, TelegramEmulator)
    chat = int(world.chats["telegram"].chat_id)
    message = {
        "message_id": 90,
        "from": {"id": 5, "is_bot": False, "first_name": "Kim"},
        "chat": {"id": chat, "type": "supergroup", "title": "lobby"},
        "date": int(time.time()),
        **parts,
    }
    telegram.world.queues[telegram.bot().user_id].push("message", message)


def kept(world: World, name: str, mime: str, content: bytes) -> dict[str, Any]:
    telegram = world.emulators["telegram"]
    assert isinstance(telegram, TelegramEmulator)
    stored = telegram.world.files.add(name, mime, content)
    return {"file_id": stored.file_id, "file_unique_id": stored.unique_id, "file_size": len(content)}


def sticker(world: World, content: bytes, *, still: bytes = b"", **facts: bool) -> dict[str, Any]:
    thumbnail = {"thumbnail": {**kept(world, "t.webp", "image/webp", still), "width": 48, "height": 48}} if still else {}
    file = kept(world, "s", "application/x-tgsticker", content)
    return {**file, "type": "regular", "width": 512, "height": 512, "emoji": "🦊", "set_name": "Foxes", **facts, **thumbnail}


@pytest.mark.parametrize("kind", ["animated", "video"])
async def test_telegrams_moving_stickers_move_everywhere(world: World, kind: str) -> None:
    await converting(world)
    if kind == "animated":
        push(world, sticker=sticker(world, media_samples.tgs(), still=media_samples.webp(), is_animated=True, is_video=False))
    else:
        push(world, sticker=sticker(world, media_samples.webm(), is_animated=False, is_video=True))
    for platform in OTHERS:
        assert (await arrive(world, platform, "image/gif")).name == "Foxes.gif"


async def test_a_harmful_sticker_is_its_still_picture_and_holds_nothing_up(world: World) -> None:
    await converting(world)
    (layer,) = media_samples.lottie()["layers"]
    ring = [{**layer, "ind": 1, "parent": 2}, {**layer, "ind": 2, "parent": 1}]
    push(world, sticker=sticker(world, media_samples.tgs(layers=ring), still=media_samples.webp(), is_animated=True))
    await world.say("telegram", "next")
    for platform in OTHERS:
        await world.copy(platform, "next")
        await arrive(world, platform, "image/webp")


async def test_voice_stays_voice(world: World) -> None:
    await converting(world)
    push(world, voice={**kept(world, "v.ogg", "audio/ogg", media_samples.ogg()), "duration": 2, "mime_type": "audio/ogg"})
    await arrive(world, "discord", "audio/ogg")
    discord = world.emulators["discord"]
    assert isinstance(discord, DiscordEmulator)
    (message,) = [m for c in discord.world.channels.values() for m in c.messages.values() if m.attachments]
    assert message.flags & 8192
    assert message.content == ""
    (attachment,) = message.attachments
    assert attachment.duration_s == pytest.approx(1.5, abs=0.1)
    assert len(attachment.waveform or "") == 20
    for platform in ("slack", "teamspirit"):
        assert (await arrive(world, platform, "audio/mp4")).name == "voice.m4a"


async def test_discords_voice_is_telegrams(world: World) -> None:
    await converting(world)
    await world.say(
        "discord", "", files=[Upload(name="voice-message.ogg", mime="audio/ogg", content=media_samples.ogg(), kind="voice")]
    )
    assert (await arrive(world, "telegram", "audio/ogg")).kind == "voice"
    await arrive(world, "slack", "audio/mp4")
