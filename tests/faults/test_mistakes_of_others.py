"""Mistakes seen in other bridges, each with the test that this one does not make it."""

from __future__ import annotations

import asyncio
import itertools
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.model.adapter import Cursor, FileStream, Intake, Outbound, Receipt
from bridge.model.errors import RetryLater, Scope
from bridge.model.events import Attachment, AttachmentKind, Content, MessageCreated, MessageEdited
from bridge.model.platform import Platform
from bridge.model.rich_text import plain
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, bridge, end


class With(ScriptedPlatform):
    """A scripted platform with another adapter."""

    adapter: type[ScriptedAdapter] = ScriptedAdapter

    def manifest(self) -> Platform:
        return replace(super().manifest(), build=lambda context: self.adapter(self, context))


def two_rooms() -> list[Route]:
    return [Route(name=chat, ends=(end(f"one/{chat}"), end(f"two/{chat}"))) for chat in ("c", "d")]


async def test_copies_are_keyed_by_chat_and_message_id(tmp_path: Path) -> None:
    """Seen: 47 of 100 messages overwrote another's copy, since both chats count their messages from 1."""
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    ids = {chat: itertools.count(1) for chat in "cd"}

    def own_numbers(outbound: Outbound) -> None:
        two.ids = ids[outbound.chat_id]

    two.before_send = own_numbers
    async with bridge(tmp_path, [one, two], two_rooms()):
        for number in range(1, 51):
            for chat in "cd":
                key = f"created:{chat}:{number}"
                one.hear(
                    MessageCreated(
                        meta=one.meta(key, chat), message_id=str(number), content=Content(text=plain(f"{chat} {number}"))
                    )
                )
        await eventually(lambda: len(two.texts("c")) == len(two.texts("d")) == 50)
        for number in range(1, 51):
            key = f"edited:d:{number}"
            changed = Content(text=plain(f"d {number} changed"))
            one.hear(MessageEdited(meta=one.meta(key, "d"), message_id=str(number), content=changed))
        await eventually(lambda: two.texts("d")[-1:] == ["d 50 changed"])
    assert two.texts("c") == [f"c {number}" for number in range(1, 51)]
    assert two.texts("d") == [f"d {number} changed" for number in range(1, 51)]


class CutDownloads(ScriptedAdapter):
    """A slow file server: the client's timeout cuts the first downloads in the middle, and nobody told the length before."""

    cuts = 2

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        self.platform.fetched.append(attachment.file_id)
        content = self.platform.files[attachment.file_id]

        async def chunks() -> AsyncIterator[bytes]:
            yield content[:1000]
            if len(self.platform.fetched) <= self.cuts:
                raise TimeoutError
            yield content[1000:]

        yield FileStream(chunks=chunks(), size_bytes=None)


@pytest.mark.parametrize("size_known", [True, False])
async def test_a_download_cut_by_a_timeout_is_never_relayed_as_if_whole(tmp_path: Path, size_known: bool) -> None:
    """Seen: a file served at 1 MB/s was cut after 5 s, and its beginning was relayed as the file."""
    one, two = With("one"), ScriptedPlatform("two")
    one.adapter = CutDownloads
    one.files["f"] = random.Random(1).randbytes(5000)
    size_bytes = 5000 if size_known else None
    photo = Attachment(kind=AttachmentKind.PHOTO, file_id="f", name="cat.png", size_bytes=size_bytes)
    async with bridge(tmp_path, [one, two]):
        one.say("look", attachments=(photo,))
        await eventually(lambda: two.posted())
    assert len(one.fetched) == CutDownloads.cuts + 1
    assert [post.files for post in two.posted()] == [(one.files["f"],)]


class Jittery(ScriptedAdapter):
    """Each request takes its own time; counts how many of one chat are under way at once."""

    def __init__(self, platform: Any, context: Any) -> None:
        super().__init__(platform, context)
        self.rng = random.Random(3)
        self.under_way: dict[str, int] = {}
        self.most = 0

    async def send(self, outbound: Outbound) -> Receipt:
        chat = outbound.chat_id
        self.under_way[chat] = self.under_way.get(chat, 0) + 1
        self.most = max(self.most, *self.under_way.values())
        self.platform.most_at_once = self.most  # type: ignore[attr-defined]
        await asyncio.sleep(self.rng.uniform(0, 0.004))
        receipt = await super().send(outbound)
        self.under_way[chat] -= 1
        return receipt


