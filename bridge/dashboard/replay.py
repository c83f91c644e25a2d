"""Range replay: all dead letters since a moment are retried, in their order, once. It is counted before it is done.

Who agrees to a count agrees to what was counted: what died later than that, or died again, is not among it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from bridge.dashboard.acting import Actions, whole
from bridge.dashboard.drawing import HEADERS, page
from bridge.dashboard.parts import Parts, Visit
from bridge.journal.contract import DeadMark, DeliveryStatus
from bridge.journal.dead_letters import AT_ONCE, MOST, marks
from bridge.model.moments import moment

if TYPE_CHECKING:
    from aiohttp import web

_MOST_REASONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which dead letters are meant. `as_of`: when they were counted; `up_to`: the last of them. A clock that is set back says of
    what dies later that it died before; the numbers of deliveries only grow."""

    since: datetime
    until: datetime | None
    route: str
    with_held: bool
    as_of: datetime
    up_to: int | None = None

    def takes(self, mark: DeadMark) -> bool:
        """Whether it is among those that were counted."""
        return self.names(mark) and mark.died_at <= self.as_of and (self.up_to is None or mark.delivery_id <= self.up_to)

    def names(self, mark: DeadMark) -> bool:
        """Whether it is of that time and route, whenever it came to it."""
        return (
            self.since <= mark.died_at <= (self.until or mark.died_at)
            and (not self.route or mark.route == self.route)
            and (self.with_held or mark.state is DeliveryStatus.DEAD)
        )

    def __str__(self) -> str:
        until = f" until {moment(self.until)}" if self.until else ""
        of = f" of route {self.route}" if self.route else ""
        return f"dead letters since {moment(self.since)}{until}{of}{', held ones too' if self.with_held else ''}"


@dataclass(slots=True)
class _Counted:
    count: int = 0
    held: int = 0
    is_more: bool = False
    first: DeadMark | None = None
    last: DeadMark | None = None
    reasons: Counter[str] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Done:
    retried: int = 0
    left_out: int = 0
    """Of that time and route too, and not among those that were counted."""

    def came(self, count: int, _: object) -> None:
        self.retried += count

    def __str__(self) -> str:
        return f"{self.retried} retried" + (f", {self.left_out} left out that were not counted" if self.left_out else "")


async def show(parts: Parts, visit: Visit) -> web.Response:
    """The form; with a range in it, what would be retried."""
    now = parts.clock.now()
    fields = {name: visit.asked(name, 200) for name in ("since", "until", "route")}
    values = {
        "fields": fields,
        "with_held": visit.asked("held") == "yes",
        "routes": [one.name for one in parts.config().routes][:500],
        "presets": _presets(now),
        "error": "",
        "counted": None,
        "range": None,
        "most": MOST,
    }
    if not fields["since"]:
        return page(visit, "replay", values)
    wanted = _range(visit, now)
    if isinstance(wanted, str):
        return page(visit, "replay", {**values, "error": wanted}, status=400)
    return page(visit, "replay", {**values, "range": wanted, "counted": await _counted(parts, wanted)})


async def act(parts: Parts, visit: Visit, actions: Actions) -> web.StreamResponse:
    as_of = _moment(visit.asked("as_of", 40))
    wanted = "the moment of the count is missing" if as_of is None else _range(visit, min(as_of, parts.clock.now()))
    if isinstance(wanted, str):
        return page(visit, "failed", {"title": "Nothing was retried", "text": wanted}, status=400)
    chosen, done = replace(wanted, up_to=_number(visit.asked("up_to", 20))), _Done()

    async def work() -> tuple[None, str]:
        async for some in _batches(parts, chosen, done):
            await whole(parts.journal.retry_dead(some), partial(done.came, len(some)))
        return None, str(done)

    await actions.do(visit.who, "replay", str(chosen), work, failed=lambda: f"{done}, then it failed")
    from aiohttp import web

    return web.Response(status=303, headers={**HEADERS, "Location": f"dead?retried={done.retried}&left={done.left_out}"})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


async def _named(parts: Parts, wanted: Range) -> AsyncIterator[DeadMark]:
    """In their order, from the oldest delivery on."""
    async for mark in marks(parts.journal):
        if wanted.names(mark):
            yield mark


async def _batches(parts: Parts, wanted: Range, done: _Done) -> AsyncIterator[list[int]]:
    batch: list[int] = []
    count = 0
    async for mark in _named(parts, wanted):
        if count == MOST or not wanted.takes(mark):
            done.left_out += 1
            continue
        batch.append(mark.delivery_id)
        count += 1
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def _counted(parts: Parts, wanted: Range) -> _Counted:
    counted = _Counted()
    async for mark in _named(parts, wanted):
        if not wanted.takes(mark):
            continue
        if counted.count == MOST:
            counted.is_more = True
            break
        counted.count += 1
        counted.held += mark.state is DeliveryStatus.HELD
        counted.first = counted.first or mark
        counted.last = mark
        counted.reasons[mark.reason] += 1
        counted.targets[str(mark.target)] += 1
    counted.reasons = Counter(dict(counted.reasons.most_common(_MOST_REASONS)))
    counted.targets = Counter(dict(counted.targets.most_common(_MOST_REASONS)))
    return counted


def _range(visit: Visit, as_of: datetime) -> Range | str:
    """What the fields say; or what is wrong with them."""
    since, until = _moment(visit.asked("since", 40)), _moment(visit.asked("until", 40))
    if since is None:
        return "Write the moment since when as 2026-01-31T23:59, in UTC."
    if until is None and visit.asked("until", 40):
        return "Write the moment until when as 2026-01-31T23:59, in UTC, or leave it empty."
    if until is not None and until < since:
        return "The end is before the beginning."
    route, with_held = visit.asked("route", 200), visit.asked("held") == "yes"
    return Range(since=since, until=until, route=route, with_held=with_held, as_of=as_of)


def _moment(text: str) -> datetime | None:
    """UTC, where it does not say otherwise."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _presets(now: datetime) -> list[tuple[str, str]]:
    """Usual beginnings, by name: links."""
    spans = (("the last hour", timedelta(hours=1)), ("the last day", timedelta(days=1)), ("the last week", timedelta(days=7)))
    found = [(name, (now - span).strftime("%Y-%m-%dT%H:%M")) for name, span in spans]
    return [(name, urlencode({"since": since})) for name, since in [*found, ("ever", "1970-01-01T00:00")]]
