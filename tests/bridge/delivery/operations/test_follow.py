"""What becomes of a thread is done to its partners, once, in order, the newest change wins; where it cannot be, a line says it."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.model.adapter import Copy
from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater, ThreadGone
from bridge.model.events import ThreadChange, ThreadChanged, ThreadDeleted
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatRef, ThreadRef
from bridge.model.threads import OutboundThread, ThreadCopy
from bridge.policy.routing import Deletes, RelayOptions, Renames, Route
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedAdapter, ScriptedPlatform, all_done, bridge, end, skipped_by

RENAMED, CLOSED, REOPENED = ThreadChange
CHAT_ONE = ChatRef(AccountName("one"), "c")


class Threads:
    """The threads of one platform: titles by id, those that are closed, and all calls. `faults` meet the next changes, before or
    after they are made."""

    def __init__(self, platform: ScriptedPlatform, *, able: bool = True) -> None:
        self.platform = platform
        self.titles: dict[str, str] = {}
        self.closed: set[str] = set()
        self.calls: list[str] = []
        self.faults: deque[tuple[BaseException, bool]] = deque()
        platform.adapter = lambda one, context: (_Able if able else _Opening)(one, context, self)

    def told(self, event: ThreadChanged | ThreadDeleted) -> None:
        self.platform.hear(event)

    def change(self, thread: str, change: ThreadChange, name: str = "", *, key: str = "", author: str = "Anna") -> None:
        meta = self.platform.meta(key or f"thread:{next(self.platform.ids)}", "c", author, thread=thread)
        self.told(ThreadChanged(meta=meta, change=change, name=name))

    def delete(self, thread: str) -> None:
        self.told(ThreadDeleted(meta=self.platform.meta(f"gone:{thread}", "c", thread=thread)))

    def say(self, words: str, thread: str, title: str) -> None:
        self.platform.say(words, thread=thread)
        events, cursors = self.platform.incoming._queue.pop()  # type: ignore[attr-defined]
        meta = msgspec.structs.replace(events[0].meta, thread_title=title)
        self.platform.incoming.put_nowait(([msgspec.structs.replace(events[0], meta=meta)], cursors))

    def lines(self) -> list[tuple[str, str | None]]:
        return [(one.text, one.thread_id) for one in self.platform.posted()]


class _Opening(ScriptedAdapter):
    def __init__(self, platform: ScriptedPlatform, context: Any, threads: Threads) -> None:
        super().__init__(platform, context)
        self._threads = threads

    async def opens_thread(self, _chat_id: str, _begins_at: Copy | None) -> bool:
        return True

    async def open_thread(self, thread: OutboundThread) -> str:
        thread_id = f"{self.account}-t{next(self._threads.platform.ids)}"
        self._threads.titles[thread_id] = thread.title
        return thread_id

    async def find_thread(self, thread: OutboundThread, since: Any) -> str:
        return "" if since else next((one for one, title in self._threads.titles.items() if title == thread.title), "")


class _Able(_Opening):
    async def rename_thread(self, thread: ThreadCopy, title: str) -> None:
        self._do(f"rename {thread.thread_id} {title}", lambda: self._threads.titles.update({thread.thread_id: title}))

    async def close_thread(self, thread: ThreadCopy, closed: bool) -> None:
        change = self._threads.closed.add if closed else self._threads.closed.discard
        self._do(f"{'close' if closed else 'reopen'} {thread.thread_id}", lambda: change(thread.thread_id))

    async def delete_thread(self, thread: ThreadCopy) -> None:
        self._do(f"delete {thread.thread_id}", lambda: self._threads.titles.pop(thread.thread_id, None))

    def _do(self, what: str, change: Any) -> None:
        self._threads.calls.append(what)
        error, is_after = self._threads.faults.popleft() if self._threads.faults else (None, True)
        if is_after:
            change()
        if error is not None:
            raise error


@pytest.fixture
def one() -> Threads:
    return Threads(ScriptedPlatform("one"))


@pytest.fixture
def two() -> Threads:
    return Threads(ScriptedPlatform("two"))


def routes(*, options: RelayOptions | None = None) -> list[Route]:
    other = end("two/c", every_thread=True)
    if options is not None:
        other = msgspec.structs.replace(other, options=options)
    return [Route(name="all", ends=(end("one/c", every_thread=True), other))]


async def paired(one: Threads, two: Threads) -> str:
    """A topic of the one, and its partner, which the bridge makes."""
    one.say("hello", "7", "Releases")
    await eventually(lambda: two.lines())
    (partner,) = [thread for thread, title in two.titles.items() if title == "Releases"]
    assert two.lines() == [("hello", partner)]
    return partner


async def test_a_partner_follows_in_both_directions(tmp_path: Path, one: Threads, two: Threads) -> None:
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        for number, (change, name) in enumerate(((RENAMED, "Versions"), (CLOSED, ""), (REOPENED, "")), 1):
            one.change("7", change, name)
            await eventually(lambda number=number: len(two.calls) == number)
        two.change(partner, RENAMED, "All versions")
        two.change(partner, CLOSED)
        await eventually(lambda: len(one.calls) == 2)
        await all_done(app)
    assert two.calls == [f"rename {partner} Versions", f"close {partner}", f"reopen {partner}"]
    assert one.calls == ["rename 7 All versions", "close 7"]
    assert two.lines() == [("hello", partner)], "nothing is said besides"


async def test_what_changes_nothing_is_an_echo(tmp_path: Path, one: Threads, two: Threads) -> None:
    """The bot's own change comes back, or another bridge of the same chats did the same."""
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        for change, name in ((RENAMED, "Versions"), (CLOSED, "")):
            one.change("7", change, name)
        await eventually(lambda: len(two.calls) == 2)
        for change, name in ((RENAMED, " Versions "), (CLOSED, "")):
            two.change(partner, change, name)
        await eventually(lambda: len(two.platform.confirmed) == 2)
        one.change("7", REOPENED)
        await eventually(lambda: len(two.calls) == 3)
        await all_done(app)
    assert one.calls == []