async def test_events_keep_their_order_however_fast_they_come(tmp_path: Path) -> None:
    """Seen: each event in a task of its own, 409 of 500 out of order."""
    one, two = ScriptedPlatform("one"), With("two")
    two.adapter = Jittery
    async with bridge(tmp_path, [one, two], two_rooms()):
        for number in range(250):
            for chat in "cd":
                one.say(f"{number}", chat=chat)
        await eventually(lambda: len(two.texts("c")) == len(two.texts("d")) == 250)
    assert two.texts("c") == two.texts("d") == [str(number) for number in range(250)]
    assert two.most_at_once == 1  # type: ignore[attr-defined]


class Witness(ScriptedAdapter):
    """Looks at the disk at the moment at which it confirms upstream."""

    async def run(self, intake: Intake) -> None:
        intake.connected()
        for offset in itertools.count(1):
            events, _ = await self.platform.incoming.get()
            await intake.accept(events, cursors=[Cursor(name="offset", value=str(offset))])
            # confirmed from here on: whatever happens now, it must be on disk
            disk = sqlite3.connect(f"file:{self.platform.journal}?mode=ro", uri=True)  # type: ignore[attr-defined]
            self.platform.on_disk.append(  # type: ignore[attr-defined]
                (
                    offset,
                    disk.execute("SELECT count(*) FROM event").fetchone()[0],
                    disk.execute("SELECT count(*) FROM delivery").fetchone()[0],
                )
            )
            disk.close()


async def test_nothing_is_confirmed_upstream_while_it_sits_in_a_buffer(tmp_path: Path) -> None:
    """Seen: 50 to 250 messages lost by a SIGKILL, confirmed and only in memory."""
    one, two, three = With("one"), ScriptedPlatform("two"), ScriptedPlatform("three")
    one.adapter = Witness
    one.journal, one.on_disk = tmp_path / "bridge.journal", []  # type: ignore[attr-defined]
    two.hang = asyncio.Event()
    async with bridge(tmp_path, [one, two, three]):
        for number in range(50):
            one.say(f"{number}")
        await eventually(lambda: len(one.on_disk) == 50)  # type: ignore[attr-defined]
        two.hang.set()
        await eventually(lambda: len(two.texts()) == 50)
    assert one.on_disk == [(count, count, 2 * count) for count in range(1, 51)]  # type: ignore[attr-defined]


async def test_a_429_holds_up_one_chat_and_nobody_else(tmp_path: Path) -> None:
    """Seen: one send slept out its 429 inside the send, and every route waited with it: a healthy route's p99 was 27 s."""
    one, two, three = ScriptedPlatform("one"), ScriptedPlatform("two"), ScriptedPlatform("three")
    two.faults.append((RetryLater("too many", after_s=3600.0, scope=Scope.CHAT, rate_limited=True), False))
    routes = [
        Route(name="c", ends=(end("one/c"), end("two/c"), end("three/c"))),
        Route(name="d", ends=(end("one/d"), end("two/d"))),
    ]
    async with bridge(tmp_path, [one, two, three], routes):
        one.say("first", chat="c")
        await eventually(lambda: two.sends == 1)
        one.say("elsewhere", chat="d")
        await eventually(lambda: two.texts("d") == ["elsewhere"] and three.texts("c") == ["first"])
        assert two.texts("c") == []


async def test_a_429_is_waited_out(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    two.faults.append((RetryLater("too many", after_s=1.0, scope=Scope.CHAT, rate_limited=True), False))
    tried_s: list[float] = []
    two.before_send = lambda _: tried_s.append(time.monotonic())
    async with bridge(tmp_path, [one, two]):
        one.say("first")
        await eventually(lambda: two.texts() == ["first"])
    assert len(tried_s) == 2
    assert tried_s[1] - tried_s[0] >= 1.0
