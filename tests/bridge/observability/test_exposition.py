"""Which format a scrape is answered in: what Prometheus of several versions asks for, and headers of nobody's making."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.pauses import with_pauses
from bridge.observability.exposition import Collected, encoded, wants_openmetrics

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ('Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8', True),
        ("text/plain;version=0.0.4,application/openmetrics-text;q=0.9", False),
        ("application/openmetrics-text;version=0.0.1", False),
        ("application/openmetrics-text;version=99999.0", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nan", False),
        ("application/openmetrics-text;q=often", False),
        ("text/plain", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("", False),
        (";;=,,;q", False),
        ("a/b," * 10_000 + "application/openmetrics-text", False),
    ],
)
def test_accept(accept: str, openmetrics: bool) -> None:
    assert wants_openmetrics(accept) is openmetrics


@given(st.text())
def test_no_header_is_too_odd(accept: str) -> None:
    assert wants_openmetrics(accept) in (True, False)


@pytest.mark.parametrize("openmetrics", [True, False])
def test_written_family_by_family_it_is_what_the_library_writes_at_once(openmetrics: bool) -> None:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.exposition import generate_latest
    from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

    counter = CounterMetricFamily("a_events", "Events", labels=("account",))
    counter.add_metric(("tg",), 3)
    families = Collected([counter, GaugeMetricFamily("b_tasks", "Tasks", value=2)], with_process=False)
    whole = generate_openmetrics(families) if openmetrics else generate_latest(families)  # type: ignore[no-untyped-call]
    pauses: list[None] = []
    assert with_pauses(lambda: encoded(families, openmetrics=openmetrics), lambda: pauses.append(None))[0] == whole
    assert len(pauses) == 2
