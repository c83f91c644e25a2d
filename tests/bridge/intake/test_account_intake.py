"""What intake owes whoever calls it at the same time, or stops waiting for it: one order, and lanes that hear of every commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.identity.people import People
from bridge.intake.account_intake import AccountIntake
from bridge.journal.contract import AcceptRequest, AcceptResult, Lease, OpenDelivery, Verdict
from bridge.model.adapter import Cursor
from bridge.model.clock import SystemClock
from bridge.model.events import Author, ChatEvent, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import plain, text_of
from bridge.observability.metrics import Metrics
from bridge.policy.loops import RecentMessages
from bridge.policy.routing import Route, RouteEnd, RoutingTable
from tests.support.scripted import end

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ONE = AccountName("one")


class LateJournal:
    """Commits at once, and answers when the test lets it: the moment between a commit and its answer, as long as wanted."""

    def __init__(self) -> None:
        self.committed: list[str] = []
        self.answers: list[asyncio.Event] = []

    def lease(self, account: AccountName) -> Lease:
        return Lease(account=account, epoch=1)

    async def is_known(self, event_key: str) -> bool:
        return False

    async def accept(
        self, lease: Lease, entries: Sequence[AcceptRequest], cursors: Sequence[Cursor], **_: Any
    ) -> list[AcceptResult]:
        first = len(self.committed)
        self.committed += [entry.event.meta.event_key for entry in entries]
        self.answers.append(may_answer := asyncio.Event())
        await may_answer.wait()
        return [
            AcceptResult(verdict=Verdict.ACCEPTED, event_seq=seq, delivery_ids=(seq,), lane_seqs=(seq,))
            for seq in range(first + 1, first + 1 + len(entries))
        ]


class Lanes:
    def __init__(self) -> None:
        self.words: list[str] = []

    def may_begin(self, end: RouteEnd) -> bool:
        return False

    def make_way(self) -> None:
        pass

    def has_posted(self, event: ChatEvent) -> bool:
        return False

    def enqueue(self, pending: OpenDelivery, *, prerecorded: bool = False) -> None:
        assert isinstance(pending.event, MessageCreated)
        self.words.append(text_of(pending.event.content.text))


@pytest.fixture
def journal() -> LateJournal:
    return LateJournal()


@pytest.fixture
def lanes() -> Lanes:
    return Lanes()


@pytest.fixture
def intake(journal: LateJournal, lanes: Lanes) -> AccountIntake:
    table = RoutingTable([Route(name="all", ends=(end("one/c"), end("two/c")))])
    for address in ("one/c", "two/c"):
        table.set_native_id(end(address).chat, "c")
    supervisor: Any = SimpleNamespace(account=ONE, end_faults={}, notices={})
    parts: Any = {"journal": journal, "lanes": lanes, "counts": Metrics(), "own_names": None, "journal_id": "j"}
    return AccountIntake(
        supervisor, table=lambda: table, clock=SystemClock(), recent=RecentMessages(), people=lambda: People(()), **parts
    )


def said(text: str) -> MessageCreated:
    meta = EventMeta(
        event_key=text, origin=ChatRef(ONE, "c"), occurred_at=NOW, received_at=NOW, author=Author(user_id="1", name="Anna")
    )
    return MessageCreated(meta=meta, message_id=text, content=Content(text=plain(text)))


async def settled(holds: Callable[[], Any]) -> None:
    """Lets every task run until it waits for something, then looks."""
    for _ in range(50):
        await asyncio.sleep(0)
    assert holds()


async def test_lanes_get_events_in_the_order_in_which_they_are_stored(
    intake: AccountIntake, journal: LateJournal, lanes: Lanes
) -> None:
    """Two callers at once (the stream, and a gap told by a poll): the answer to the first commit comes late."""
    first = asyncio.create_task(intake.accept([said("first")]))
    await settled(lambda: journal.committed == ["first"])
    second = asyncio.create_task(intake.accept([said("second")]))
    await settled(lambda: True)
    while not (first.done() and second.done()):
        for answer in reversed(journal.answers):  # the latest commit is answered first
            answer.set()
            await settled(lambda: True)
    assert journal.committed == ["first", "second"]
    assert lanes.words == journal.committed


async def test_an_adapter_that_is_cancelled_during_the_commit_leaves_nothing_untold(
    intake: AccountIntake, journal: LateJournal, lanes: Lanes
) -> None:
    """The commit cannot be taken back: its lanes hear of it, and only then is the caller let go."""
    accepting = asyncio.create_task(intake.accept([said("kept")]))
    await settled(lambda: journal.committed == ["kept"])
    accepting.cancel()
    await settled(lambda: not accepting.done())
    journal.answers[0].set()
    with pytest.raises(asyncio.CancelledError):
        await accepting
    assert lanes.words == ["kept"]


async def test_lanes_hear_of_a_commit_whoever_insists_on_ending(intake: AccountIntake, journal: LateJournal, lanes: Lanes) -> None:
    accepting = asyncio.create_task(intake.accept([said("kept")]))
    await settled(lambda: journal.committed == ["kept"])
    for _ in range(3):
        accepting.cancel()
        await settled(lambda: True)
    journal.answers[0].set()
    await settled(lambda: lanes.words == ["kept"])
    assert accepting.cancelled()
