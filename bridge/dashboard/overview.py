"""The first page: accounts, routes, what waits, what to do; and who did what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bridge.dashboard.drawing import page
from bridge.dashboard.parts import Parts, Visit
from bridge.model.sizes import size
from bridge.observability.history import Point

if TYPE_CHECKING:
    from aiohttp import web

_MOST_ROUTES, _MOST_LANES, _MOST_LEFT_OUT, _MOST_TO_DO, _MOST_AUDITED = 100, 30, 30, 50, 200
_WORST = {"fail": 0, "warn": 1, "pass": 2}
_WORDS = {
    ("pass", True): "Relaying",
    ("warn", True): "Relaying, with a warning",
    ("warn", False): "Connecting: not all is relayed yet",
}


async def show(parts: Parts, visit: Visit) -> web.Response:
    status = await parts.status()
    wanted = visit.asked("route", 200)
    now = parts.clock.now()
    listed = [one for one in status.get("routes", {}).get("list", ()) if wanted.lower() in one["name"].lower()]
    listed.sort(key=lambda one: _WORST[one["status"]])
    lanes = status.get("lanes", ())
    values = {
        "status": status,
        "word": _WORDS.get((status.get("status", "fail"), bool(status.get("ok"))), "Not all is relayed"),
        "now": now,
        "wanted": wanted,
        "accounts": [(name, _account(one, now)) for name, one in status.get("accounts", {}).items()],
        "routes": [_route(one) for one in listed[:_MOST_ROUTES]],
        "more_routes": _more_routes(status, wanted, len(listed)),
        "lanes": [_lane(one, now) for one in lanes[:_MOST_LANES]],
        "more_lanes": status.get("waiting", {}).get("chats", 0) - min(len(lanes), _MOST_LANES),
        "left_out": [{**one, "ago_s": _age_s(one["last_at"], now)} for one in status.get("left_out", ())[:_MOST_LEFT_OUT]],
        "to_do": status.get("to_do", ())[:_MOST_TO_DO],
        "disks": list(_disks(status.get("disk", {}))),
        "oldest_s": _age_s(status.get("waiting", {}).get("oldest"), now),
        **lines(parts.points()),
    }
    return page(visit, "overview", values)


def lines(points: Sequence[Point]) -> dict[str, Any]:
    """What the two drawings show, and what they say to who does not see them."""
    came = [60 * point.came / (point.length_s or 1) for point in points]
    delivered = [60 * point.delivered / (point.length_s or 1) for point in points]
    lags = [point.lag_s for point in points]
    known = [lag for lag in lags if lag is not None]
    return {
        "came": came,
        "delivered": delivered,
        "lags": lags,
        "most_per_min": round(max([*came, *delivered], default=0)),
        "sum_came": sum(point.came for point in points),
        "sum_delivered": sum(point.delivered for point in points),
        "most_lag_s": round(max(known, default=0), 1),
        "minutes": round(sum(point.length_s for point in points) / 60),
    }


def _disks(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is free, and of which disk; one disk may hold everything."""
    for name, disk in ({"": found} if "free_bytes" in found or "error" in found else found).items():
        of = f"of the {name}" if name else ""
        if "free_bytes" in disk:
            yield size(disk["free_bytes"]), f"free {of}".strip()
        else:
            yield "?", f"{disk.get('error') or disk.get('reason', '')} {of}".strip()


def _account(one: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    ends = "; ".join(f"{end}: {fault['reason']}" for end, fault in one["ends"].items())
    notices = "; ".join(notice["reason"] for notice in one["notices"].values())
    actions = [fault["action"] for fault in (*one["ends"].values(), *one["notices"].values()) if fault["action"]]
    return {
        "status": one["status"],
        "state": one["state"],
        "for_s": _age_s(one["since"], now),
        "heard_s": one["last_heard_s"],
        "in_per_min": one.get("in_per_min", 0),
        "out_per_min": one.get("out_per_min", 0),
        "why": one["reason"] or ends or notices,
        "action": one["action"] or "; ".join(dict.fromkeys(actions)),
    }


def _route(one: Mapping[str, Any]) -> dict[str, Any]:
    bad = [end for end in one["ends"] if end["status"] != "pass"]
    return {
        "name": one["name"],
        "status": one["status"],
        "well": len(one["ends"]) - len(bad),
        "ends": len(one["ends"]),
        "per_min": one.get("per_min", 0),
        "why": "; ".join(f"{end['end']}: {end['reason']}" for end in bad),
        "action": "; ".join(dict.fromkeys(end["action"] for end in bad if end["action"])),
    }


def _more_routes(status: Mapping[str, Any], wanted: str, found: int) -> int:
    """How many are not shown: of all, if nobody looks for a name."""
    total = found if wanted else sum(status.get("routes", {}).get("counts", {}).values())
    return max(0, total - min(found, _MOST_ROUTES))


def _lane(one: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    due = one["next_attempt_at"]
    return {
        "status": one["status"],
        "target": one["target"],
        "waiting": one["waiting"],
        "oldest_s": _age_s(one["oldest"], now),
        "due_s": None if due is None else max(0.0, -_age(due, now)),
        "why": one["reason"],
        "action": one.get("action", ""),
    }


def _age(moment: str, now: datetime) -> float:
    return (now - datetime.fromisoformat(moment)) / timedelta(seconds=1)


def _age_s(moment: str | None, now: datetime) -> float | None:
    return None if not moment else max(0.0, _age(moment, now))


async def show_audit(parts: Parts, visit: Visit) -> web.Response:
    if not visit.who.is_known:
        said = {"title": "The audit is for who is signed in", "text": "Give web.admin.dashboard users, or a proxy's user_header."}
        return page(visit, "failed", said, status=403)
    found = await parts.journal.persons.audited(limit=_MOST_AUDITED)
    return page(visit, "audit", {"lines": found})
