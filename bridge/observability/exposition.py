"""Which of the two text formats a scrape is answered in: OpenMetrics 1.0, which has units, exemplars and the moments at which
counters began, or Prometheus' older text format. Pure.

Source: RFC 9110 section 12.5.1 (Accept), prometheus.io/docs/instrumenting/content_negotiation (what Prometheus sends)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from bridge.model.pauses import pause_point

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"

_END = b"# EOF\n"
_MOST_RANGES = 20
"""Of an Accept header: monitoring sends five at most."""


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header names OpenMetrics, and prefers nothing else. What is not understood of it does not count."""
    openmetrics, text = 0.0, 0.0
    for media, version, quality in _ranges(accept):
        if media == "application/openmetrics-text" and version in ("", "1.0.0"):
            openmetrics = max(openmetrics, quality)
        elif media == "text/plain" and version in ("", "0.0.4", "1.0.0"):
            text = max(text, quality)
    return openmetrics > 0 and openmetrics >= text


def _ranges(accept: str) -> Iterator[tuple[str, str, float]]:
    """(media type, version, quality) of each."""
    for one in accept.split(",")[:_MOST_RANGES]:
        media, *parameters = (part.strip().lower() for part in one.split(";"))
        given = {name.strip(): value.strip().strip('"') for name, _, value in (part.partition("=") for part in parameters)}
        try:
            quality = float(given.get("q", "1"))
        except ValueError:
            continue
        if 0 <= quality <= 1:
            yield media, given.get("version", ""), quality


class Collected:
    """Families that were made already, and the process's own, for prometheus_client to write down. Belongs to no loop."""

    def __init__(self, families: Iterable[Metric], *, with_process: bool = True) -> None:
        self._families = list(families)
        self._with_process = with_process

    def collect(self) -> Iterator[Metric]:
        yield from self._families
        if self._with_process:
            yield from _process().collect()


@cache
def _process() -> Collector:
    # imported here: an unscraped daemon does without it
    from prometheus_client import CollectorRegistry, ProcessCollector

    return ProcessCollector(registry=CollectorRegistry())


def encoded(registry: Collector, *, openmetrics: bool) -> tuple[bytes, str]:
    """Body and content type. Family by family, with a pause point before each."""
    if not openmetrics:
        from prometheus_client.exposition import generate_latest

        return b"".join(generate_latest(one) for one in _one_by_one(registry)), TEXT
    from prometheus_client.openmetrics.exposition import generate_latest as generate

    parts: list[bytes] = [generate(one) for one in _one_by_one(registry)]  # type: ignore[no-untyped-call]
    return b"".join(part.removesuffix(_END) for part in parts) + _END, OPENMETRICS


def _one_by_one(registry: Collector) -> Iterator[Collected]:
    for family in registry.collect():
        pause_point()
        yield Collected((family,), with_process=False)
