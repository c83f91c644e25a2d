"""The health report of a running bridge, for `/health`, `/ready`, metrics and the status line: accounts, ends of routes, lanes.

`pass`: as it should be. `warn`: recovers by itself, or loses nothing yet. `fail`: a human must act, or messages are not relayed.
Reads what supervisors and the journal know; decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bridge.accounts.state import AccountState
from bridge.accounts.supervisor import AccountSupervisor
from bridge.journal.contract import Figures, LaneFigures
from bridge.model.clock import Clock
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.policy.routing import Route, RouteEnd, RoutingTable

_MOST_ROUTES = 500
"""How many are shown at most; those with problems first."""
LONG = timedelta(minutes=10)
"""A lane that waits longer, or has something older, is a `warn`."""


class Status(StrEnum):
    PASS = "pass"  # noqa: S105 - a word
    WARN = "warn"
    FAIL = "fail"


_ORDER = {Status.PASS: 0, Status.WARN: 1, Status.FAIL: 2}
_BY_STATE = {
    AccountState.UP: Status.PASS,
    AccountState.STARTING: Status.WARN,
    AccountState.CONNECTING: Status.WARN,
    AccountState.BACKOFF: Status.WARN,
    AccountState.PARKED: Status.FAIL,
    AccountState.STOPPED: Status.FAIL,
}


def worst(statuses: Iterable[Status]) -> Status:
    return max(statuses, key=_ORDER.__getitem__, default=Status.PASS)


@dataclass(frozen=True, slots=True)
class Condition:
    """The status of something, why, and what a human should do."""

    status: Status
    reason: str = ""
    action: str = ""
    is_deaf: bool = False
    """Of an end: messages from there are not received, and messages to it arrive."""

    def data(self) -> dict[str, str]:
        return {"status": self.status.value, "reason": self.reason, "action": self.action}


_WELL = Condition(Status.PASS)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The part that metrics show."""

    ok: bool
    up: Mapping[str, bool]
    heard_s: Mapping[str, float]
    """Per account with a heartbeat: seconds since its platform was last heard."""
    routes: Iterable[tuple[str, Mapping[str, int]]]
    """Per route: the number of its ends by status."""


