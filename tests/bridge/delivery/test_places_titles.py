"""Where a thread cannot be made, its first message says its title; once it can be made, it is."""

from __future__ import annotations

import sqlite3
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.model.adapter import Copy
from bridge.model.errors import Rejected, RetryLater
from bridge.model.events import ReplyTo
from bridge.model.outcomes import Loss
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.threads import OutboundThread
from bridge.policy.routing import Route
from tests.support.patience import eventually
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end


class Channel:
    """Whether threads can be made, and who asked."""

    def __init__(self, platform: ScriptedPlatform) -> None:
        self.has_threads = True
        self.allowed = False
        self.faults: deque[Exception] = deque()
        self.asked: list[str] = []
        platform.adapter = lambda one, context: _Adapter(one, context, self)


class _Adapter(ScriptedAdapter):
    def __init__(self, platform: ScriptedPlatform, context: Any, channel: Channel) -> None:
        super().__init__(platform, context)
        self._channel = channel

    async def opens_thread(self, _chat_id: str, _begins_at: Copy | None) -> bool:
        return self._channel.has_threads

    async def open_thread(self, thread: OutboundThread) -> str:
        self._channel.asked.append(thread.title)
        if self._channel.faults:
            raise self._channel.faults.popleft()
        if not self._channel.allowed:
            raise Rejected("no right to do so")
        return f"thread-{len(self._channel.asked)}"

    async def find_thread(self, _thread: OutboundThread, _since: Any) -> str:
        return ""


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


@pytest.fixture
def channel(two: ScriptedPlatform) -> Channel:
    return Channel(two)


ROUTES = [Route(name="all", ends=(end("one/c"), end("two/c", every_thread=True)))]


def say(platform: ScriptedPlatform, words: str, *, topic: str = "7", title: str = "Releases", **content: Any) -> str:
    message_id = platform.say(words, thread=topic, **content)
    events, cursors = platform.incoming._queue.pop()  # type: ignore[attr-defined]
    meta = msgspec.structs.replace(events[0].meta, thread_title=title)
    platform.incoming.put_nowait(([msgspec.structs.replace(events[0], meta=meta)], cursors))
    return message_id


@pytest.mark.parametrize("has_threads", [True, False])
async def test_the_first_message_says_the_title_once_also_after_an_edit(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, channel: Channel, has_threads: bool
) -> None:
    channel.has_threads = has_threads
    async with bridge(tmp_path, [one, two], ROUTES) as app:
        first = say(one, "a")
        say(one, "b")
        say(one, "c", topic="8", title="Ideas")
        await eventually(lambda: len(two.posted()) == 3)
        assert two.texts() == ["🧵 Releases\na", "b", "🧵 Ideas\nc"]
        one.edit(first, "a, edited")
        await eventually(lambda: "edited" in two.texts()[0])
        await all_done(app)
        with sqlite3.connect(app._config.journal.path) as connection:
            notes = [str(note) for (note,) in connection.execute("SELECT note FROM delivery ORDER BY id")]
        connection.close()
    assert [str(Loss.TITLE_AS_LINE) in note for note in notes[:3]] == [True, False, True]
    assert two.texts() == ["🧵 Releases\na, edited", "b", "🧵 Ideas\nc"]
    assert len(channel.asked) == (2 if has_threads else 0)


async def test_a_stop_before_the_first_message_arrived_keeps_its_title(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, channel: Channel
) -> None:
    two.faults.append((RetryLater("busy", after_s=300.0), False))
    app = bridge(tmp_path, [one, two], ROUTES)
    await app.start()
    say(one, "a")
    await eventually(lambda: two.sends == 1)
    await app.stop(drain_s=0)
    async with bridge(tmp_path, [one, two], ROUTES) as app:
        await app._journal.hurry(
            AccountName("two"), [ChatAddress(AccountName("two"), "c")], [], everything=False, at=app._clock.now()
        )
        assert app._outbox is not None
        app._outbox.try_now(AccountName("two"))
        await eventually(lambda: two.texts())
        say(one, "b")
        await eventually(lambda: len(two.texts()) == 2)
        await all_done(app)
    assert two.texts() == ["🧵 Releases\na", "b"]


async def test_a_title_that_the_words_say_already_is_not_said_twice(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, channel: Channel
) -> None:
    channel.has_threads = False
    async with bridge(tmp_path, [one, two], ROUTES) as app:
        say(one, "quoted with each message", reply_to=ReplyTo(message_id="7", excerpt="Releases"))
        await eventually(lambda: two.posted())
        await all_done(app)
    assert "🧵" not in two.texts()[0]


async def test_once_the_right_is_given_threads_are_made_for_new_messages(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, channel: Channel
) -> None:
    async with bridge(tmp_path, [one, two], ROUTES) as app:
        for words in "abc":
            say(one, words)
        await eventually(lambda: len(two.posted()) == 3)
        assert len(channel.asked) == 1, "not with every message"
        channel.allowed = True
        assert app._outbox is not None
        app._outbox.wake_chat(ChatAddress(AccountName("two"), "c"))  # the platform told of the right
        say(one, "d")
        await eventually(lambda: len(two.posted()) == 4)
        await all_done(app)
    assert [message.thread_id for message in two.posted()] == [None, None, None, "thread-2"]
    assert two.texts()[-1] == "d"


async def test_a_restart_tries_once_more(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, channel: Channel) -> None:
    for number in range(3):
        async with bridge(tmp_path, [one, two], ROUTES) as app:
            for words in ("a", "b"):
                say(one, f"{words}{number}")
            await eventually(lambda number=number: len(two.posted()) == 2 * number + 2)
            await all_done(app)
            if number == 1:
                channel.allowed = True
    assert [message.thread_id for message in two.posted()] == [None] * 4 + ["thread-3"] * 2
    assert [text for text in two.texts() if "🧵" in text] == ["🧵 Releases\na0"]
