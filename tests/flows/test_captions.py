"""Words beside files: below each picture of an album, changed without sending a file again, and added to what takes no words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from adapters.common.emulation.contract import SeenMessage, Upload
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.emulator.contents import media_content
from tests.flows.world import PLATFORMS, World
from tests.support.patience import eventually

OTHERS = ("discord", "slack", "teamspirit")


def picture(number: int) -> Upload:
    return Upload(name=f"{number}.jpg", mime="image/jpeg", content=b"\xff\xd8\xff\xe0" + bytes([number]) * 60)


def digests(numbers: Sequence[int]) -> list[str]:
    return [hashlib.sha256(picture(number).content).hexdigest() for number in numbers]


def copies(world: World, platform: str) -> list[SeenMessage]:
    return [message for message in world.seen(platform) if message.is_bot and not message.deleted]


def said(world: World, platform: str) -> str:
    return "\n".join(message.text for message in copies(world, platform))


async def until(world: World, platform: str, holds: Callable[[], Any]) -> None:
    await eventually(holds, what=f"{platform}: {[(one.text, [f.name for f in one.files]) for one in copies(world, platform)]}")


def post_album(world: World, captions: Sequence[str]) -> list[str]:
    """As a person does who writes below each picture before sending them. Returns the messages' ids."""
    telegram = world.emulators["telegram"]
    assert isinstance(telegram, TelegramEmulator)
    files, chat = telegram.world.files, telegram.world.chats[int(world.chats["telegram"].chat_id)]
    person = telegram.world.people[int(telegram.add_person("Anna"))]
    contents = []
    for number, caption in enumerate(captions):
        upload = picture(number)
        stored = files.add(upload.name, upload.mime, upload.content)
        contents.append(media_content(files, "photo", stored) | ({"caption": caption} if caption else {}))
    return [str(message.message_id) for message in telegram.world.post(chat, person, contents)]


def in_order(text: str, captions: Sequence[str]) -> bool:
    """Whether all of them are there, each once, one after the other."""
    places = [text.find(caption) for caption in captions]
    return -1 not in places and places == sorted(places) and all(text.count(caption) == 1 for caption in captions)


async def test_ten_pictures_keep_ten_captions_and_each_changes_alone(world: World) -> None:
    telegram, chat = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)
    captions = [f"caption no. {number}!" for number in range(10)]
    ids = post_album(world, captions)
    for platform in OTHERS:
        await until(world, platform, lambda p=platform: in_order(said(world, p), captions))
    changes = ((6, "quite another one"), (1, ""), (9, "the last one"), (0, "the first one"))
    for number, caption in changes:
        captions[number] = caption
        await telegram.caption(chat, ids[number], caption)
    expected = [caption for caption in captions if caption]
    for platform in OTHERS:
        await until(world, platform, lambda p=platform: in_order(said(world, p), expected) and "no. 1!" not in said(world, p))
        assert [file.sha256 for one in copies(world, platform) for file in one.files] == digests(range(10))


async def test_long_captions_of_an_album_go_on_in_further_messages(world: World) -> None:
    telegram, chat = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)

    def long(number: int, word: str) -> str:
        return f"begin{number} " + f"{word} " * 180 + f"end{number}"

    ids = post_album(world, [long(number, "word") for number in range(5)])
    marks = [f"{mark}{number}" for number in range(5) for mark in ("begin", "end")]
    for platform in OTHERS:
        await until(world, platform, lambda p=platform: in_order(said(world, p), marks))
        assert said(world, platform).split().count("word") == 900
    await telegram.caption(chat, ids[3], long(3, "other"))
    for platform in OTHERS:
        await until(world, platform, lambda p=platform: said(world, p).split().count("other") == 180)
        assert in_order(said(world, platform), marks)
        assert said(world, platform).split().count("word") == 720


@pytest.mark.parametrize("origin", PLATFORMS)
async def test_words_beside_a_picture_change_without_sending_it_again(world: World, origin: str) -> None:
    """On each of the other three: the same message with the same file, and other words; also when they become very long."""
    others = [name for name in PLATFORMS if name != origin]
    message_id = await world.say(origin, "first words", files=[picture(1)])
    found = {name: await world.copy(name, "first words") for name in others}
    for name, copy in found.items():
        assert [file.sha256 for file in copy.files] == digests([1]), name
    edit, chat = world.emulators[origin].edit, world.chats[origin].chat_id
    for words in ("second words", "many words " * 80 + "and the end", "third words"):
        await edit(chat, message_id, words)
        last = words.rpartition(" ")[2]
        for name, copy in found.items():
            await until(world, name, lambda n=name, w=words, end=last: w[:11] in said(world, n) and end in said(world, n))
            first, *further = copies(world, name)
            assert (first.message_id, first.files) == (copy.message_id, copy.files), "the same message with the same file"
            assert not any(one.files for one in further)
    for name in others:
        await until(world, name, lambda n=name: [one.text.count("third words") for one in copies(world, n)] == [1])


async def test_words_added_to_a_voice_message_are_said_below_it(world: World) -> None:
    """Discord's voice messages take none, and are not sent again."""
    telegram, chat = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)
    voice = Upload(name="v.ogg", mime="audio/ogg", content=b"OggS" + b"\0" * 60, kind="voice")
    message_id = await world.say("telegram", "", files=[voice])
    for platform in OTHERS:
        await until(world, platform, lambda p=platform: [file.name for one in copies(world, p) for file in one.files])
    (copy,) = copies(world, "discord")
    assert (copy.files[0].kind, copy.text) == ("voice", "")
    for words in ("what I said", "what I wanted to say"):
        await telegram.caption(chat, message_id, words)
        for platform in OTHERS:
            await until(world, platform, lambda p=platform, w=words: said(world, p).endswith(w))
        first, second = copies(world, "discord")
        assert (first.message_id, first.files, first.text) == (copy.message_id, copy.files, "")
        assert (second.text, second.files) == (words, ())
    await telegram.caption(chat, message_id, "")
    for platform in OTHERS:
        await until(world, platform, lambda p=platform: "what I" not in said(world, p))
    assert [one.files for one in copies(world, "discord")] == [copy.files]


async def test_words_added_to_a_voice_message_after_a_restart(world: World) -> None:
    telegram, chat = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)
    message_id = await world.say("telegram", "", files=[Upload(name="v.ogg", mime="audio/ogg", content=b"OggS", kind="voice")])
    await until(world, "discord", lambda: copies(world, "discord"))
    await world.stop_bridge()
    await world.start_bridge()
    await telegram.caption(chat, message_id, "what I said")
    await until(world, "discord", lambda: [one.text for one in copies(world, "discord")] == ["", "what I said"])


@pytest.mark.parametrize(("origin", "target"), [("discord", "slack"), ("slack", "discord")])
async def test_what_a_picture_shows_is_told_on_both_sides(world: World, origin: str, target: str) -> None:
    """To those who do not see it; each file of an album has its own. The others have no place for it, and show their copy."""
    files = [msgspec.structs.replace(picture(number), alt_text=f"view no. {number} \u2066<&\u2069") for number in (1, 2)]
    await world.say(origin, "two views", files=files)
    for platform in set(PLATFORMS) - {origin}:
        await until(world, platform, lambda p=platform: sum(len(one.files) for one in copies(world, p)) == 2)
    shown = [file.alt_text for one in copies(world, target) for file in one.files]
    assert [text.startswith(f"view no. {number}") and "<&" in text for number, text in zip((1, 2), shown, strict=True)] == [
        True
    ] * 2
