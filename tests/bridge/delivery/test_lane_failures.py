"""Bugs of our own: they cost what they hit, and nothing that stands beside or behind it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.accounts.state import AccountState
from bridge.journal.contract import AttemptStarted, Change, Delivered, Lease, PartReceipt, Skipped
from bridge.journal.sqlite import SqliteJournal
from bridge.model.errors import Rejected
from bridge.model.refs import AccountName, ChatAddress
from tests.support.patience import PATIENCE_S, eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, all_done, bridge

LANE = ChatAddress(AccountName("two"), "c")


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


class Refusing(SqliteJournal):
    """Refuses a transaction that holds what `refused` finds in it, as the journal refuses what a delivery cannot have."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.refused: Callable[[Change], bool] = lambda _: False
        self.times = 0
        self.refusals = 0

    async def record(self, lease: Lease, changes: Sequence[Change], *, has_time: bool = False) -> None:
        if self.refusals < self.times and any(map(self.refused, changes)):
            self.refusals += 1
            raise ValueError("an outcome of deliveries [4711], which do not exist")
        await super().record(lease, changes, has_time=has_time)


def said(count: int) -> list[str]:
    return [f"m{number}" for number in range(count)]


# -- a lane that dies -------------------------------------------------------------------------------------------------------


async def test_what_comes_after_a_lane_failed_does_not_overtake_what_it_had(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    journal = Refusing(tmp_path / "bridge.journal")
    async with bridge(tmp_path, [one, two], journal=journal) as app:
        await eventually(lambda: app.account_states()["two"].state is AccountState.UP)
        two.hang = asyncio.Event()
        for text in said(5):
            one.say(text)
        one.delete("nobody knows it")  # ends as skipped: this outcome is the one that the lane itself waits for
        for text in said(8)[5:]:
            one.say(text)
        await eventually(lambda: len(one.confirmed) == 9)
        await eventually(lambda: two.sends == 1)
        journal.refused, journal.times = lambda change: isinstance(change, Skipped), 3
        with capture_logs() as log:
            two.hang.set()
            await eventually(lambda: any("failed unexpectedly" in entry["event"] for entry in log) or "m7" in two.texts())
            one.say("later")
            await eventually(lambda: "later" in two.texts())
            await all_done(app)
    assert journal.refusals
    assert two.texts() == [*said(8), "later"]


async def test_a_lane_that_fails_again_and_again_costs_less_and_less(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a stop does not wait for it."""
    app = bridge(tmp_path, [one, two])
    await app.start()
    one.say("m0")
    await eventually(lambda: two.texts() == ["m0"])
    await all_done(app)
    tries: list[float] = []

    async def broken(*_: Any) -> Any:
        tries.append(asyncio.get_running_loop().time())
        raise KeyError("a bug")

    monkeypatch.setattr(app._journal, "pending", broken)
    assert app._outbox is not None
    app._outbox.wake(LANE)
    await eventually(lambda: len(tries) >= 3)
    waits = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert waits[0] >= 0.5
    assert waits[1] >= 1.0
    async with asyncio.timeout(PATIENCE_S):
        assert await app.stop(drain_s=10 * PATIENCE_S) == 0


async def test_a_lane_that_failed_is_quick_again_once_it_works(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bridge(tmp_path, [one, two]) as app:
        one.say("m0")
        await eventually(lambda: two.texts() == ["m0"])
        await all_done(app)
        pending, failures = app._journal.pending, 2

        async def broken_twice(*arguments: Any) -> Any:
            nonlocal failures
            if failures:
                failures -= 1
                raise KeyError("a bug")
            return await pending(*arguments)

        monkeypatch.setattr(app._journal, "pending", broken_twice)
        assert app._outbox is not None
        app._outbox.wake(LANE)
        one.say("m1")
        one.say("m2")
        await eventually(lambda: two.texts() == ["m0", "m1", "m2"])
        await all_done(app)
        assert not app._outbox._failures


# -- refused records --------------------------------------------------------------------------------------------------------


async def test_a_part_whose_receipt_met_a_bug_is_not_sent_again(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later part is refused, and an admin has the letter sent again."""
    two.text_length = 40
    two.faults.extend([None, None, (Rejected("too ugly"), False)])
    words = " ".join(f"w{number}" for number in range(30))
    async with bridge(tmp_path, [one, two]) as app:
        record, failures = app._journal.record, 1

        async def broken_once(lease: Lease, changes: Sequence[Change], *, has_time: bool = False) -> None:
            nonlocal failures
            if failures and any(isinstance(change, PartReceipt) and change.part == 1 for change in changes):
                failures -= 1
                raise KeyError("a bug")
            await record(lease, changes, has_time=has_time)

        monkeypatch.setattr(app._journal, "record", broken_once)
        long = one.say(words)
        (letter,) = await eventually_asked(app._journal.dead_letters)
        await app._journal.retry_dead([letter.delivery_id])
        assert app._outbox is not None
        app._outbox.wake(LANE)
        await eventually(lambda: " ".join(two.texts()).split() == words.split(), f"{two.texts()}")
        one.delete(long)
        await eventually(lambda: two.texts() == [])
        await all_done(app)
    assert not failures


@pytest.mark.parametrize("kind", [Delivered, AttemptStarted])
async def test_one_refused_record_doubles_and_loses_nothing(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, kind: type[Delivered | AttemptStarted]
) -> None:
    journal = Refusing(tmp_path / "bridge.journal")
    async with bridge(tmp_path, [one, two], journal=journal) as app:
        await eventually(lambda: app.account_states()["two"].state is AccountState.UP)
        two.hang = asyncio.Event()
        for text in said(30):
            one.say(text)
        await eventually(lambda: len(one.confirmed) == 30)
        journal.refused, journal.times = lambda change: isinstance(change, kind) and change.delivery_id == 7, 2
        two.hang.set()
        await eventually(lambda: len(two.texts()) >= 30)
        one.say("end")
        await eventually(lambda: "end" in two.texts())
    assert journal.refusals
    async with bridge(tmp_path, [one, two]) as app:  # what was not recorded is asked for after the restart
        await all_done(app)
        assert not await app._journal.dead_letters()
    assert two.texts() == [*said(30), "end"]
