"""Counters and gauges of one running bridge, exposed as Prometheus or OpenMetrics text. No decisions, no I/O.

The machinery counts into plain dictionaries (`counts`); prometheus_client (`families`) is imported and asked only when somebody
scrapes. Labels are accounts, routes, and small fixed sets of words - never chats, people or messages.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.events import ChatEvent
from bridge.model.outcomes import Arrival, LossNote, Outcome, SkipRule, rule_of
from bridge.model.pauses import beside
from bridge.observability.counts import Counts, Histogram
from bridge.observability.exposition import Collected, encoded, wants_openmetrics
from bridge.observability.left_out import LeftOut
from bridge.observability.recent_words import RecentWords

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from bridge.accounts.health import Snapshot
    from bridge.journal.contract import Figures

ACCOUNT_STATES = ("starting", "connecting", "up", "backoff", "parked", "stopped")
_TIMES_THE_WORK = 3.0
"""An answer is given again for so many times as long as it took to make, pauses and all: the work is a twentieth of the time."""
_LONGEST_KEPT_S = 5.0


class Metrics:
    """What intake, outbox, supervisors and the journal's maintenance report; `scraped` is what `/metrics` answers."""

    def __init__(self, version: str = "", *, clock: Clock | None = None) -> None:
        self._version = version
        self._events = Counts(2)
        self._ignored = Counts(2)
        self._outcomes = Counts(3)
        self._skips = Counts(3)
        self._retries = Counts(2)
        self._keyed = Counts(3)
        self._gaps = Counts(1)
        self._lag: dict[str, Histogram] = {}
        self._states: dict[str, str] = {}
        self._figures: Figures | None = None
        self._kept: dict[bool, tuple[float, tuple[bytes, str]]] = {}
        """Per format: until when it is answered again, and what."""
        self._one_at_a_time = asyncio.Lock()
        self._moments = True
        """Whether the scrape that is answered now is told when counters began: in the older format those are series of their
        own."""
        self.left_out = LeftOut(clock) if clock is not None else None
        self.words = RecentWords(clock or SYSTEM_CLOCK)
        self.health: Callable[[], Snapshot] | None = None
        """Asked at every scrape."""
        self.disk: Callable[[], Awaitable[Mapping[str, int]]] | None = None
        """Free bytes by what is kept there; asked before a scrape is answered."""
        self._free_bytes: Mapping[str, int] | None = None

    # -- counting -----------------------------------------------------------------------------------------------------------

    def event(self, account: str, outcome: Arrival) -> None:
        """An event arrived."""
        self._events.add(account, outcome.value)

    def said(self, event: ChatEvent, *, is_relayed: bool) -> None:
        """An event was accepted."""
        self.words.take(event, is_relayed=is_relayed)

    def ignored(self, account: str, reason: str) -> None:
        """Input that was understood and is ignored on purpose."""
        self._ignored.add(account, reason)

    def outcome(self, account: str, route: str, outcome: Outcome, rule: SkipRule | None = None) -> None:
        """The outcome of a delivery to `account`, or of an attempt at it; `rule` if it was skipped."""
        self._outcomes.add(account, route, outcome.label)
        if rule is not None:
            self._skips.add(account, route, rule_of(rule).label)
            if self.left_out is not None:
                self.left_out.skipped(account, route, rule)

    def lost(self, account: str, route: str, loss: LossNote) -> None:
        """A copy that was delivered to `account` lacks something."""
        if self.left_out is not None:
            self.left_out.lost(account, route, loss)

    def retried(self, account: str, why: str) -> None:
        """An attempt failed and will be repeated; `why` is an error's class, not its text."""
        self._retries.add(account, why.partition(":")[0])

    def keyed(self, account: str, direction: str, outcome: str) -> None:
        """A call with a valid key of the account's; `outcome` is a word of a small set."""
        self._keyed.add(account, direction, outcome)

    def gap(self, account: str) -> None:
        """Messages were sent that cannot be fetched."""
        self._gaps.add(account)

    def delivered(self, account: str, route: str, lag_s: float, delivery_id: int | None = None) -> None:
        """A delivery was completed `lag_s` seconds after its event came in."""
        lag = self._lag.get(account)
        if lag is None:
            lag = self._lag[account] = Histogram()
        lag.observe(lag_s, delivery_id)

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

    def lags(self) -> tuple[int, float]:
        """How many deliveries were completed since the start, and the sum of their lags in seconds."""
        found = list(self._lag.values())
        return sum(sum(one.buckets) for one in found), sum(one.total for one in found)

    # -- showing ------------------------------------------------------------------------------------------------------------

    async def scraped(self, accept: str = "") -> tuple[bytes, str]:
        """What `/metrics` answers: `expose`, with the disks as of now. The same again for who asks within a moment: however many
        scrape, and however large it is, they cost a twentieth of the time at most. The text is put together beside the loop."""
        openmetrics = wants_openmetrics(accept)
        async with self._one_at_a_time:
            kept = self._kept.get(openmetrics)
            if kept is not None and time.monotonic() < kept[0]:
                return kept[1]
            if self.disk is not None:
                self._free_bytes = await self.disk()
            began_s = time.monotonic()
            self._moments = openmetrics
            families: list[Metric] = []
            for family in self.collect():  # each is quick; all of them together would hold a message up
                families.append(family)
                await asyncio.sleep(0)
            found = await beside(partial(encoded, Collected(families), openmetrics=openmetrics))
            done_s = time.monotonic()
            self._kept[openmetrics] = done_s + min(_TIMES_THE_WORK * (done_s - began_s), _LONGEST_KEPT_S), found
            return found

    def expose(self, accept: str = "") -> tuple[bytes, str]:
        """Body and content type for a scrape with that Accept header."""
        self._moments = wants_openmetrics(accept)
        return encoded(Collected(self.collect()), openmetrics=self._moments)

    def collect(self) -> Iterator[Metric]:
        """prometheus_client's collector protocol."""
        from bridge.observability import families

        if version := self._version or installed_version():
            yield families.build_family(version)
        for name, text, labels, counts in (
            ("events", "Events that came in, by what became of them", ("account", "outcome"), self._events),
            ("ignored", "Input that is deliberately no event", ("account", "reason"), self._ignored),
            ("deliveries", "Deliveries by outcome; account is the target's", ("account", "route", "outcome"), self._outcomes),
            ("skips", "Deliveries skipped, by the rule", ("account", "route", "rule"), self._skips),
            ("retries", "Attempts that failed and are repeated", ("account", "error"), self._retries),
            ("key_calls", "Calls with a valid key, by what became of them", ("account", "direction", "outcome"), self._keyed),
            ("gaps", "Stretches of time whose messages cannot be fetched", ("account",), self._gaps),
        ):
            yield families.counter_family(name, text, labels, counts, moments=self._moments)
        yield families.lag_family(self._lag, moments=self._moments)
        yield families.state_family(self._states, ACCOUNT_STATES)
        yield from families.process_families(_tasks(), threading.active_count())
        if self._free_bytes is not None:
            yield from families.disk_families(self._free_bytes)
        if self.health is not None:
            yield from families.health_families(self.health())
        if self._figures is not None:
            yield from families.journal_families(self._figures, list(self._states))


def _tasks() -> int:
    """Unfinished tasks of the running loop; 0 where a scrape is answered outside of it."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0


def installed_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("messenger-bridge")
    except PackageNotFoundError:
        return ""  # run from a copy of the tree
