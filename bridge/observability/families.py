"""The metrics as families of prometheus_client: names, units, labels, help. Asked only when somebody scrapes. No decisions, no
I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.samples import Exemplar

from bridge.observability.counts import LAG_BUCKETS_S, Counts, Histogram

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from bridge.accounts.health import Snapshot
    from bridge.journal.contract import Figures

PREFIX = "messenger_bridge_"
_MOST_ROUTES = 500


def build_family(version: str) -> Metric:
    return InfoMetricFamily(PREFIX + "build", "The running bridge", value={"version": version})


def counter_family(name: str, text: str, labels: tuple[str, ...], counts: Counts, *, moments: bool) -> Metric:
    """`moments`: also when each began."""
    family = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for values, count in list(counts.values.items()):
        family.add_metric(values, count, created=counts.created[values] if moments else None)
    return family


def lag_family(lags: Mapping[str, Histogram], *, moments: bool) -> Metric:
    """Each bucket has the latest delivery that fell into it as its exemplar."""
    name = PREFIX + "lag_seconds"
    text = "From the arrival of an event to its completed delivery; account is the target's"
    family = HistogramMetricFamily(name, text, labels=("account",), unit="seconds")
    for account, lag in list(lags.items()):
        running = 0
        buckets: list[Any] = []
        for bound, count, latest in zip((*LAG_BUCKETS_S, "+Inf"), lag.buckets, lag.latest, strict=True):
            running += count
            exemplar = (Exemplar({"delivery": str(latest[0])}, latest[1], latest[2]),) if latest is not None else ()
            buckets.append((str(bound), running, *exemplar))
        family.add_metric((account,), buckets, lag.total)
        if moments:
            family.add_sample(f"{name}_created", {"account": account}, lag.created)
    return family


def state_family(states: Mapping[str, str], known: tuple[str, ...]) -> Metric:
    family = GaugeMetricFamily(PREFIX + "account_state", "1 for the state an account is in", labels=("account", "state"))
    for account, current in list(states.items()):
        for state in dict.fromkeys((*known, current)):
            family.add_metric((account, state), int(state == current))
    return family


def process_families(tasks: int, threads: int) -> Iterator[Metric]:
    yield GaugeMetricFamily(PREFIX + "tasks", "Things the process is doing at once (asyncio tasks)", value=tasks)
    yield GaugeMetricFamily(PREFIX + "threads", "Threads of the process that run Python", value=threads)


def disk_families(free_bytes: Mapping[str, int]) -> Iterator[Metric]:
    """`free_bytes`: by what is kept on that disk."""
    family = GaugeMetricFamily(
        PREFIX + "disk_free_bytes", "Space that the bridge may still use on the disk of a folder", labels=("folder",), unit="bytes"
    )
    for folder, size in free_bytes.items():
        family.add_metric((folder,), size)
    yield family


def health_families(health: Snapshot) -> Iterator[Metric]:
    ok = "1 while everything is relayed: every account up and heard, no end of a route dead"
    yield GaugeMetricFamily(PREFIX + "ok", ok, value=int(health.ok))
    up = GaugeMetricFamily(PREFIX + "account_up", "1 while the account is connected and its platform is heard", labels=("account",))
    for account, is_up in health.up.items():
        up.add_metric((account,), int(is_up))
    yield up
    heard = GaugeMetricFamily(
        PREFIX + "last_heartbeat_seconds",
        "Since the platform was last heard: a poll came back, a heartbeat was answered",
        labels=("account",),
        unit="seconds",
    )
    for account, seconds in health.heard_s.items():
        heard.add_metric((account,), seconds)
    yield heard
    ends = GaugeMetricFamily(PREFIX + "route_ends", "Ends of a route, by how they are", labels=("route", "status"))
    for number, (route, counts) in enumerate(health.routes):
        # of very many routes, those further on show only while something is wrong with them
        if number < _MOST_ROUTES or any(count for status, count in counts.items() if status != "pass"):
            for status in ("pass", "warn", "fail"):
                ends.add_metric((route, status), counts.get(status, 0))
    yield ends


def journal_families(figures: Figures, accounts: Iterable[str]) -> Iterator[Metric]:
    """`accounts`: those of which 0 is told where nothing waits."""
    yield GaugeMetricFamily(PREFIX + "journal_events", "Events in the journal", value=figures.events)
    yield GaugeMetricFamily(PREFIX + "dead_letters", "Deliveries that wait for a human", value=figures.dead)
    yield GaugeMetricFamily(PREFIX + "undecodable", "Inputs kept because nobody understood them", value=figures.undecodable)
    yield GaugeMetricFamily(PREFIX + "journal_bytes", "Size of the journal on disk", value=figures.size_bytes, unit="bytes")
    yield from _waiting_families(figures, accounts, datetime.now(UTC))


def _waiting_families(figures: Figures, accounts: Iterable[str], now: datetime) -> Iterator[Metric]:
    waiting = dict.fromkeys(accounts, 0)
    oldest: dict[str, datetime] = {}
    latest: dict[str, float] = {}
    for lane in figures.lanes:
        account = str(lane.target.account)
        waiting[account] = waiting.get(account, 0) + lane.waiting
        since = lane.oldest_accepted_at
        if since is not None:
            oldest[account] = min(since, oldest.get(account, since))
        if lane.next_attempt_at is not None:
            latest[account] = max(latest.get(account, 0.0), (lane.next_attempt_at - now).total_seconds())
    by_account = ("account",)
    queue = GaugeMetricFamily(PREFIX + "waiting", "Deliveries not yet final, by the target's account", labels=by_account)
    age = GaugeMetricFamily(
        PREFIX + "oldest_waiting_seconds", "Age of the oldest delivery not yet final", labels=by_account, unit="seconds"
    )
    due = GaugeMetricFamily(
        PREFIX + "next_attempt_seconds", "Until the chat that waits longest is tried again", labels=by_account, unit="seconds"
    )
    for account, count in waiting.items():
        queue.add_metric((account,), count)
        age.add_metric((account,), max((now - oldest[account]).total_seconds(), 0.0) if account in oldest else 0.0)
        due.add_metric((account,), latest.get(account, 0.0))
    yield queue
    yield age
    yield due
