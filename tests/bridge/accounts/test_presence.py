"""A bot's own status says how the bridge is: when it is set, in which words, and how often at the most."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bridge.accounts.health import HealthReport, Status
from bridge.accounts.presence import Presence, PresencePace, words
from bridge.accounts.state import AccountState, Health
from bridge.accounts.supervisor import AccountSupervisor
from bridge.model.errors import OutcomeUnknown, Rejected, RetryLater
from bridge.model.refs import AccountName
from tests.support.clock import ManualClock

SPIRIT, OTHER = AccountName("spirit"), AccountName("other")
PACE = PresencePace(settled_s=10, between_s=30)
ONLINE, AWAY, BUSY = ("online", "relaying"), ("away", "connecting: other"), ("busy", "not relaying: other")


class Bot:
    """An adapter that can set its status, or cannot now."""

    def __init__(self) -> None:
        self.set: list[tuple[str, str]] = []
        self.refuses: Exception | None = None

    async def set_status(self, status: str, text: str) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.set.append((status, text))


class Supervisor:
    """What `Presence` looks at of one."""

    account = SPIRIT
    is_built = True
    shows_health = True

    def __init__(self, adapter: object) -> None:
        self.adapter = adapter
        self.health = Health(AccountState.UP, datetime.now(UTC))

    async def call(self, work: Any) -> Any:
        return await work


@dataclass
class Report:
    """What `Presence` asks of a health report."""

    states: dict[AccountName, Status]

    def accounts(self) -> dict[AccountName, Status]:
        return self.states


class Bridge:
    """One account that shows how all of them are."""

    def __init__(self, bot: object | None = None) -> None:
        self.clock = ManualClock()
        self.bot = Bot()
        self.supervisor = Supervisor(bot or self.bot)
        self.accounts: dict[AccountName, Status] = {SPIRIT: Status.PASS, OTHER: Status.PASS}
        self.presence = Presence(
            lambda: {SPIRIT: cast(AccountSupervisor, self.supervisor)},
            lambda: cast(HealthReport, Report(self.accounts)),
            self.clock,
            PACE,
        )

    async def look(self, *, after_s: float = 0.0) -> list[tuple[str, str]]:
        self.clock.forward(after_s)
        await self.presence.look()
        return self.bot.set


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


async def test_it_is_set_at_once_and_then_when_it_changes(bridge: Bridge) -> None:
    assert await bridge.look() == [ONLINE]
    assert await bridge.look(after_s=3600) == [ONLINE]
    bridge.accounts[OTHER] = Status.FAIL
    await bridge.look(after_s=1)
    assert await bridge.look(after_s=11) == [ONLINE, BUSY]


async def test_what_does_not_last_is_not_shown(bridge: Bridge) -> None:
    await bridge.look()
    await bridge.look(after_s=100)
    bridge.accounts[OTHER] = Status.WARN
    await bridge.look(after_s=1)
    await bridge.look(after_s=5)
    bridge.accounts[OTHER] = Status.PASS
    assert await bridge.look(after_s=20) == [ONLINE]


async def test_calls_are_bounded_whatever_happens(bridge: Bridge) -> None:
    """An account that comes and goes for an hour."""
    for number in range(1800):
        bridge.accounts[OTHER] = Status.WARN if number // 6 % 2 else Status.PASS
        await bridge.look(after_s=2)
    assert len(bridge.bot.set) <= 3600 / PACE.between_s + 1


async def test_a_refusal_is_tried_again_later(bridge: Bridge) -> None:
    bridge.bot.refuses = RetryLater("not now", after_s=5)
    assert await bridge.look() == []
    bridge.bot.refuses = None
    assert await bridge.look(after_s=5) == []
    assert await bridge.look(after_s=30) == [ONLINE]


async def test_a_new_connection_is_told_anew(bridge: Bridge) -> None:
    await bridge.look()
    bridge.supervisor.adapter = bridge.bot = Bot()
    assert await bridge.look(after_s=2) == [ONLINE]


async def test_only_who_asks_for_it_and_is_there(bridge: Bridge) -> None:
    bridge.supervisor.health = Health(AccountState.PARKED, datetime.now(UTC))
    assert await bridge.look() == []
    bridge.supervisor.health = Health(AccountState.UP, datetime.now(UTC))
    bridge.supervisor.shows_health = False
    assert await bridge.look() == []


async def test_at_the_end_who_shows_a_status_is_offline(bridge: Bridge) -> None:
    await bridge.presence.off()
    assert bridge.bot.set == []
    await bridge.look()
    await bridge.presence.off()
    assert bridge.bot.set == [ONLINE, ("offline", "")]


@pytest.mark.parametrize(
    ("failure", "told"),
    [(TimeoutError(), True), (OutcomeUnknown("slow"), True), (RetryLater("away"), True), (Rejected("not allowed"), False)],
)
async def test_a_status_that_may_have_been_taken_is_taken_back_at_the_end(bridge: Bridge, failure: Exception, told: bool) -> None:
    bridge.bot.refuses = failure
    await bridge.look()
    bridge.bot.refuses = None
    await bridge.presence.off()
    assert bridge.bot.set == ([("offline", "")] if told else [])


async def test_a_later_refusal_does_not_hide_what_is_shown(bridge: Bridge) -> None:
    await bridge.look()
    bridge.bot.refuses, bridge.accounts[OTHER] = Rejected("not now"), Status.WARN
    await bridge.look(after_s=31)
    await bridge.look(after_s=31)
    bridge.bot.refuses = None
    await bridge.presence.off()
    assert bridge.bot.set == [ONLINE, ("offline", "")]


async def test_a_server_that_flaps_sees_the_last_state_and_no_storm(bridge: Bridge) -> None:
    """An account comes and goes every second for ten minutes."""
    await bridge.look()
    for second in range(600):
        bridge.accounts[OTHER] = Status.WARN if second % 2 else Status.PASS
        await bridge.look(after_s=1)
    assert bridge.bot.set == [ONLINE]
    bridge.accounts[OTHER] = Status.FAIL
    for _ in range(60):
        await bridge.look(after_s=1)
    assert bridge.bot.set == [ONLINE, BUSY]


async def test_an_end_does_not_wait_for_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Bot):
        async def set_status(self, status: str, text: str) -> None:
            if status == "offline":
                await asyncio.Event().wait()

    monkeypatch.setattr("bridge.accounts.presence._LAST_CALL_S", 0.01)
    bridge = Bridge(Silent())
    await bridge.look()
    await bridge.presence.off()


def test_the_words_name_accounts_and_are_short() -> None:
    assert words({SPIRIT: Status.PASS}) == ("online", "relaying")
    assert words({SPIRIT: Status.PASS, OTHER: Status.WARN}) == AWAY
    assert words({SPIRIT: Status.WARN, OTHER: Status.FAIL}) == BUSY
    many = {AccountName(f"a{number}"): Status.FAIL for number in range(6)}
    assert words(many) == ("busy", "not relaying: a0, a1, a2 and 3 more")