async def test_the_newest_of_several_changes_wins(tmp_path: Path, one: Threads, two: Threads) -> None:
    """A platform allows a few new names in some minutes: the others are never set, and messages do not wait."""
    two.faults.append((RetryLater("two names in ten minutes", after_s=11.0, rate_limited=True), False))
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        one.change("7", RENAMED, "first")
        await eventually(lambda: two.calls == [f"rename {partner} first"])
        one.say("words", "7", "Releases")
        await eventually(lambda: ("words", partner) in two.lines())
        one.change("7", RENAMED, "second")
        await eventually(lambda: two.titles[partner] == "second")
        lanes = list(await app._journal.open_lanes())
        await app._journal.hurry(lanes[0].account, lanes, [], everything=True, at=app._clock.now())
        assert app._outbox is not None
        app._outbox.wake(lanes[0])
        await eventually(lambda: skipped_by(app).get(str(Skip.THREAD_CHANGED_SINCE)) == 1)
        await all_done(app)
    assert two.calls == [f"rename {partner} first", f"rename {partner} second"]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("change", [RENAMED, CLOSED])
async def test_a_change_that_was_set_aside_says_nothing_once_the_partner_is_gone(
    tmp_path: Path, one: Threads, two: Threads, change: ThreadChange, restarted: bool
) -> None:
    """Not even in the chat itself, where nobody knew the thread by its own."""
    two.faults.append((RetryLater("two changes in ten minutes", after_s=3600.0, rate_limited=True), False))
    app = bridge(tmp_path, [one.platform, two.platform], routes(options=RelayOptions(renames=Renames.LINE)))
    await app.start()
    await paired(one, two)
    one.change("7", change, "Versions" if change is RENAMED else "")
    await eventually(lambda: len(two.calls) == 1)
    one.delete("7")
    await eventually(lambda: len(two.calls) == 2)
    await eventually_asked(lambda: app._journal.partners.partners(ThreadRef(CHAT_ONE, "7")), holds=lambda left: len(left) == 1)
    if restarted:
        await app.stop(drain_s=0)
        app = bridge(tmp_path, [one.platform, two.platform], routes(options=RelayOptions(renames=Renames.LINE)))
        await app.start()
    lanes = list(await app._journal.open_lanes())
    await app._journal.hurry(lanes[0].account, lanes, [], everything=True, at=app._clock.now())
    assert app._outbox is not None
    app._outbox.wake(lanes[0])
    await all_done(app)
    assert skipped_by(app) == {str(Skip.THREAD_GONE): 1}
    await app.stop(drain_s=0)
    assert [text for text, _ in two.lines()] == ["hello"]


@pytest.mark.parametrize("fault", [(OutcomeUnknown("lost"), True), (RetryLater("busy", after_s=0.01), False)])
async def test_a_failure_in_between_repeats_the_call(
    tmp_path: Path, one: Threads, two: Threads, fault: tuple[BaseException, bool]
) -> None:
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        two.faults.append(fault)
        one.change("7", RENAMED, "Versions")
        await eventually(lambda: len(two.calls) == 2)
        await all_done(app)
    assert two.titles == {partner: "Versions"}
    assert two.lines() == [("hello", partner)]


