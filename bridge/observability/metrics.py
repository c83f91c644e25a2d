"""Counters and gauges of one running bridge, exposed in Prometheus' text format. No decisions, no I/O.

The machinery counts into plain dictionaries (a count costs well under a microsecond); prometheus_client is imported and asked only
when somebody scrapes. Labels are accounts, routes, and small fixed sets of words - never chats, people or messages.
"""

from __future__ import annotations

import asyncio
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.model.outcomes import Arrival, Outcome, SkipRule, rule_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from bridge.accounts.health import Snapshot
    from bridge.journal.contract import Figures

_PREFIX = "messenger_bridge_"
_MOST_SERIES = 2000
"""Label sets per metric; further ones are counted under `other`, so that no input can make the metrics grow."""
_MOST_ROUTES = 500
_OTHER = "other"

LAG_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)

ACCOUNT_STATES = ("starting", "connecting", "up", "backoff", "parked", "stopped")


class _Counts:
    """A counter with a bounded number of label sets."""

    def __init__(self, labels: int) -> None:
        self.values: dict[tuple[str, ...], int] = {}
        self._other = (_OTHER,) * labels

    def add(self, *labels: str) -> None:
        values = self.values
        if labels in values:
            values[labels] += 1
        elif len(values) < _MOST_SERIES:
            values[labels] = 1
        else:
            values[self._other] = values.get(self._other, 0) + 1


class _Histogram:
    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(LAG_BUCKETS_S) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.buckets[bisect_left(LAG_BUCKETS_S, value)] += 1
        self.total += value


class Metrics:
    """What intake, outbox, supervisors and the journal's maintenance report; `expose` is what `/metrics` answers."""

    def __init__(self, version: str = "") -> None:
        self._version = version
        self._events = _Counts(2)
        self._ignored = _Counts(2)
        self._outcomes = _Counts(3)
        self._skips = _Counts(3)
        self._retries = _Counts(2)
        self._keyed = _Counts(3)
        self._lag: dict[str, _Histogram] = {}
        self._states: dict[str, str] = {}
        self._figures: Figures | None = None
        self._registry: CollectorRegistry | None = None
        self.health: Callable[[], Snapshot] | None = None
        """Asked at every scrape."""

    # -- counting -----------------------------------------------------------------------------------------------------------

    def event(self, account: str, outcome: Arrival) -> None:
        """An event arrived."""
        self._events.add(account, outcome.value)

    def ignored(self, account: str, reason: str) -> None:
        """Input that was understood and is ignored on purpose."""
        self._ignored.add(account, reason)

    def outcome(self, account: str, route: str, outcome: Outcome, rule: SkipRule | None = None) -> None:
        """The outcome of a delivery to `account`, or of an attempt at it; `rule` if it was skipped."""
        self._outcomes.add(account, route, outcome.label)
        if rule is not None:
            self._skips.add(account, route, rule_of(rule).label)

    def retried(self, account: str, why: str) -> None:
        """An attempt failed and will be repeated; `why` is an error's class, not its text."""
        self._retries.add(account, why.partition(":")[0])

    def keyed(self, account: str, direction: str, outcome: str) -> None:
        """A call with a valid key of the account's; `outcome` is a word of a small set."""
        self._keyed.add(account, direction, outcome)

    def delivered(self, account: str, route: str, lag_s: float) -> None:
        """A delivery was completed `lag_s` seconds after its event came in."""
        lag = self._lag.get(account)
        if lag is None:
            lag = self._lag[account] = _Histogram()
        lag.observe(lag_s)

    def account_state(self, account: str, state: str) -> None:
        """What the account's supervisor is doing now."""
        self._states[account] = state

    def journal(self, figures: Figures) -> None:
        """The journal's figures, as of its latest maintenance."""
        self._figures = figures

    def totals(self) -> dict[tuple[str, str], int]:
        """What arrived and what was delivered since the start: by ("in", account), ("out", account), ("route", route)."""
        found: dict[tuple[str, str], int] = {}
        for (account, outcome), count in self._events.values.items():
            if outcome == Arrival.ACCEPTED.value:
                found["in", account] = found.get(("in", account), 0) + count
        for (account, route, label), count in self._outcomes.values.items():
            if label == Outcome.DELIVERED.label:
                for key in (("out", account), ("route", route)):
                    found[key] = found.get(key, 0) + count
        return found

    # -- showing ------------------------------------------------------------------------------------------------------------

    def expose(self) -> tuple[bytes, str]:
        """Body and content type for a scrape."""
        # imported here: an unscraped daemon does without it
        from prometheus_client import CollectorRegistry, ProcessCollector
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        if self._registry is None:
            self._registry = CollectorRegistry(auto_describe=False)
            self._registry.register(self)
            ProcessCollector(registry=self._registry)
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """prometheus_client's collector protocol."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

        if self._version:
            yield InfoMetricFamily(_PREFIX + "build", "The running bridge", value={"version": self._version})
        for name, text, labels, counts in (
            ("events", "Events that came in, by what became of them", ("account", "outcome"), self._events),
            ("ignored", "Input that is deliberately no event", ("account", "reason"), self._ignored),
            ("deliveries", "Deliveries by outcome; account is the target's", ("account", "route", "outcome"), self._outcomes),
            ("skips", "Deliveries skipped, by the rule", ("account", "route", "rule"), self._skips),
            ("retries", "Attempts that failed and are repeated", ("account", "error"), self._retries),
            ("key_calls", "Calls with a valid key, by what became of them", ("account", "direction", "outcome"), self._keyed),
        ):
            counter = CounterMetricFamily(_PREFIX + name, text, labels=labels)
            for values, count in list(counts.values.items()):
                counter.add_metric(values, count)
            yield counter
        yield self._lag_family()
        states = GaugeMetricFamily(_PREFIX + "account_state", "1 for the state an account is in", labels=("account", "state"))
        for account, current in list(self._states.items()):
            for state in dict.fromkeys((*ACCOUNT_STATES, current)):
                states.add_metric((account, state), int(state == current))
        yield states
        yield GaugeMetricFamily(_PREFIX + "tasks", "Things the process is doing at once (asyncio tasks)", value=_tasks())
        yield GaugeMetricFamily(_PREFIX + "threads", "Threads of the process that run Python", value=threading.active_count())
        if self.health is not None:
            yield from _health_families(self.health(), GaugeMetricFamily)
        if self._figures is not None:
            yield from _journal_families(self._figures, GaugeMetricFamily)

    def _lag_family(self) -> Metric:
        from prometheus_client.core import HistogramMetricFamily

        family = HistogramMetricFamily(
            _PREFIX + "lag_seconds",
            "From the arrival of an event to its completed delivery; account is the target's",
            labels=("account",),
        )
        for account, lag in list(self._lag.items()):
            running, buckets = 0, []
            for bound, count in zip((*LAG_BUCKETS_S, "+Inf"), lag.buckets, strict=True):
                running += count
                buckets.append((str(bound), running))
            family.add_metric((account,), buckets, lag.total)
        return family


def _tasks() -> int:
    """Unfinished tasks of the running loop; 0 where a scrape is answered outside of it."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0


