"""When a lane's receipts and attempts are written: attempts always before their turn, without the lane waiting for each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.delivery.attempt_log import LOW_WATER, MAX_PRERECORDED, AttemptLog
from bridge.journal.contract import AttemptStarted, Change, Deferred, Delivered, OpenDelivery, PartReceipt, PlanSet
from bridge.model.adapter import Receipt
from bridge.model.clock import SystemClock
from bridge.model.refs import AccountName, ChatRef
from tests.support.deliveries import NOW, TARGET, delivery
from tests.support.patience import eventually, stays

KNOWN = AttemptStarted | PartReceipt | Delivered


class Disk:
    """Written transactions; each waits for `sync`."""

    def __init__(self) -> None:
        self.written: list[Sequence[Change]] = []
        self.had_time: list[bool] = []
        self.free_for_us = asyncio.Event()
        """Nothing more urgent is about to be written."""
        self.free_for_us.set()
        self.sync = asyncio.Event()
        self.sync.set()
        self.broken: Exception | None = None
        self.refused: frozenset[int] = frozenset()
        """Deliveries that can have no change: a transaction with one is refused as a whole."""

    async def write(self, changes: Sequence[Change], has_time: bool) -> None:
        self.had_time.append(has_time)
        await self.sync.wait()
        if self.broken is not None:
            raise self.broken
        if refused := self.refused.intersection(one.delivery_id for one in changes if isinstance(one, KNOWN)):
            raise ValueError(f"an outcome of deliveries {sorted(refused)}, which do not exist")
        self.written.append(list(changes))

    @property
    def attempts(self) -> list[int]:
        return [one.delivery_id for batch in self.written for one in batch if isinstance(one, AttemptStarted)]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def waiting() -> deque[OpenDelivery]:
    return deque(delivery(number) for number in range(1, 61))


def records(disk: Disk, waiting: deque[OpenDelivery], *, may_run_ahead: bool = True) -> AttemptLog:
    return AttemptLog(
        TARGET,
        SystemClock(),
        write=disk.write,
        waiting=waiting,
        may_run_ahead=lambda: may_run_ahead,
        give_way=disk.free_for_us.wait,
    )


async def begin(made: AttemptLog, waiting: deque[OpenDelivery]) -> tuple[OpenDelivery, bool]:
    """As a lane does: the next one is taken up and its attempt is recorded, if it is not on disk yet."""
    pending = waiting.popleft()
    begun = made.claim(pending)
    if not begun:
        await made.record([AttemptStarted(delivery_id=pending.delivery_id, part=0, attempt=1, at=NOW), *made.prerecord_next(NOW)])
    return pending, begun


async def test_every_attempt_is_on_disk_before_its_turn_and_the_lane_hardly_ever_waits(
    disk: Disk, waiting: deque[OpenDelivery]
) -> None:
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


async def test_at_most_sixteen_attempts_are_ahead(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    for made_up_to in range(1, 40):
        await begin(made, waiting)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(disk.attempts) - made_up_to <= 16


async def test_an_attempt_whose_record_is_still_being_written_is_not_taken_for_recorded(
    disk: Disk, waiting: deque[OpenDelivery]
) -> None:
    made = records(disk, waiting)
    for _ in range(9):
        await begin(made, waiting)
    disk.sync.clear()  # the next attempts are being written, and the disk takes its time
    for _ in range(8):
        assert (await begin(made, waiting))[1]
    eighteenth = waiting[0].delivery_id
    assert eighteenth not in disk.attempts
    waits = asyncio.create_task(begin(made, waiting))
    await stays(lambda: not waits.done(), for_s=0.05)
    disk.sync.set()
    await waits
    assert eighteenth in disk.attempts


async def test_where_nobody_can_be_asked_one_attempt_is_on_disk_at_a_time(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting, may_run_ahead=False)
    for number in range(1, 10):
        await begin(made, waiting)
        assert disk.attempts == list(range(1, number + 1))


async def test_receipts_are_written_before_long_without_a_further_message(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    await begin(made, waiting)
    for _ in range(2):
        made.later([Delivered(delivery_id=1, at=NOW)])
        await begin(made, waiting)
    await eventually(lambda: made.are_complete)
    assert any(isinstance(one, Delivered) for batch in disk.written for one in batch)


async def test_a_lane_is_not_done_while_its_receipts_are_being_written(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    await begin(made, waiting)
    made.later([Delivered(delivery_id=1, at=NOW)])
    disk.sync.clear()  # a full disk, say
    await begin(made, waiting)
    await stays(lambda: not made.are_complete)
    waits = asyncio.create_task(made.record())
    await stays(lambda: not waits.done(), for_s=0.05)
    disk.sync.set()
    await waits
    assert made.are_complete
    assert any(isinstance(one, Delivered) for batch in disk.written for one in batch)


async def test_what_went_wrong_in_the_background_is_told_to_the_lane(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    for _ in range(9):
        await begin(made, waiting)
    disk.broken = ValueError("no such delivery")
    await begin(made, waiting)
    await eventually(lambda: not made.are_complete)
    with pytest.raises(ValueError, match="no such delivery"):
        await made.record()


async def test_attempts_whose_record_failed_are_not_taken_for_recorded(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    disk.broken = RuntimeError("a bug")
    first, second = waiting[0], waiting[1]
    with pytest.raises(RuntimeError, match="a bug"):
        await begin(made, waiting)
    assert not made.is_prerecorded(first)
    assert not made.is_prerecorded(second)
    disk.broken = None
    assert not (await begin(made, waiting))[1]
    assert second.delivery_id in disk.attempts


async def test_a_reload_while_attempts_are_written_leaves_them_begun(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    """The lane's hand is empty when they are on disk; what it reads then was begun, and not interrupted."""
    made = records(disk, waiting)
    for _ in range(9):
        await begin(made, waiting)
    disk.sync.clear()
    await begin(made, waiting)
    await asyncio.sleep(0)
    ahead = list(waiting)
    waiting.clear()  # as `Backlog.reload`
    disk.sync.set()
    await asyncio.sleep(0.01)
    waiting.extend(ahead)
    while waiting:
        pending = waiting[0]
        assert made.is_prerecorded(pending) == (pending.delivery_id in disk.attempts)
        await begin(made, waiting)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