async def test_what_the_target_refuses_or_cannot_do_is_a_line_in_its_thread_once(tmp_path: Path, one: Threads) -> None:
    two = Threads(ScriptedPlatform("two"), able=False)
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        for number, (change, name) in enumerate(((RENAMED, "Versions"), (CLOSED, ""), (REOPENED, "")), 2):
            one.change("7", change, name)
            await eventually(lambda number=number: len(two.lines()) == number)
        one.delete("7")
        await eventually(lambda: len(two.lines()) == 5)
        await all_done(app)
    assert two.lines()[1:] == [
        ("✏️ Anna renamed the thread to “Versions” (c, One)", partner),
        ("🔒 Anna closed the thread (c, One)", partner),
        ("🔓 Anna reopened the thread (c, One)", partner),
        ("🗑️ Anna deleted the thread (c, One)", partner),
    ]


async def test_a_refusal_is_a_line_and_a_thread_that_is_gone_is_none(tmp_path: Path, one: Threads, two: Threads) -> None:
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        two.faults.append((Rejected("no right to do so"), False))
        two.faults.append((ThreadGone("it was deleted"), False))
        one.change("7", RENAMED, "Versions")
        one.change("7", CLOSED)
        await eventually(lambda: skipped_by(app).get(str(Skip.THREAD_GONE)) == 1)
        await all_done(app)
    assert two.lines()[1:] == [("✏️ Anna renamed the thread to “Versions” (c, One)", partner)]


async def test_a_stop_while_the_line_is_sent_makes_no_second_line(tmp_path: Path, one: Threads) -> None:
    two = Threads(ScriptedPlatform("two"), able=False)
    app = bridge(tmp_path, [one.platform, two.platform], routes())
    await app.start()
    partner = await paired(one, two)
    two.platform.faults.append((OutcomeUnknown("the answer was lost"), True))
    one.change("7", CLOSED)
    await eventually(lambda: len(two.lines()) == 2)
    await app.stop(drain_s=0)
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        await all_done(app)
    assert two.lines()[1:] == [("🔒 Anna closed the thread (c, One)", partner)]


async def test_a_deleted_thread_takes_the_bridges_partner_along(tmp_path: Path, one: Threads, two: Threads) -> None:
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        one.delete("7")
        await eventually(lambda: two.calls == [f"delete {partner}"])
        two.delete(partner)  # the bot's own deletion comes back
        await all_done(app)
    assert one.calls == []
    assert two.titles == {}


async def test_a_deleted_copy_and_a_thread_that_people_made_stay(tmp_path: Path, one: Threads, two: Threads) -> None:
    two.titles["theirs"] = "Ideas"
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        partner = await paired(one, two)
        one.say("an idea", "8", "Ideas")
        await eventually(lambda: ("an idea", "theirs") in two.lines())
        two.delete(partner)
        one.delete("8")
        await eventually(lambda: two.lines()[-1] == ("🗑️ Anna deleted the thread (c, One)", "theirs"))
        two.titles.pop(partner)
        one.say("again", "7", "Releases")
        await eventually(lambda: two.lines()[-1][0] == "again")
        await all_done(app)
    assert one.calls == two.calls == []
    assert two.lines()[-1][1] not in (None, partner), "the conversation goes on in another"


@pytest.mark.parametrize(("deletes", "lines"), [(Deletes.MARK, ["🗑️ Anna deleted the thread (c, One)"]), (False, [])])
async def test_deletions_obey_the_route(
    tmp_path: Path, one: Threads, two: Threads, deletes: bool | Deletes, lines: list[str]
) -> None:
    async with bridge(tmp_path, [one.platform, two.platform], routes(options=RelayOptions(deletes=deletes))) as app:
        await paired(one, two)
        one.delete("7")
        one.change("7", CLOSED)
        await eventually(lambda: two.calls)
        await all_done(app)
        assert skipped_by(app).get(str(Skip.DELETES_OFF), 0) == (0 if lines else 1)
    assert [text for text, _ in two.lines()[1:]] == lines
    assert [call.split()[0] for call in two.calls] == ["close"]


async def test_a_thread_without_a_partner_is_news_of_the_chat(tmp_path: Path, one: Threads, two: Threads) -> None:
    async with bridge(tmp_path, [one.platform, two.platform], routes()) as app:
        one.change("9", RENAMED, "nobody spoke in it")
        one.change("9", CLOSED)
        one.delete("9")
        await eventually(lambda: two.lines())
        await all_done(app)
        assert skipped_by(app)[str(Skip.THREAD_WITHOUT_PARTNER)] == 2
    assert two.lines() == [("🔒 Anna closed the thread (c, One)", None)]
    assert two.calls == []