def _health_families(health: Snapshot, gauge: Any) -> Iterator[Metric]:
    yield gauge(
        _PREFIX + "ok", "1 while everything is relayed: every account up and heard, no end of a route dead", value=int(health.ok)
    )
    up = gauge(_PREFIX + "account_up", "1 while the account is connected and its platform is heard", labels=("account",))
    for account, is_up in health.up.items():
        up.add_metric((account,), int(is_up))
    yield up
    heard = gauge(
        _PREFIX + "last_heartbeat_seconds",
        "Since the platform was last heard: a poll came back, a heartbeat was answered",
        labels=("account",),
    )
    for account, seconds in health.heard_s.items():
        heard.add_metric((account,), seconds)
    yield heard
    ends = gauge(_PREFIX + "route_ends", "Ends of a route, by how they are", labels=("route", "status"))
    for number, (route, counts) in enumerate(health.routes):
        # of very many routes, those further on show only while something is wrong with them
        if number < _MOST_ROUTES or any(count for status, count in counts.items() if status != "pass"):
            for status in ("pass", "warn", "fail"):
                ends.add_metric((route, status), counts.get(status, 0))
    yield ends


def _journal_families(figures: Figures, gauge: Any) -> Iterator[Metric]:
    yield gauge(_PREFIX + "journal_events", "Events in the journal", value=figures.events)
    yield gauge(_PREFIX + "dead_letters", "Deliveries that wait for a human", value=figures.dead)
    yield gauge(_PREFIX + "undecodable", "Inputs kept because nobody understood them", value=figures.undecodable)
    yield gauge(_PREFIX + "journal_bytes", "Size of the journal on disk", value=figures.size_bytes)
    waiting: dict[str, int] = {}
    oldest: dict[str, datetime] = {}
    for lane in figures.lanes:
        account = str(lane.target.account)
        waiting[account] = waiting.get(account, 0) + lane.waiting
        since = lane.oldest_accepted_at
        if since is not None:
            oldest[account] = min(since, oldest.get(account, since))
    queue = gauge(_PREFIX + "waiting", "Deliveries not yet final, by the target's account", labels=("account",))
    age = gauge(_PREFIX + "oldest_waiting_seconds", "Age of the oldest delivery not yet final", labels=("account",))
    due = gauge(_PREFIX + "next_attempt_seconds", "Until the chat that waits longest is tried again", labels=("account",))
    now = datetime.now(UTC)
    latest: dict[str, float] = {}
    for lane in figures.lanes:
        if lane.next_attempt_at is not None:
            account, wait_s = str(lane.target.account), (lane.next_attempt_at - now).total_seconds()
            latest[account] = max(latest.get(account, 0.0), wait_s)
    for account, count in waiting.items():
        queue.add_metric((account,), count)
        age.add_metric((account,), max((now - oldest[account]).total_seconds(), 0.0) if account in oldest else 0.0)
        due.add_metric((account,), latest.get(account, 0.0))
    yield queue
    yield age
    yield due
