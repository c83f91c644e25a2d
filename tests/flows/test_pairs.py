"""Every directed pair of platforms: what a person does on one is what people see on the other, with the real client libraries."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from adapters.common.emulation.contract import Upload
from bridge.model.capabilities import Feature
from tests.flows.world import PAIRS, World
from tests.support.patience import eventually


def png(width: int = 8, height: int = 8) -> bytes:
    """A small valid picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + bytes((x * 30) % 256 for x in range(width * 3)) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("origin", "target"), PAIRS, ids=[f"{o}-to-{t}" for o, t in PAIRS])
async def test_a_message_and_what_becomes_of_it(world: World, origin: str, target: str) -> None:
    here, there = world.emulators[origin], world.emulators[target]
    chat = world.chats[origin].chat_id
    assert world.app is not None

    said = await world.say(origin, "first words", person="Анна Петрова")
    copy = await world.copy(target, "first words")
    assert "Анна Петрова" in f"{copy.author_name} {copy.text}"

    await here.edit(chat, said, "second thoughts")
    edited = await world.copy(target, "second thoughts")
    assert edited.message_id == copy.message_id
    assert "first words" not in edited.text

    answer = await world.say(origin, "an answer", person="Boris", reply_to=said)
    answered = await world.copy(target, "an answer")
    points_there = copy.message_id in (answered.reply_to, answered.thread_id)
    assert points_there or "second thoughts" in f"{answered.text}{answered.reply_quote}{answered.html}"
    assert answer != said

    if _sees(world, origin, Feature.SEES_REACTIONS):
        await here.react(chat, said, "Boris", "👍")
        await eventually(lambda: _reactions(world, target, copy.message_id), what="the reaction")

    if _sees(world, origin, Feature.SEES_DELETES):
        await here.delete(chat, said)
        await eventually(lambda: _gone(world, target, copy.message_id), what="the deletion")
    assert await world.copy(target, "an answer")
    assert there.chats()


@pytest.mark.parametrize(("origin", "target"), PAIRS, ids=[f"{o}-to-{t}" for o, t in PAIRS])
async def test_files(world: World, origin: str, target: str) -> None:
    picture, paper = png(), b"%PDF-1.4 " + bytes(range(256)) * 300
    await world.say(origin, "a picture", files=[Upload(name="cat.png", mime="image/png", content=picture)])
    await world.say(origin, "a paper", files=[Upload(name="Отчёт 1.pdf", mime="application/pdf", content=paper)])
    for needle, content in (("a picture", picture), ("a paper", paper)):
        copy = await world.copy(target, needle)
        received = await eventually(lambda needle=needle: _files_near(world, target, needle), what=f"file of {needle}")
        assert received[0].sha256 == hashlib.sha256(content).hexdigest(), (copy, received)
    assert any("1.pdf" in file.name for file in _files_near(world, target, "a paper"))


def _files_near(world: World, platform: str, needle: str) -> list:  # type: ignore[type-arg]
    return [file for message in world.copies(platform, needle) for file in message.files]


def _reactions(world: World, platform: str, message_id: str) -> bool:
    return any(message.message_id == message_id and message.reactions for message in world.seen(platform))


def _gone(world: World, platform: str, message_id: str) -> bool:
    return all(message.deleted for message in world.seen(platform) if message.message_id == message_id)


def _sees(world: World, platform: str, feature: Feature) -> bool:
    """Whether the platform tells of it in this set-up. TeamSpirit's history, which is read here, shows no reactions."""
    assert world.app is not None
    read_only = platform == "teamspirit" and feature is Feature.SEES_REACTIONS
    return world.app.capabilities_of(platform).native(feature) and not read_only
