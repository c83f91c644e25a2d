"""What `/metrics` answers: a valid exposition with the counts that were made, and bounded whatever is counted."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from bridge.journal.contract import Figures, LaneFigures
from bridge.model.outcomes import Arrival, NamedSkip, Outcome, Skip
from bridge.model.refs import AccountName, ChatAddress
from bridge.observability import exposition
from bridge.observability import metrics as module
from bridge.observability.metrics import Metrics


def exposed(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    body, content_type = metrics.expose()
    assert content_type.startswith("text/plain")
    families = text_string_to_metric_families(body.decode())
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def sample(metrics: Metrics, name: str, **labels: str) -> Any:
    return exposed(metrics).get((f"messenger_bridge_{name}", frozenset(labels.items())))


def test_counters() -> None:
    metrics = Metrics("1.2.3")
    for _ in range(3):
        metrics.event("tg", Arrival.ACCEPTED)
    metrics.event("tg", Arrival.ECHO)
    metrics.ignored("tg", "service message")
    metrics.outcome("team", "engineering", Outcome.DELIVERED)
    metrics.outcome("team", "engineering", Outcome.SKIPPED, NamedSkip(Skip.FILTER, "filter 1: drop text ^DEBUG"))
    metrics.retried("team", "RetryLater")
    metrics.retried("team", "typing not shown: RetryLater")
    assert sample(metrics, "events_total", account="tg", outcome="accepted") == 3
    assert sample(metrics, "events_total", account="tg", outcome="echo") == 1
    assert sample(metrics, "ignored_total", account="tg", reason="service message") == 1
    assert sample(metrics, "deliveries_total", account="team", route="engineering", outcome="delivered") == 1
    assert sample(metrics, "deliveries_total", account="team", route="engineering", outcome="skipped") == 1
    assert sample(metrics, "skips_total", account="team", route="engineering", rule="filter") == 1
    assert sample(metrics, "retries_total", account="team", error="RetryLater") == 1
    assert sample(metrics, "build_info", version="1.2.3") == 1


def test_lag_is_a_histogram() -> None:
    metrics = Metrics()
    for lag_s in (0.001, 0.005, 0.02, 9999.0):
        metrics.delivered("team", "engineering", lag_s)
    assert sample(metrics, "lag_seconds_bucket", account="team", le="0.005") == 2
    assert sample(metrics, "lag_seconds_bucket", account="team", le="0.025") == 3
    assert sample(metrics, "lag_seconds_bucket", account="team", le="+Inf") == 4
    assert sample(metrics, "lag_seconds_count", account="team") == 4
    assert sample(metrics, "lag_seconds_sum", account="team") == 9999.026


def test_openmetrics_has_units_moments_and_exemplars_and_ends_as_it_should() -> None:
    metrics = Metrics("1.2.3")
    metrics.event("tg", Arrival.ACCEPTED)
    metrics.gap("tg")
    for lag_s, delivery_id in ((0.001, 811), (0.002, 812), (9999.0, 813), (0.3, None)):
        metrics.delivered("team", "engineering", lag_s, delivery_id)
    before_s = time.time() - 60
    body, content_type = metrics.expose("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert body.endswith(b"# EOF\n")
    families = {one.name: one for one in openmetrics_families(body.decode())}  # type: ignore[no-untyped-call] # the library's strict reader
    lag = families["messenger_bridge_lag_seconds"]
    assert (lag.type, lag.unit) == ("histogram", "seconds")
    exemplars = {one.labels["le"]: one.exemplar for one in lag.samples if one.name.endswith("_bucket")}
    assert {le: one.labels["delivery"] for le, one in exemplars.items() if one} == {"0.005": "812", "+Inf": "813"}
    created = [one for family in families.values() for one in family.samples if one.name.endswith("_created")]
    assert {one.name for one in created} >= {"messenger_bridge_lag_seconds_created", "messenger_bridge_events_created"}
    assert all(before_s < one.value <= time.time() for one in created)
    (gaps,) = [one for one in families["messenger_bridge_gaps"].samples if one.name.endswith("_total")]
    assert (gaps.labels, gaps.value) == ({"account": "tg"}, 1)


def test_the_older_format_has_neither_exemplars_nor_an_end() -> None:
    metrics = Metrics()
    metrics.delivered("team", "engineering", 0.1, 7)
    body, content_type = metrics.expose("text/plain")
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# EOF" not in body
    assert b"delivery=" not in body


def test_the_installed_version_is_told() -> None:
    from importlib.metadata import version

    assert sample(Metrics(), "build_info", version=version("messenger-bridge")) == 1


def test_exactly_one_state_per_account() -> None:
    metrics = Metrics()
    metrics.account_state("tg", "connecting")
    metrics.account_state("tg", "up")
    states = {dict(labels)["state"]: value for (name, labels), value in exposed(metrics).items() if name.endswith("account_state")}
    assert states["up"] == 1
    assert sum(states.values()) == 1
    assert "parked" in states


def test_states_are_those_of_the_supervisor() -> None:
    from bridge.accounts.state import AccountState
    from bridge.observability.metrics import ACCOUNT_STATES

    assert tuple(state.value for state in AccountState) == ACCOUNT_STATES


def test_figures_of_the_journal_by_account() -> None:
    metrics = Metrics()
    now = datetime.now(UTC)
    lanes = tuple(
        LaneFigures(target=ChatAddress(AccountName(account), chat), waiting=waiting, oldest_accepted_at=oldest)
        for account, chat, waiting, oldest in (
            ("tg", "1", 3, now - timedelta(seconds=100)),
            ("tg", "2", 4, now - timedelta(seconds=200)),
            ("team", "#x", 0, None),
        )
    )
    metrics.account_state("guild", "up")
    metrics.journal(Figures(events=10, dead=2, undecodable=1, size_bytes=4096, lanes=lanes))
    assert sample(metrics, "journal_events") == 10
    assert sample(metrics, "dead_letters") == 2
    assert sample(metrics, "undecodable") == 1
    assert sample(metrics, "journal_bytes") == 4096
    assert sample(metrics, "waiting", account="tg") == 7
    assert sample(metrics, "waiting", account="guild") == 0, "told, so that a graph goes on"
    assert 200 <= sample(metrics, "oldest_waiting_seconds", account="tg") < 260
    assert sample(metrics, "oldest_waiting_seconds", account="team") == 0


async def test_tasks_and_threads() -> None:
    metrics = Metrics()
    alone = sample(metrics, "tasks")
    waiting = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]
    assert sample(metrics, "tasks") == alone + 3
    assert sample(metrics, "threads") >= 1
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert sample(metrics, "tasks") == alone


def test_no_input_makes_the_metrics_grow() -> None:
    metrics = Metrics()
    for number in range(10_000):
        metrics.outcome("tg", f"route {number}", Outcome.DELIVERED)
        metrics.ignored("tg", f"reason {number}")
    found = exposed(metrics)
    assert len(found) < 5000
    assert (
        found["messenger_bridge_deliveries_total", frozenset({"account": "other", "route": "other", "outcome": "other"}.items())]
        == 8000
    )


def test_labels_are_escaped() -> None:
    metrics = Metrics()
    metrics.outcome("tg", 'a "route"\nwith\\signs', Outcome.DELIVERED)
    assert sample(metrics, "deliveries_total", account="tg", route='a "route"\nwith\\signs', outcome="delivered") == 1


async def test_however_many_scrape_it_is_put_together_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics, threads = Metrics(), []
    real = exposition.encoded

    def encoded(*arguments: Any, **more: Any) -> Any:
        threads.append(threading.current_thread())
        return real(*arguments, **more)

    monkeypatch.setattr(module, "encoded", encoded)
    monkeypatch.setattr(module, "_TIMES_THE_WORK", 1e6)
    metrics.event("tg", Arrival.ACCEPTED)
    first = await asyncio.gather(*(metrics.scraped("text/plain") for _ in range(20)))
    assert len(set(first)) == len(threads) == 1
    assert threads[0] is not threading.main_thread(), "beside the loop"
    assert (await metrics.scraped("application/openmetrics-text"))[1] != first[0][1]
    assert len(threads) == 2, "each format"
    monkeypatch.setattr(module, "_TIMES_THE_WORK", 0.0)
    metrics._kept.clear()
    for count in (2.0, 3.0):
        metrics.event("tg", Arrival.ACCEPTED)
        body, _ = await metrics.scraped("text/plain")
        assert f'events_total{{account="tg",outcome="accepted"}} {count}' in body.decode()
