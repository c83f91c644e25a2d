"""Albums as they arrive: one message each, with the edits that come meanwhile, over crashes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from adapters.common.emulation.contract import StreamFault, Upload
from adapters.telegram.emulator import TelegramEmulator
from adapters.telegram.inbound.albums import Albums, Listened
from adapters.telegram.inbound.decoded import AlbumItem
from adapters.telegram.transport import MOST_UPDATES
from bridge.model.events import (
    AttachmentKind,
    MessageCreated,
)
from bridge.model.rich_text import text_of
from tests.support.patience import PATIENCE_S, eventually


async def test_an_album_is_one_message(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    uploads = [Upload(name=f"{n}.png", mime="image/png", content=png(10 + n, 10)) for n in range(3)]
    async with receiving(adapter):
        first = await emulator.say(chat, "Anna", "__holiday__", files=uploads)
        await intake.until(lambda: intake.events)
    [event] = intake.events
    assert isinstance(event, MessageCreated)
    assert event.message_id == first
    assert event.also_ids == (str(int(first) + 1), str(int(first) + 2))
    assert [attachment.kind for attachment in event.content.attachments] == [AttachmentKind.PHOTO] * 3
    assert text_of(event.content.text) == "holiday"


async def test_what_follows_an_album_stays_behind_it(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    uploads = [Upload(name="a.png", mime="image/png", content=png(8, 8))] * 2
    other = emulator.add_chat("Other").chat_id
    async with receiving(make_adapter(album_wait_s=10.0)):
        await emulator.say(chat, "Anna", "album", files=uploads)
        await emulator.say(other, "Bob", "elsewhere")
        await emulator.say(chat, "Anna", "after")
        await intake.until(lambda: len(intake.events) == 3)
    assert intake.texts() == ["elsewhere", "album", "after"]


async def test_an_album_in_a_quiet_chat_does_not_wait_for_a_busy_one(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    busy = emulator.add_chat("Busy").chat_id
    async with receiving(make_adapter(album_wait_s=0.3)):
        await emulator.say(chat, "Anna", "album", files=[Upload(name="a.png", mime="image/png", content=png(8, 8))] * 2)
        deadline = time.monotonic() + PATIENCE_S
        while "album" not in intake.texts() and time.monotonic() < deadline:
            await emulator.say(busy, "Bob", "more")
            await asyncio.sleep(0.05)
    assert "album" in intake.texts()


async def test_an_edit_of_an_album_that_is_not_complete_is_part_of_it(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Any
) -> None:
    uploads = [Upload(name=f"{n}.png", mime="image/png", content=png(8, 8)) for n in range(2)]
    async with receiving(make_adapter(album_wait_s=10.0)):
        first = await emulator.say(chat, "Anna", "album", files=uploads)
        await emulator.caption(chat, str(int(first) + 1), "second")
        await emulator.caption(chat, first, "first")
        await emulator.say(chat, "Anna", "after")
        await intake.until(lambda: "after" in intake.texts())
        assert intake.texts() == ["first\nsecond", "after"]
        await emulator.caption(chat, first, "FIRST")
        await intake.until(lambda: len(intake.events) == 3)
    album, _, edit = intake.events
    assert [text_of(item.text) for item in album.items] == ["first", "second"]
    assert (edit.album_item, edit.message_id, text_of(edit.content.text)) == (True, first, "FIRST")


async def _confirmed(emulator: TelegramEmulator) -> None:
    queue = emulator.world.queues[emulator.bot().user_id]
    await eventually(lambda: not len(queue))


async def test_an_unfinished_album_survives_a_crash(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    uploads = [Upload(name="a.png", mime="image/png", content=png(8, 8))] * 2
    async with receiving(make_adapter(album_wait_s=10.0)):
        await emulator.say(chat, "Anna", "album", files=uploads)
        await intake.until(lambda: any("media_group_id" in value for value in intake.cursors.values()))
        # confirmed upstream, not yet an event
        await _confirmed(emulator)
    assert intake.events == []
    async with receiving(make_adapter()):
        await intake.until(lambda: intake.events)
    [event] = intake.events
    assert len(event.content.attachments) == 2
    assert (event.meta.author.name, text_of(event.content.text)) == ("Anna", "album")
    assert not any("media_group_id" in value for value in intake.cursors.values())


async def test_an_album_redelivered_after_a_crash_is_not_told_again(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    """Accepted, but the process died before the next poll could confirm it."""
    uploads = [Upload(name="a.png", mime="image/png", content=png(8, 8))] * 3
    async with receiving(make_adapter()):
        await emulator.say(chat, "Anna", "album", files=uploads)
        await intake.until(lambda: intake.events)
        await emulator.disturb(StreamFault.REDELIVER)
        await intake.until(lambda: intake.ignored_reasons["update delivered twice"])
        await emulator.say(chat, "Anna", "end")
        await intake.until(lambda: "end" in intake.texts())
    assert intake.texts() == ["album", "end"]
    before = dict(intake.cursors)
    queue = emulator.world.queues[emulator.bot().user_id]
    await emulator.say(chat, "Anna", "second album", files=uploads)
    async with receiving(make_adapter()):
        await intake.until(lambda: "second album" in intake.texts())
    assert intake.cursors != before
    queue.redeliver()
    async with receiving(make_adapter()):
        await emulator.say(chat, "Anna", "last")
        await intake.until(lambda: "last" in intake.texts())
    assert intake.texts() == ["album", "end", "second album", "last"]


async def test_an_album_over_two_batches_is_whole_however_long_the_first_is_stored(
    emulator: TelegramEmulator, chat: str, adapter: Any, intake: Any, receiving: Any, png: Callable[..., bytes]
) -> None:
    for number in range(MOST_UPDATES - 1):
        await emulator.say(chat, "Anna", f"before {number}")
    await emulator.say(chat, "Anna", "album", files=[Upload(name="a.png", mime="image/png", content=png(8, 8))] * 3)
    slow = asyncio.Event()

    async def store() -> None:
        if not slow.is_set():
            slow.set()
            await asyncio.sleep(0.5)  # longer than `album_wait_s`

    intake.before_accept = store
    async with receiving(adapter):
        await intake.until(lambda: len(intake.events) >= MOST_UPDATES)
    assert slow.is_set()
    assert intake.texts()[-1] == "album"
    assert len(intake.events[-1].content.attachments) == 3


def test_a_process_that_wakes_late_looks_once_more_before_an_album_is_complete() -> None:
    listened = Listened()
    listened.waited(3.0, 1.0)
    assert listened.now_s == 0.5
    listened.waited(0.5, 0.5)
    assert listened.now_s == 1.0
    listened.waited(2.0, None)
    assert listened.now_s == 3.0, "nothing was waited for"
    for _ in range(6):
        listened.waited(3.0, 1.0)
    assert listened.now_s >= 6.0, "a process that is always late goes on"


def test_an_album_in_a_chat_that_is_never_quiet_goes_on_at_last() -> None:
    """Each batch takes seconds to store, and hardly anything is listened for in between."""
    listened, albums = Listened(), Albums(wait_s=2.0)
    message: Any = {"chat": {"id": 1}, "message_id": 1, "media_group_id": "g"}
    albums.add(AlbumItem(message=message, group="1/g"), listened.now_s, 100.0)
    real_s = 100.0
    while not (complete := albums.due(listened.now_s, real_s)):
        listened.waited(0.001, None)
        real_s += 3.0
        assert real_s < 120.0
    assert complete == [[message]]
    assert real_s - 100.0 >= 10.0, "five times the wait"
