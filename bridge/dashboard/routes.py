"""A route's page: its ends, its rates and lag, and its latest deliveries with their outcomes."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from bridge.dashboard.drawing import page
from bridge.dashboard.parts import Parts, Visit
from bridge.journal.contract import DeliveryStatus, RecentDelivery
from bridge.model.outcomes import read_skip

if TYPE_CHECKING:
    from aiohttp import web

_SHOWN = 50
_CALLS = 5
"""To the journal, for one page: each looks at a bounded number of deliveries."""
_TONES = {
    DeliveryStatus.DELIVERED: "pass",
    DeliveryStatus.SKIPPED: "off",
    DeliveryStatus.DEAD: "fail",
    DeliveryStatus.HELD: "fail",
}


async def show(parts: Parts, visit: Visit) -> web.Response:
    name = visit.asked("name")
    route = next((one for one in parts.config().routes if one.name == name), None)
    found, before = await _recent(parts, name, visit.asked("before", 15))
    if route is None and not found:
        title = f"There is no route {name!r}" if name else "Which route?"
        return page(visit, "failed", {"title": title, "text": "The overview lists them."}, status=404)
    status = await parts.status()
    health = next((one for one in status.get("routes", {}).get("list", ()) if one["name"] == name), None)
    points = parts.points()
    lags = [lag for one in found if (lag := _lag_s(one)) is not None]
    values: dict[str, Any] = {
        "name": name,
        "is_in_force": route is not None,
        "health": health,
        "ends": health["ends"] if health else [{"end": str(end), "status": "pass"} for end in (route.ends if route else ())],
        "per_min": health.get("per_min", 0) if health else 0,
        "delivered": [60 * point.routes.get(name, 0) / (point.length_s or 1) for point in points],
        "sum_delivered": sum(point.routes.get(name, 0) for point in points),
        "minutes": round(sum(point.length_s for point in points) / 60),
        "lag_s": round(median(lags), 2) if lags else None,
        "worst_lag_s": round(max(lags), 2) if lags else None,
        "recent": [_row(one, parts if visit.who.is_known else None) for one in found],
        "before": before,
        "is_first": not visit.asked("before", 15),
    }
    return page(visit, "route", values)


async def _recent(parts: Parts, name: str, before: str) -> tuple[list[RecentDelivery], int]:
    """The next of them, and where the page after this one goes on; 0: there is none."""
    at = int(before) if before.isascii() and before.isdecimal() else None
    found: list[RecentDelivery] = []
    for _ in range(_CALLS):
        shown = await parts.journal.recent(name, before=at, limit=_SHOWN - len(found))
        found += shown.deliveries
        at = shown.before
        if not at or len(found) >= _SHOWN:
            break
    return found, at or 0


def _lag_s(one: RecentDelivery) -> float | None:
    if one.state is not DeliveryStatus.DELIVERED or one.accepted_at is None or one.ended_at is None:
        return None
    return max(0.0, (one.ended_at - one.accepted_at) / timedelta(seconds=1))


def _row(one: RecentDelivery, parts: Parts | None) -> dict[str, Any]:
    """`parts`: who looks is signed in, and so sees names, and what was said where that is allowed."""
    skip = read_skip(one.note) if one.state is DeliveryStatus.SKIPPED else None
    return {
        "id": one.delivery_id,
        "at": one.accepted_at,
        "what": str(one.message) if one.message is not None else one.change or "notice",
        "author": one.author_name if parts else "",
        "words": parts.words(one.message) if parts and one.message is not None else "",
        "to": f"{one.target}/{one.thread_id}" if one.thread_id else str(one.target),
        "state": one.state.value,
        "tone": _TONES.get(one.state, "warn"),
        "lag_s": _lag_s(one),
        "why": f"{one.note} ({skip.label})" if skip is not None else one.note,
    }