class HealthReport:
    """`deaf_after_s` is the account's `Platform.deaf_after_s`."""

    def __init__(
        self,
        supervisors: Mapping[AccountName, AccountSupervisor],
        table: RoutingTable,
        deaf_after_s: Callable[[AccountName], float | None],
        clock: Clock,
    ) -> None:
        self._supervisors = supervisors
        self._table = table
        self._deaf_after_s = deaf_after_s
        self._clock = clock
        self._accounts = {name: self._account(supervisor) for name, supervisor in supervisors.items()}
        self._seen = {address for supervisor in supervisors.values() for address in supervisor.seen_faults}
        self._troubled = dict(self._faults())
        """Ends whose own chat has a problem."""
        self._routes: dict[str, tuple[Status, list[Condition]]] = {}
        """What was found out already: a report asks several times."""

    # -- accounts -----------------------------------------------------------------------------------------------------------

    def _account(self, supervisor: AccountSupervisor) -> Condition:
        health = supervisor.health
        status = _BY_STATE[health.state]
        if status is not Status.PASS:
            return Condition(status, health.reason or f"the account is {health.state.value}", health.action)
        silent_s, deaf_after_s = self.silent_s(supervisor), self._deaf_after_s(supervisor.account)
        if silent_s is not None and deaf_after_s is not None and silent_s > deaf_after_s:
            reason = f"nothing was heard from the platform for {silent_s:.0f} s, although the connection seems to be open"
            return Condition(Status.FAIL, reason, "check whether the platform works; if it does, restart the bridge")
        notice = supervisor.notices.get("")
        return Condition(Status.WARN, *notice) if notice else _WELL

    def accounts(self) -> dict[AccountName, Status]:
        """How each account is."""
        return {name: condition.status for name, condition in self._accounts.items()}

    def condition(self, account: AccountName) -> Condition:
        return self._accounts.get(account, _WELL)

    def trouble_of(self, end: ChatAddress) -> Condition | None:
        """What is wrong with a chat itself, whatever its account is like."""
        return self._troubled.get(end)

    def silent_s(self, supervisor: AccountSupervisor) -> float | None:
        """None: the account has no heartbeat, or was never connected."""
        if supervisor.alive_at_s is None or self._deaf_after_s(supervisor.account) is None:
            return None
        return max(0.0, self._clock.monotonic_s() - supervisor.alive_at_s)

    def account_data(self, supervisor: AccountSupervisor) -> dict[str, Any]:
        health, condition, silent_s = supervisor.health, self._accounts[supervisor.account], self.silent_s(supervisor)
        paused_s = supervisor.opens_in_s
        due = self._clock.now() + timedelta(seconds=paused_s) if 0 < paused_s < float("inf") else None
        return {
            "status": condition.status.value,
            "state": health.state.value,
            "since": health.since.isoformat(),
            "reason": health.reason or condition.reason,
            "action": health.action or condition.action,
            "last_heard_s": None if silent_s is None else round(silent_s, 1),
            "deaf_after_s": self._deaf_after_s(supervisor.account),
            "waits_until": due.isoformat() if due else None,
            "ends": {
                str(address): {"reason": fault.reason, "action": getattr(fault, "action", "")}
                for address, fault in (supervisor.chat_faults | supervisor.end_faults).items()
            },
            "notices": {chat: {"reason": reason, "action": action} for chat, (reason, action) in supervisor.notices.items()},
        }

    # -- ends and routes ----------------------------------------------------------------------------------------------------

    def _faults(self) -> Iterator[tuple[ChatAddress, Condition]]:
        for name, supervisor in self._supervisors.items():
            for chat_id, notice in supervisor.notices.items():
                for address in self._table.addresses_of(ChatRef(name, chat_id)) if chat_id else ():
                    yield address, Condition(Status.WARN, *notice)
            for address, seen in supervisor.seen_faults.items():
                status = Status.FAIL if seen.dead or seen.deaf else Status.WARN
                yield address, Condition(status, seen.reason, seen.action, is_deaf=seen.deaf and not seen.dead)
            for address, fault in (supervisor.chat_faults | supervisor.end_faults).items():
                action = getattr(fault, "action", "")
                yield address, Condition(Status.FAIL if action else Status.WARN, fault.reason, action)

    def end(self, end: RouteEnd) -> Condition:
        """The worse of its account's and its chat's status."""
        account = self._accounts.get(end.chat.account, _WELL)
        own = self._troubled.get(end.chat, _WELL)
        if _ORDER[own.status] >= _ORDER[account.status]:
            return own
        return Condition(account.status, f"account {end.chat.account}: {account.reason}", account.action)

    def route(self, route: Route) -> tuple[Status, list[Condition]]:
        """`fail` if nothing can be relayed on it, `warn` if something cannot."""
        if route.name not in self._routes:
            self._routes[route.name] = self._of_route(route)
        return self._routes[route.name]

    def _of_route(self, route: Route) -> tuple[Status, list[Condition]]:
        ends = [self.end(end) for end in route.ends]
        works = [condition.status is not Status.FAIL for condition in ends]
        takes = [condition.status is not Status.FAIL or condition.is_deaf for condition in ends]
        if all(condition.status is Status.FAIL or end.chat in self._seen for condition, end in zip(ends, route.ends, strict=True)):
            return Status.FAIL, ends  # something is wrong with every one of them
        relays = any(
            works[i] and takes[j] and origin.sends and target.receives
            for i, origin in enumerate(route.ends)
            for j, target in enumerate(route.ends)
            if i != j
        )
        return (worst(one.status for one in ends) if relays and all(works) else Status.WARN if relays else Status.FAIL), ends

    def _routes_in_trouble(self) -> Iterator[Route]:
        accounts = {name for name, condition in self._accounts.items() if condition.status is not Status.PASS}
        if not accounts and not self._troubled:
            return
        for route in self._table.routes:
            if any(end.chat.account in accounts or end.chat in self._troubled for end in route.ends):
                yield route

    def routes_data(self) -> dict[str, Any]:
        """All routes if there are few; otherwise those with problems, up to the bound."""
        total = len(self._table.routes)
        troubled = list(self._routes_in_trouble())
        shown = list(self._table.routes) if total <= _MOST_ROUTES else troubled[:_MOST_ROUTES]
        counts = Counter(self.route(route)[0] for route in troubled)
        counts[Status.PASS] += total - len(troubled)
        return {
            "counts": {status.value: counts[status] for status in Status},
            "list": [self._route_data(route) for route in shown],
        }

    def _route_data(self, route: Route) -> dict[str, Any]:
        status, ends = self.route(route)
        return {
            "name": route.name,
            "status": status.value,
            "ends": [
                {"end": str(end), "chat": str(end.chat), **condition.data()}
                for end, condition in zip(route.ends, ends, strict=True)
            ],
        }

    # -- lanes --------------------------------------------------------------------------------------------------------------

    def lane_data(self, lane: LaneFigures) -> dict[str, Any]:
        """The deliveries that wait for one chat: since when, until when, and why."""
        now = self._clock.now()
        condition = self._troubled.get(lane.target, _WELL)
        if condition is _WELL or condition.is_deaf:
            condition = self._accounts.get(lane.target.account, _WELL)
        due = lane.next_attempt_at if lane.next_attempt_at is not None and lane.next_attempt_at > now else None
        late = lane.oldest_accepted_at is not None and now - lane.oldest_accepted_at > LONG
        long = late or (due is not None and due - now > LONG)
        return {
            "target": str(lane.target),
            "status": worst([Status.WARN if long else Status.PASS, condition.status]).value,
            "waiting": lane.waiting,
            "oldest": _iso(lane.oldest_accepted_at),
            "next_attempt_at": _iso(due),
            "attempts": lane.attempts,
            "reason": lane.last_error or condition.reason or self._hold(lane.target),
            "action": condition.action or (retry_now(str(lane.target)) if due is not None and due - now > LONG else ""),
        }

    def _hold(self, target: ChatAddress) -> str:
        holds = [end.options.hold_s for route in self._table.routes for end in route.ends if end.chat == target]
        longest_s = max((hold_s for hold_s in holds if hold_s is not None), default=None)
        return "" if longest_s is None else f"new messages are held for {longest_s:g} s there (hold_s in bridge.yaml)"

    # -- the whole ----------------------------------------------------------------------------------------------------------

    @property
    def ok(self) -> bool:
        """Whether everything is relayed: every account up and heard, no end dead."""
        up = all(self._is_up(supervisor) for supervisor in self._supervisors.values())
        dead = any(condition.status is Status.FAIL for condition in self._troubled.values())
        return up and not dead and not (self._seen and any(self.route(one)[0] is Status.FAIL for one in self._routes_in_trouble()))

    def _is_up(self, supervisor: AccountSupervisor) -> bool:
        return supervisor.health.state is AccountState.UP and self._accounts[supervisor.account].status is not Status.FAIL

    def data(self, figures: Figures) -> dict[str, Any]:
        lanes = [self.lane_data(lane) for lane in figures.lanes]
        letters = [Status.WARN] if figures.dead else []
        return {
            "ok": self.ok,
            "status": worst(
                [
                    *(condition.status for condition in self._accounts.values()),
                    *(condition.status for condition in self._troubled.values()),
                    *(Status(lane["status"]) for lane in lanes),
                    *([] if self.ok else [Status.WARN if self._only_waits() else Status.FAIL]),
                    *letters,
                ]
            ).value,
            "accounts": {name: self.account_data(supervisor) for name, supervisor in self._supervisors.items()},
            "routes": self.routes_data(),
            "journal": {
                "events": figures.events,
                "dead": figures.dead,
                "undecodable": figures.undecodable,
                "size_bytes": figures.size_bytes,
            },
            "lanes": lanes,
            "to_do": self.to_do(figures),
        }

    def _only_waits(self) -> bool:
        """Whether the only problem is that accounts are still, or again, connecting."""
        well = all(condition.status is not Status.FAIL for condition in (*self._accounts.values(), *self._troubled.values()))
        return well and not any(self.route(one)[0] is Status.FAIL for one in self._routes_in_trouble())

    def to_do(self, figures: Figures) -> list[str]:
        """What a human should do, one line each."""
        found: dict[str, None] = {}
        for name, account in self._accounts.items():
            if account.action:
                found[f"{name}: {account.reason} - {account.action}"] = None
        for address, chat in self._troubled.items():
            if chat.action:
                found[f"{address}: {chat.reason} - {chat.action}"] = None
        if figures.dead:
            found[f"{figures.dead} dead letter{'s' * (figures.dead != 1)} - messenger-bridge dead list"] = None
        return list(found)[:_MOST_ROUTES]

    def snapshot(self) -> Snapshot:
        heard = ((name, self.silent_s(supervisor)) for name, supervisor in self._supervisors.items())
        return Snapshot(
            ok=self.ok,
            up={str(name): self._is_up(supervisor) for name, supervisor in self._supervisors.items()},
            heard_s={str(name): seconds for name, seconds in heard if seconds is not None},
            routes=((route.name, Counter(self.end(end).status.value for end in route.ends)) for route in self._table.routes),
        )


