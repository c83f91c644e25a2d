"""Threads that the bridge makes at a target: each once, whatever becomes of the attempt, and the chat where there can be none."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.model.adapter import Copy
from bridge.model.clock import SystemClock
from bridge.model.errors import ChatDown, OutcomeUnknown, Rejected, RetryLater, ThreadDown, ThreadGone
from bridge.model.events import ReplyTo
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.threads import OutboundThread
from bridge.policy.routing import Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end


class Forum:
    """What the platform has: the threads by their ids. `faults` meet the next attempts, before or after the thread is made."""

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.faults: deque[tuple[BaseException, bool]] = deque()
        self.hang: asyncio.Event | None = None
        self.asked = 0
        self.searches: list[datetime | None] = []
        self.search_faults: deque[BaseException] = deque()
        self.ids = itertools.count(1)
        self.gone: set[str] = set()
        self.locked: set[str] = set()
        self.needed = False

    def adapter(self, platform: Any, context: Any) -> ScriptedAdapter:
        return ThreadingAdapter(platform, context, self)


class ThreadingAdapter(ScriptedAdapter):
    def __init__(self, platform: ScriptedPlatform, context: Any, forum: Forum) -> None:
        super().__init__(platform, context)
        self._forum = forum

    async def send(self, outbound: Any) -> Any:
        if outbound.thread_id in self._forum.gone:
            raise ThreadGone("the thread was deleted")
        if outbound.thread_id in self._forum.locked:
            raise ThreadDown("the thread is locked", action="unlock it")
        if self._forum.needed and outbound.thread_id is None:
            raise ChatDown("a forum takes nothing but posts", action="name a post")
        return await super().send(outbound)

    async def needs_thread(self, _chat_id: str) -> bool:
        return self._forum.needed

    async def opens_thread(self, _chat_id: str, _begins_at: Copy | None) -> bool:
        return True

    async def open_thread(self, thread: OutboundThread) -> str:
        forum = self._forum
        forum.asked += 1
        error, is_made = forum.faults.popleft() if forum.faults else (None, True)
        thread_id = f"thread-{next(forum.ids)}"
        if is_made:
            forum.titles[thread_id], forum.tokens[thread.token] = thread.title, thread_id
        if forum.hang is not None:
            await forum.hang.wait()
        if error is not None:
            raise error
        return thread_id

    async def find_thread(self, thread: OutboundThread, since: datetime | None) -> str:
        self._forum.searches.append(since)
        if self._forum.search_faults:
            raise self._forum.search_faults.popleft()
        if since is None:
            return next((one for one, title in self._forum.titles.items() if title == thread.title), "")
        return self._forum.tokens.get(thread.token, "")


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def forum() -> Forum:
    return Forum()


@pytest.fixture
def two(forum: Forum) -> ScriptedPlatform:
    return ScriptedPlatform("two", adapter=forum.adapter)


def routes(*, every_thread: bool = False) -> list[Route]:
    return [Route(name="all", ends=(end("one/c"), end("two/c", every_thread=every_thread)))]


async def answered(one: ScriptedPlatform, two: ScriptedPlatform, *words: str) -> str:
    """A message, and answers in the thread that it begins."""
    root = one.say("the question")
    await eventually(lambda: two.texts()[-1:] == ["the question"])
    for word in words:
        one.say(word, thread=root, reply_to=ReplyTo(message_id=root, excerpt="the question"))
    return root


def in_threads(two: ScriptedPlatform) -> list[tuple[str, str | None]]:
    return [(message.text, message.thread_id) for message in two.posted()]


@pytest.mark.parametrize(
    ("fault", "made", "attempts"),
    [
        ((OutcomeUnknown("the answer was lost"), True), ["the question"], 1),
        ((OutcomeUnknown("it never arrived"), False), ["the question"], 2),
        ((RetryLater("busy", after_s=0.01), False), ["the question"], 2),
        ((TimeoutError(), True), ["the question"], 1),
    ],
)
async def test_one_thread_whatever_becomes_of_the_attempt(
    tmp_path: Path,
    one: ScriptedPlatform,
    two: ScriptedPlatform,
    forum: Forum,
    fault: tuple[BaseException, bool],
    made: list[str],
    attempts: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.delivery.places.ASK_AFTER_S", 0.01)
    forum.faults.append(fault)
    async with bridge(tmp_path, [one, two], routes()) as app:
        await answered(one, two, "first", "second")
        await eventually(lambda: len(two.posted()) == 3, what=str(in_threads(two)))
        await all_done(app)
    (thread,) = forum.titles
    assert in_threads(two) == [("the question", None), ("first", thread), ("second", thread)]
    assert list(forum.titles.values()) == made
    assert forum.asked == attempts


async def test_a_stop_in_the_middle_makes_no_second_thread(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    forum.hang = asyncio.Event()
    app = bridge(tmp_path, [one, two], routes())
    await app.start()
    await answered(one, two, "first")
    await eventually(lambda: forum.asked == 1)
    await app.stop(drain_s=0)
    forum.hang = None
    async with bridge(tmp_path, [one, two], routes()) as app:
        await eventually(lambda: len(two.posted()) == 2)
        await all_done(app)
    (thread,) = forum.titles
    assert in_threads(two) == [("the question", None), ("first", thread)]
    assert forum.searches[-1] is not None, "it was looked for before it was made again"


async def test_what_cannot_be_made_is_asked_for_once_and_the_chat_has_the_answers(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    forum.faults.append((Rejected("no right to do so"), False))
    async with bridge(tmp_path, [one, two], routes()) as app:
        await answered(one, two, "first", "second")
        await eventually(lambda: len(two.posted()) == 3)
        await all_done(app)
    question = two.posted()[0].message_id
    assert [(m.text, m.thread_id, m.reply_to) for m in two.posted()[1:]] == [
        ("first", None, question),
        ("second", None, question),
    ]
    assert forum.asked == 1


async def test_after_a_thread_is_gone_the_chat_goes_on(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    async with bridge(tmp_path, [one, two], routes()) as app:
        root = await answered(one, two, "first")
        await eventually(lambda: len(two.posted()) == 2)
        forum.gone |= set(forum.titles)
        for words in ("second", "third"):
            one.say(words, thread=root, reply_to=ReplyTo(message_id=root))
        await eventually(lambda: len(two.posted()) == 4)
        await all_done(app)
    assert [message.thread_id for message in two.posted()[2:]] == [None, None]
    assert forum.asked == 1


def say_in_topic(platform: ScriptedPlatform, words: str, topic: str, title: str) -> None:
    """In a thread that began with no message."""
    platform.say(words, thread=topic)
    events, cursors = platform.incoming._queue.pop()  # type: ignore[attr-defined]
    (event,) = events
    meta = msgspec.structs.replace(event.meta, thread_title=title)
    platform.incoming._queue.append(([msgspec.structs.replace(event, meta=meta)], cursors))  # type: ignore[attr-defined]


async def test_topics_have_partners_by_name_where_every_thread_is_an_end(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    forum.titles["old"] = "Releases"
    async with bridge(tmp_path, [one, two], routes(every_thread=True)) as app:
        for words, topic, title in (("a", "7", "Releases"), ("b", "8", "Ideas"), ("c", "7", "Releases"), ("d", "9", "Ideas")):
            say_in_topic(one, words, topic, title)
        await eventually(lambda: len(two.posted()) == 4)
        await all_done(app)
    there = dict(in_threads(two))
    assert there["a"] == there["c"] == "old"
    assert forum.titles[str(there["b"])] == forum.titles[str(there["d"])] == "Ideas"
    assert there["b"] != there["d"], "two topics of one name stay two"


async def test_topics_stay_in_the_chat_where_only_the_chat_is_an_end(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    async with bridge(tmp_path, [one, two], routes()):
        say_in_topic(one, "a", "7", "Releases")
        await eventually(lambda: len(two.posted()) == 1)
    assert in_threads(two) == [("a", None)]
    assert forum.asked == 0


async def test_a_message_of_a_thread_that_is_just_being_made_waits_for_it(
    tmp_path: Path, one: ScriptedPlatform, forum: Forum, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.places.ASK_AFTER_S", 0.05)
    other = Forum()
    one.adapter = other.adapter
    both = [Route(name="all", ends=(end("one/c", every_thread=True), end("two/c", every_thread=True)))]
    forum.hang = asyncio.Event()
    async with bridge(tmp_path, [one, two], both) as app:
        say_in_topic(one, "a", "7", "Releases")
        await eventually(lambda: forum.asked == 1)
        (made,) = forum.titles
        say_in_topic(two, "quick answer", made, "Releases")  # before the bridge knows what it made
        await eventually(lambda: two.confirmed)
        forum.hang.set()
        await eventually(lambda: "quick answer" in one.texts())
        await all_done(app)
    assert other.asked == 0, "no second topic"
    assert ("quick answer", "7") in in_threads(one)


@pytest.mark.parametrize("title", ["Releases", ""])
async def test_a_forum_whose_thread_is_gone_or_locked_gets_another(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum, title: str
) -> None:
    """Of a topic, and of the origin's chat itself."""
    forum.needed = True

    def say(words: str) -> None:
        if title:
            say_in_topic(one, words, "7", title)
        else:
            one.say(words)

    async with bridge(tmp_path, [one, two], routes(every_thread=True)) as app:
        say("a")
        await eventually(lambda: two.texts() == ["a"])
        forum.gone |= set(forum.titles)
        forum.titles.clear()
        say("b")
        say("c")
        await eventually(lambda: two.texts() == ["a", "b", "c"], what=str(two.texts()))
        forum.locked |= set(forum.titles)  # which still has the name
        say("d")
        say("e")
        await eventually(lambda: two.texts() == ["a", "b", "c", "d", "e"], what=str(two.texts()))
        await all_done(app)
    there = dict(in_threads(two))
    assert there["b"] == there["c"]
    assert there["d"] == there["e"]
    assert len({there["a"], there["b"], there["d"], None}) == 4
    assert forum.asked == 3


