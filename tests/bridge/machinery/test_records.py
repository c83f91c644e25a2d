"""When a lane's receipts and attempts are written: attempts always before their turn, without the lane waiting for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bridge.clock import SystemClock
from bridge.events import Author, Content, EventMeta, MessageCreated
from bridge.journal.contract import AttemptStarted, Change, Delivered, Pending, State
from bridge.outbox.records import Records
from bridge.refs import AccountName, ChatAddress, ChatRef
from bridge.text import plain
from tests.flows.world import eventually

NOW = datetime(2026, 8, 1, tzinfo=UTC)
TARGET = ChatAddress(AccountName("two"), "c")


def delivery(number: int) -> Pending:
    meta = EventMeta(
        event_key=f"{number}",
        origin=ChatRef(AccountName("one"), "c"),
        occurred_at=NOW,
        received_at=NOW,
        author=Author(user_id="anna", name="Anna"),
    )
    return Pending(
        delivery_id=number,
        event_seq=number,
        route="route",
        target=TARGET,
        thread_id=None,
        event=MessageCreated(meta=meta, message_id=str(number), content=Content(text=plain("hello"))),
        state=State.WAITING,
        attempt=0,
        first_attempt_at=None,
        not_before=None,
        last_error="",
        parts=(),
    )


class Disk:
    """Written transactions; each waits for `sync`."""

    def __init__(self) -> None:
        self.written: list[Sequence[Change]] = []
        self.sync = asyncio.Event()
        self.sync.set()
        self.broken: Exception | None = None

    async def write(self, changes: Sequence[Change]) -> None:
        await self.sync.wait()
        if self.broken is not None:
            raise self.broken
        self.written.append(list(changes))

    @property
    def attempts(self) -> list[int]:
        return [one.delivery_id for batch in self.written for one in batch if isinstance(one, AttemptStarted)]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def waiting() -> deque[Pending]:
    return deque(delivery(number) for number in range(1, 61))


def records(disk: Disk, waiting: deque[Pending], *, may_run_ahead: bool = True) -> Records:
    return Records(TARGET, SystemClock(), write=disk.write, waiting=waiting, may_run_ahead=lambda: may_run_ahead)


async def begin(made: Records, waiting: deque[Pending]) -> tuple[Pending, bool]:
    """As a lane does: the next one is taken up and its attempt is recorded, if it is not on disk yet."""
    pending = waiting.popleft()
    begun = made.take_begun(pending)
    if not begun:
        await made.record([AttemptStarted(delivery_id=pending.delivery_id, part=0, attempt=1, at=NOW), *made.begin_ahead(NOW)])
    return pending, begun


async def test_every_attempt_is_on_disk_before_its_turn_and_the_lane_hardly_ever_waits(disk: Disk, waiting) -> None:
    made = records(disk, waiting)
    waited = 0
    while waiting:
        pending, begun = await begin(made, waiting)
        waited += not begun
        assert pending.delivery_id in disk.attempts
        made.later([Delivered(delivery_id=pending.delivery_id, at=NOW)])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert waited == 1
    assert disk.attempts == list(range(1, 61))


async def test_at_most_sixteen_attempts_are_ahead(disk: Disk, waiting) -> None:
    made = records(disk, waiting)
    for made_up_to in range(1, 40):
        await begin(made, waiting)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(disk.attempts) - made_up_to <= 16


async def test_an_attempt_whose_record_is_still_being_written_is_not_taken_for_recorded(disk: Disk, waiting) -> None:
    made = records(disk, waiting)
    for _ in range(9):
        await begin(made, waiting)
    disk.sync.clear()  # the next attempts are being written, and the disk takes its time
    for _ in range(8):
        assert (await begin(made, waiting))[1]
    eighteenth = waiting[0].delivery_id
    assert eighteenth not in disk.attempts
    waits = asyncio.create_task(begin(made, waiting))
    await asyncio.sleep(0.01)
    assert not waits.done()
    disk.sync.set()
    await waits
    assert eighteenth in disk.attempts


async def test_where_nobody_can_be_asked_one_attempt_is_on_disk_at_a_time(disk: Disk, waiting) -> None:
    made = records(disk, waiting, may_run_ahead=False)
    for number in range(1, 10):
        await begin(made, waiting)
        assert disk.attempts == list(range(1, number + 1))


async def test_receipts_are_written_before_long_without_a_further_message(disk: Disk, waiting) -> None:
    made = records(disk, waiting)
    await begin(made, waiting)
    for _ in range(2):
        made.later([Delivered(delivery_id=1, at=NOW)])
        await begin(made, waiting)
    await eventually(lambda: made.are_complete)
    assert any(isinstance(one, Delivered) for batch in disk.written for one in batch)


async def test_a_lane_is_not_done_while_its_receipts_are_being_written(disk: Disk, waiting) -> None:
    made = records(disk, waiting)
    await begin(made, waiting)
    made.later([Delivered(delivery_id=1, at=NOW)])
    disk.sync.clear()  # a full disk, say
    await begin(made, waiting)
    await asyncio.sleep(0.2)
    assert not made.are_complete
    waits = asyncio.create_task(made.record())
    await asyncio.sleep(0.01)
    assert not waits.done()
    disk.sync.set()
    await waits
    assert made.are_complete
    assert any(isinstance(one, Delivered) for batch in disk.written for one in batch)


async def test_what_went_wrong_in_the_background_is_told_to_the_lane(disk: Disk, waiting) -> None:
    made = records(disk, waiting)
    for _ in range(9):
        await begin(made, waiting)
    disk.broken = ValueError("no such delivery")
    await begin(made, waiting)
    await asyncio.sleep(0.01)
    assert not made.are_complete
    with pytest.raises(ValueError, match="no such delivery"):
        await made.record()