def retry_now(where: str) -> str:
    """What ends a long wait."""
    return f"wait, or try now: messenger-bridge retry-now {where}"


def checks(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The report as a flat list, one line per item, for `/ready?verbose` and `/readyz`."""
    found: list[dict[str, Any]] = [
        {"name": f"account {name}", "status": account["status"], "reason": account["reason"], "action": account["action"]}
        for name, account in report.get("accounts", {}).items()
    ]
    for route in report.get("routes", {}).get("list", ()):
        for end in route["ends"]:
            found.append(
                {
                    "name": f"route {route['name']}: {end['end']}",
                    "status": end["status"],
                    "reason": end["reason"],
                    "action": end["action"],
                }
            )
    for lane in report.get("lanes", ()):
        if lane["status"] != Status.PASS.value:
            about = f"{lane['waiting']} waiting since {lane['oldest']}" + (f": {lane['reason']}" if lane["reason"] else "")
            found.append({"name": f"lane {lane['target']}", "status": lane["status"], "reason": about, "action": lane["action"]})
    for name, disk in report.get("disk", {}).items():
        found.append({"name": f"disk of the {name}", "status": disk["status"], "reason": disk["reason"], "action": disk["action"]})
    journal = report.get("journal", {})
    if dead := journal.get("dead"):
        found.append({"name": "dead letters", "status": "warn", "reason": f"{dead} wait", "action": "messenger-bridge dead list"})
    broken = journal.get("error", "")
    found.append({"name": "journal", "status": "fail" if broken else "pass", "reason": broken, "action": ""})
    return found


def without_journal(error: str) -> dict[str, Any]:
    """The report while the journal cannot be asked."""
    return {"ok": False, "status": Status.FAIL.value, "journal": {"error": error}, "to_do": [error]}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