async def test_a_forum_in_which_no_thread_can_be_made_now_gets_the_message_later(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    forum.needed = True
    forum.faults.append((ChatDown("no right", action="give it"), False))
    async with bridge(tmp_path, [one, two], routes(every_thread=True)) as app:
        say_in_topic(one, "a", "7", "Releases")
        await eventually_asked(app.report, holds=lambda report: [lane["reason"] for lane in report["lanes"]] == ["no right"])
        lane = ChatAddress(AccountName("two"), "c")
        await app._journal.hurry(AccountName("two"), [lane], [], everything=False, at=app._clock.now())
        await eventually(lambda: two.texts() == ["a"], what=str(two.texts()))
        say_in_topic(one, "b", "7", "Releases")
        await eventually(lambda: two.texts() == ["a", "b"], what=str(two.texts()))
        await all_done(app)
    (thread,) = forum.titles
    assert in_threads(two) == [("a", thread), ("b", thread)]


async def test_a_name_is_looked_for_again_after_a_failure(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    forum.titles["old"] = "Releases"
    forum.search_faults.append(RetryLater("busy", after_s=0.01))
    async with bridge(tmp_path, [one, two], routes(every_thread=True)) as app:
        say_in_topic(one, "a", "7", "Releases")
        await eventually(lambda: len(two.posted()) == 1)
        await all_done(app)
    assert in_threads(two) == [("a", "old")]
    assert forum.asked == 0


class ClockAhead(SystemClock):
    def now(self) -> datetime:
        return super().now() + timedelta(hours=3)


async def test_a_clock_that_was_ahead_makes_no_second_thread(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, forum: Forum
) -> None:
    forum.hang = asyncio.Event()
    app = bridge(tmp_path, [one, two], routes(every_thread=True), clock=ClockAhead())
    await app.start()
    say_in_topic(one, "a", "7", "Releases")
    await eventually(lambda: forum.asked == 1)
    await app.stop(drain_s=0)
    forum.hang = None
    async with bridge(tmp_path, [one, two], routes(every_thread=True)) as app:
        await eventually(lambda: len(two.posted()) == 1)
        await all_done(app)
    assert forum.asked == 1
    searched = forum.searches[-1]
    assert searched is not None
    assert searched <= datetime.now(UTC)