# -- refused records --------------------------------------------------------------------------------------------------------


def receipts(number: int) -> list[Change]:
    """What a lane writes of a message that was sent."""
    sent = PartReceipt(
        delivery_id=number,
        event_seq=number,
        part=0,
        chat=ChatRef(AccountName("two"), "c"),
        target=TARGET,
        thread_id=None,
        receipt=Receipt(message_ids=(f"native{number}",)),
        at=NOW,
    )
    return [sent, Delivered(delivery_id=number, at=NOW)]


def outcomes(disk: Disk) -> list[int]:
    return [one.delivery_id for batch in disk.written for one in batch if isinstance(one, Delivered)]


async def test_a_receipt_that_is_refused_costs_no_other_message_its_own(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    disk.refused = frozenset({2})
    for number in (1, 2, 3):
        made.later(receipts(number))
    await made.record([AttemptStarted(delivery_id=4, part=0, attempt=1, at=NOW)])
    assert outcomes(disk) == [1, 3]
    assert disk.attempts == [4]
    assert made.are_complete


async def test_an_attempt_that_is_refused_is_not_made_and_the_receipts_before_it_are_kept(
    disk: Disk, waiting: deque[OpenDelivery]
) -> None:
    made = records(disk, waiting)
    disk.refused = frozenset({4})
    made.later(receipts(3))
    with pytest.raises(ValueError, match=r"\[4\]"):
        await made.record([AttemptStarted(delivery_id=4, part=0, attempt=1, at=NOW)])
    assert outcomes(disk) == [3]
    assert made.are_complete


async def test_what_a_disk_does_not_take_is_written_once_it_does(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    made.later(receipts(1))
    disk.broken = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await made.record()
    made.later(receipts(2))
    assert not made.are_complete
    disk.broken = None
    await made.record()
    assert outcomes(disk) == [1, 2]


async def test_what_has_happened_is_written_later_and_what_was_about_to_is_not(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    """A receipt between two parts, which the lane waits for."""
    made = records(disk, waiting)
    disk.broken = RuntimeError("a bug")
    begun: list[Change] = [PlanSet(delivery_id=2, content=b"plan"), AttemptStarted(delivery_id=2, part=0, attempt=1, at=NOW)]
    for changes in (receipts(1), begun, receipts(3)):
        with pytest.raises(RuntimeError):
            await made.record(changes)
    assert not made.are_complete
    disk.broken = None
    await made.record()
    assert outcomes(disk) == [1, 3]
    assert not any(isinstance(one, PlanSet | AttemptStarted) for batch in disk.written for one in batch)
    assert made.are_complete


async def test_what_has_happened_and_was_refused_is_tried_once_more(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    disk.refused = frozenset({1})
    for number in (1, 2):
        with pytest.raises(ValueError, match=r"\[1\]"):
            await made.record([*receipts(1), *receipts(number)])
    disk.refused = frozenset()
    await made.record()
    assert set(outcomes(disk)) == {1, 2}
    assert made.are_complete


async def test_a_write_that_was_cancelled_loses_nothing(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    made.later(receipts(1))
    disk.sync.clear()
    writing = asyncio.create_task(made.record())
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    made.later(receipts(2))
    disk.sync.set()
    await made.close()
    assert outcomes(disk) == [1, 2]


async def test_what_came_during_a_write_is_written_by_the_next(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    made = records(disk, waiting)
    made.later(receipts(1))
    disk.sync.clear()
    writing = asyncio.create_task(made.record())
    await asyncio.sleep(0)
    made.later(receipts(2))
    disk.sync.set()
    await writing
    await made.record()
    assert outcomes(disk) == [1, 2]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["receipt", "attempt", "write", "receipt during a write"]), st.integers(1, 30)), max_size=40
    ),
    st.frozensets(st.integers(1, 30), max_size=8),
)
def test_whatever_is_refused_nothing_else_is_lost(steps: list[tuple[str, int]], refused: frozenset[int]) -> None:
    async def main() -> None:
        disk = Disk()
        disk.refused = refused
        made = records(disk, deque())
        done: list[int] = []
        attempts: list[int] = []
        for step, number in steps:
            if step == "receipt":
                made.later(receipts(number))
                done.append(number)
            elif step == "attempt":
                attempt = AttemptStarted(delivery_id=number, part=0, attempt=1, at=NOW)
                try:
                    await made.record([attempt])
                    attempts.append(number)
                except ValueError:
                    assert number in refused
            elif step == "write":
                await made.record()
                assert made.are_complete
            else:
                disk.sync.clear()
                writing = asyncio.create_task(made.record())
                await asyncio.sleep(0)
                made.later(receipts(number))
                done.append(number)
                disk.sync.set()
                await writing
        await made.close()
        assert outcomes(disk) == [number for number in done if number not in refused]
        assert disk.attempts == attempts
        sent = [one.delivery_id for batch in disk.written for one in batch if isinstance(one, PartReceipt)]
        assert sent == outcomes(disk), "a receipt and its outcome go together"

    asyncio.run(main())


async def test_only_a_delay_by_itself_has_time(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    """Behind a receipt others may wait."""
    log = records(disk, waiting)
    delay = Deferred(delivery_id=1, attempt=1, not_before=NOW, error="no file yet", at=NOW)
    await log.record([delay], has_time=True)
    log.later([Delivered(delivery_id=2, at=NOW)])
    await log.record([delay], has_time=True)
    await log.record([delay])
    assert disk.had_time == [True, False, False]


async def test_what_is_more_urgent_is_written_before_the_attempts_of_later_turns(disk: Disk, waiting: deque[OpenDelivery]) -> None:
    log = records(disk, waiting)
    waiting.popleft()
    await log.record([*log.prerecord_next(NOW)])
    disk.free_for_us.clear()
    for _ in range(MAX_PRERECORDED - LOW_WATER + 1):
        turn = waiting.popleft()
        assert log.claim(turn)
        log.later([Delivered(delivery_id=turn.delivery_id, at=NOW)])
    await stays(lambda: len(disk.written) == 1)
    disk.free_for_us.set()
    await eventually(lambda: len(disk.written) == 2)
    assert len(disk.attempts) > MAX_PRERECORDED
