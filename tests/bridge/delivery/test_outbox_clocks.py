"""The host's clock is wrong, or is set: waits, giving up and forgetting go by the time that passed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.app import App
from bridge.model.clock import SystemClock
from bridge.model.errors import RetryLater, Scope
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.retry import Policy
from tests.support.deliveries import readable
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, all_done, bridge


class SetClock(SystemClock):
    """The system's clock, wrong by `off`."""

    def __init__(self, off: timedelta = timedelta()) -> None:
        self.off = off

    def now(self) -> datetime:
        return super().now() + self.off


LANE = ChatAddress(AccountName("two"), "c")
FAR = [timedelta(days=365), timedelta(days=-365), timedelta(hours=3), timedelta(hours=-3), timedelta(days=20_000)]


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


@pytest.mark.parametrize("off", FAR, ids=str)
@pytest.mark.parametrize("scope", [None, Scope.CHAT, Scope.ACCOUNT])
async def test_a_clock_that_was_wrong_before_a_restart_makes_no_wait_longer(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, off: timedelta, scope: Scope | None
) -> None:
    two.faults.append((RetryLater("busy", after_s=2.0, rate_limited=scope is not None, scope=scope or Scope.CHAT), False))
    app = bridge(tmp_path, [one, two], clock=SetClock(off))
    await app.start()
    one.say("m1")
    await eventually(lambda: two.sends == 1)
    one.say("m2")
    await eventually(lambda: len(one.confirmed) == 2)
    await eventually_asked(lambda: app._journal.pending(LANE, 0, 1), holds=lambda waiting: readable(waiting)[0].not_before)
    await app.stop(drain_s=0)
    async with bridge(tmp_path, [one, two], clock=SetClock()) as app:
        one.say("m3")
        await eventually(lambda: "m3" in "\n".join(two.texts()))
        await all_done(app)
    assert "\n".join(two.texts()).splitlines() == ["m1", "m2", "m3"]


@pytest.mark.parametrize("off", FAR, ids=str)
async def test_a_clock_that_is_set_during_an_outage_gives_nothing_up(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, off: timedelta
) -> None:
    clock = SetClock()
    two.faults.extend([(RetryLater("busy"), False)] * 15)
    async with bridge(tmp_path, [one, two], clock=clock, policy=Policy(base_s=0.05, cap_s=0.2, floor_s=0.01)) as app:
        one.say("m1")
        one.say("m2")
        await eventually(lambda: two.sends >= 3)
        clock.off = off
        await all_done(app)
        assert not await app._journal.dead_letters()
    assert "\n".join(two.texts()).splitlines() == ["m1", "m2"]


@pytest.mark.parametrize("off", FAR, ids=str)
async def test_a_clock_that_is_set_during_a_wait_leaves_it_as_long_as_it_is(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, off: timedelta
) -> None:
    clock = SetClock()
    two.faults.append((RetryLater("busy", after_s=1.0), False))
    async with bridge(tmp_path, [one, two], clock=clock) as app:
        one.say("m1")
        await eventually(lambda: two.sends == 1)
        clock.off = off
        await eventually(lambda: two.texts() == ["m1"])
        await all_done(app)


async def cleaned_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's clean-up began and ended."""
    ended, prune = 0, app._journal.prune

    async def noted(**arguments: Any) -> int:
        nonlocal ended
        count = await prune(**arguments)
        ended += 1
        return count

    with monkeypatch.context() as patched:
        patched.setattr(app._journal, "prune", noted)
        await eventually(lambda: ended >= 2)


@pytest.mark.parametrize("off", [timedelta(days=100), timedelta(days=20_000)], ids=str)
async def test_a_clock_that_is_far_ahead_for_a_while_forgets_nothing(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, off: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine resumed from a snapshot, a clock without a battery, and then NTP."""
    monkeypatch.setattr("bridge.journal.maintenance.INTERVAL_S", 0.05)
    clock = SetClock()
    async with bridge(tmp_path, [one, two], clock=clock) as app:
        hello = one.say("hello", number=1)
        await eventually(lambda: two.texts() == ["hello"])
        clock.off = off
        await cleaned_once(app, monkeypatch)
        clock.off = timedelta()
        one.edit(hello, "hello!")
        one.say("hello", number=1)  # redelivered
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await all_done(app)
    assert two.texts() == ["hello!", "end"]


@pytest.mark.parametrize("off", [timedelta(days=-100), timedelta(days=-9_000)], ids=str)
async def test_what_comes_while_the_clock_is_far_behind_is_not_forgotten_at_once(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, off: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that has lost its battery, until NTP sets it."""
    monkeypatch.setattr("bridge.journal.maintenance.INTERVAL_S", 0.05)
    async with bridge(tmp_path, [one, two], clock=SetClock()) as app:
        one.say("before")
        await eventually(lambda: two.texts() == ["before"])
        await cleaned_once(app, monkeypatch)
    clock = SetClock(off)
    async with bridge(tmp_path, [one, two], clock=clock) as app:
        hello = one.say("hello", number=7)
        await eventually(lambda: "hello" in two.texts())
        await cleaned_once(app, monkeypatch)
        clock.off = timedelta()
        await cleaned_once(app, monkeypatch)
        one.edit(hello, "hello!")
        one.say("hello", number=7)  # redelivered
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await all_done(app)
    assert two.texts() == ["before", "hello!", "end"]


async def test_a_clock_that_is_far_ahead_after_a_short_first_run_forgets_nothing(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bridge(tmp_path, [one, two], clock=SetClock()):  # ends before the first clean-up
        hello = one.say("hello", number=7)
        await eventually(lambda: two.texts() == ["hello"])
    monkeypatch.setattr("bridge.journal.maintenance.INTERVAL_S", 0.05)
    async with bridge(tmp_path, [one, two], clock=SetClock(timedelta(days=200))) as app:
        await cleaned_once(app, monkeypatch)
        one.edit(hello, "hello!")
        one.say("hello", number=7)  # redelivered
        one.say("end")
        await eventually(lambda: "end" in two.texts())
        await all_done(app)
    assert two.texts() == ["hello!", "end"]
