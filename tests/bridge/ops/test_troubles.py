"""What is wrong with sending into a chat: a wait that is long, or has been; said once, where nothing else says more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.accounts.health import Condition, Status
from bridge.accounts.state import AccountState, Health
from bridge.model.refs import AccountName, ChatAddress
from bridge.ops.telling import Other, Trouble
from bridge.ops.troubles import Waiting, states

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TG = AccountName("tg")
CHAT = ChatAddress(TG, "-100123")


def sending(wait: Waiting, *, state: AccountState = AccountState.UP, trouble: Condition | None = None) -> Any:
    supervisor: Any = SimpleNamespace(account=TG, health=Health(state, NOW - timedelta(hours=3)))
    report: Any = SimpleNamespace(condition=lambda _: Condition(Status.PASS), trouble_of=lambda _: trouble)
    found = states({TG: supervisor}, report, {TG: [CHAT]}, {}, away_s={}, now=NOW, patience_s=300, waits={str(CHAT): wait})
    return found["sending into tg/-100123"]


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def test_a_long_wait_names_its_end_why_and_what_to_do() -> None:
    told = sending(Waiting(until=NOW + minutes(90), since=NOW, why="Too Many Requests"))
    assert told.reason == "what waits is tried again at 2026-11-27 13:30 UTC: Too Many Requests"
    assert told.action == "wait, or try now: messenger-bridge retry-now tg/-100123"
    assert sending(Waiting(until=NOW + minutes(90)), trouble=Condition(Status.WARN, "asked to wait")) == Trouble(
        "what waits is tried again at 2026-11-27 13:30 UTC", "wait, or try now: messenger-bridge retry-now tg/-100123"
    )


def test_what_fails_again_and_again_for_long_names_since_when() -> None:
    told = sending(Waiting(until=NOW + minutes(1), since=NOW - minutes(20), why="502 Bad Gateway"))
    assert isinstance(told, Trouble)
    assert told.reason == "messages wait since 2026-11-27 11:40 UTC: 502 Bad Gateway"


@pytest.mark.parametrize(
    "wait",
    [
        Waiting(until=NOW + minutes(5), since=NOW, why="Too Many Requests"),
        Waiting(until=None, since=NOW - minutes(50), why=""),
        Waiting(),
    ],
)
def test_short_waits_and_backlogs_that_move_are_nothing(wait: Waiting) -> None:
    assert sending(wait) is Other.WELL


def test_what_is_told_of_the_account_or_chat_is_not_said_twice() -> None:
    wait = Waiting(until=None, since=NOW - minutes(20), why="the bot was removed")
    assert sending(wait, state=AccountState.PARKED) is Other.UNDECIDED
    assert sending(wait, trouble=Condition(Status.FAIL, "removed", "add the bot")) is Other.UNDECIDED
