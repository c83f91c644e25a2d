"""retry-now, beside a running bridge: a wait of hours ends within seconds, for a chat, for an account, for one that is down."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.accounts.back_off import BackOff
from bridge.accounts.state import AccountState
from bridge.app import App
from bridge.cli.retry_now import _wish
from bridge.journal.sqlite import SqliteJournal
from bridge.model.errors import AccountDown, ChatDown, RetryLater, Scope
from bridge.model.refs import AccountName
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, bridge

TWO = AccountName("two")


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


async def wish(folder: Path, chat: str) -> tuple[list[str], int]:
    """As the command does it, in another process."""
    journal = SqliteJournal(folder / "bridge.journal", exclusive=False)
    await journal.open()
    try:
        lanes, count = await _wish(journal, TWO, chat)
        return list(map(str, lanes)), count
    finally:
        await journal.close()


async def until_reason(app: App, reason: str) -> None:
    await eventually_asked(app.report, holds=lambda report: [lane["reason"] for lane in report["lanes"]] == [reason])


@pytest.mark.parametrize("chat", ["c", ""])
@pytest.mark.parametrize(
    "error",
    [
        RetryLater("asked to wait", after_s=20_000.0, rate_limited=True),
        RetryLater("asked to wait", after_s=20_000.0, rate_limited=True, scope=Scope.ACCOUNT),
        RetryLater("asked to wait", after_s=20_000.0),
        ChatDown("asked to wait", action="mend it"),
    ],
    ids=["chat told to wait", "account told to wait", "chat in trouble", "kicked"],
)
async def test_a_long_wait_ends_when_a_human_says_so(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, error: Exception, chat: str
) -> None:
    two.faults.append((error, False))
    async with bridge(tmp_path, [one, two]) as app:
        one.say("m1")
        one.say("m2")
        await eventually(lambda: two.sends == 1)
        await until_reason(app, "asked to wait")
        assert await wish(tmp_path, chat) == (["two/c"], 2)
        await eventually(lambda: "\n".join(two.texts()) == "m1\nm2", what="both, in one message or two")
        assert not await app._journal.take_hurried(), "a wish is carried out once"


async def test_it_counts_at_the_next_start_too(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.faults.append((RetryLater("asked to wait", after_s=20_000.0, rate_limited=True, scope=Scope.ACCOUNT), False))
    async with bridge(tmp_path, [one, two]) as app:
        one.say("m1")
        await eventually(lambda: two.sends == 1)
        await until_reason(app, "asked to wait")
        await app.stop(drain_s=0)
    assert await wish(tmp_path, "c") == (["two/c"], 1)
    async with bridge(tmp_path, [one, two]):
        await eventually(lambda: two.texts() == ["m1"])


async def test_an_account_that_is_down_connects_at_once(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    two.run_errors.append(AccountDown("wrong token", action="make a new one"))
    back_off = BackOff(parked_first_s=20_000.0, parked_most_s=20_000.0)
    async with bridge(tmp_path, [one, two], back_off=back_off) as app:
        await eventually(lambda: app.account_states()["two"].state is AccountState.PARKED)
        one.say("m1")
        await wish(tmp_path, "")
        await eventually(lambda: two.texts() == ["m1"])
        assert app.account_states()["two"].state is AccountState.UP


async def test_a_chat_in_which_nothing_waits(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    async with bridge(tmp_path, [one, two]):
        one.say("m1")
        await eventually(lambda: two.texts() == ["m1"])
        assert await wish(tmp_path, "nowhere") == ([], 0)
