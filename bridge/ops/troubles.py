"""What is wrong now, by subject, as the accounts' supervisors, their chats and the disks have it. Reads; decides what needs a
human."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.accounts import disk
from bridge.accounts.health import LONG, Condition, HealthReport, Status, retry_now
from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.model.refs import AccountName, ChatAddress
from bridge.ops.telling import Other, State, Trouble


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for an account or a chat: until when nothing is tried, since when the oldest waits, and why, as far as known."""

    until: datetime | None = None
    since: datetime | None = None
    why: str = ""


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
    waits: Mapping[str, Waiting],
) -> dict[str, State]:
    """`ends`: the chats of each account that matter. `away_s`: how long an account has not been up; for `patience_s` that is no
    trouble. `waits`: by the name of the account or chat."""
    found: dict[str, State] = {}
    for name, supervisor in supervisors.items():
        found[account_subject(name)] = _account(supervisor, report.condition(name), away_s.get(name, 0.0) > patience_s)
        found[sending_subject(name)] = _sending(name, waits, now)
        found.update(_sending_into(supervisor, report, ends.get(name, []), waits, now))
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


def _sending_into(
    supervisor: AccountSupervisor, report: HealthReport, ends: list[ChatAddress], waits: Mapping[str, Waiting], now: datetime
) -> Iterator[tuple[str, State]]:
    """What is told of the account or of the chat itself says more."""
    for end in ends:
        condition = report.trouble_of(end)
        is_told = condition is not None and isinstance(_of(condition), Trouble)
        if supervisor.health.state is not AccountState.UP or is_told:
            yield sending_subject(end), Other.UNDECIDED
        else:
            yield sending_subject(end), _sending(end, waits, now)


def _sending(where: AccountName | ChatAddress, waits: Mapping[str, Waiting], now: datetime) -> State:
    wait = waits.get(str(where), Waiting())
    why = f": {wait.why}" if wait.why else ""
    if wait.until is not None and wait.until - now > LONG:
        return Trouble(f"what waits is tried again at {wait.until:%Y-%m-%d %H:%M} UTC{why}", retry_now(str(where)))
    if wait.since is not None and wait.why and now - wait.since > LONG:
        return Trouble(f"messages wait since {wait.since:%Y-%m-%d %H:%M} UTC{why}", retry_now(str(where)))
    return Other.WELL


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
