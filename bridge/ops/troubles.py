"""What is wrong now, by subject, as the accounts' supervisors, their chats and the disks have it. Reads; decides what needs a
human."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from bridge.accounts import disk
from bridge.accounts.health import LONG, Condition, HealthReport, Status, retry_now
from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.model.refs import AccountName, ChatAddress
from bridge.ops.telling import Other, State, Trouble

SETTLED_S = 150.0
"""An account that is up for so long has had its chats looked at once: an end in which nothing was found then is well."""


def states(
    supervisors: Mapping[AccountName, AccountSupervisor],
    report: HealthReport,
    ends: Mapping[AccountName, list[ChatAddress]],
    disks: Mapping[str, disk.Room],
    *,
    away_s: Mapping[AccountName, float],
    now: datetime,
    patience_s: float,
    waits: Mapping[str, datetime],
) -> dict[str, State]:
    """`ends`: the chats of each account that matter. `away_s`: how long an account has not been up; for `patience_s` that is no
    trouble. `waits`: until when an account or a chat is held back, by its name."""
    found: dict[str, State] = {}
    for name, supervisor in supervisors.items():
        found[account_subject(name)] = _account(supervisor, report.condition(name), away_s.get(name, 0.0) > patience_s)
        found[sending_subject(name)] = _held_back(str(name), waits, now)
        found.update((sending_subject(end), _held_back(str(end), waits, now)) for end in ends.get(name, []))
        found.update(_ends(supervisor, report, ends.get(name, []), now))
    for folder, room in disks.items():
        found[f"the disk of the {folder}"] = _of(disk.condition(room))
    return found


def account_subject(account: AccountName) -> str:
    return f"account {account}"


def end_subject(end: ChatAddress) -> str:
    return f"chat {end}"


def sending_subject(where: AccountName | ChatAddress) -> str:
    return f"sending into {where}"


def _held_back(where: str, waits: Mapping[str, datetime], now: datetime) -> State:
    until = waits.get(where)
    if until is None or until - now <= LONG:
        return Other.WELL
    reason = f"what waits is tried again at {until:%Y-%m-%d %H:%M} UTC, as the platform asked"
    return Trouble(reason, retry_now(where))


def _account(supervisor: AccountSupervisor, condition: Condition, is_long: bool) -> State:
    health = supervisor.health
    if condition.status is Status.FAIL and health.state is not AccountState.STOPPED:
        return Trouble(condition.reason, condition.action, is_grave=True)
    if health.state is AccountState.UP:
        return _of(condition)
    if is_long and health.state is not AccountState.STOPPED:
        return Trouble(f"not connected for long: {health.reason}" if health.reason else "not connected for long", health.action)
    return Other.UNDECIDED


def _ends(
    supervisor: AccountSupervisor, report: HealthReport, ends: list[ChatAddress], now: datetime
) -> Iterator[tuple[str, State]]:
    """While its account is away nobody knows how a chat is."""
    up = supervisor.health.state is AccountState.UP
    settled = up and now - supervisor.health.since > timedelta(seconds=SETTLED_S)
    for end in ends:
        condition = report.trouble_of(end)
        if condition is not None:
            yield end_subject(end), _of(condition) if up else Other.UNDECIDED
        else:
            yield end_subject(end), Other.WELL if settled else Other.UNDECIDED


def _of(condition: Condition) -> State:
    """What recovers by itself needs nobody: a `warn` without an action."""
    if condition.status is Status.FAIL or (condition.status is Status.WARN and condition.action):
        return Trouble(condition.reason, condition.action, is_grave=condition.status is Status.FAIL)
    return Other.WELL
