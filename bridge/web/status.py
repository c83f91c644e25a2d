"""What `messenger-bridge status` shows of a running bridge: the health report with rates, disk and the latest reload. Asked for at
most once a second, however many ask, and bounded in size."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bridge.model.clock import Clock

_FRESH_S = 1.0
_TIMES_THE_WORK, _LONGEST_FRESH_S = 20.0, 30.0
"""A report that takes long, of ten thousand routes, say, is made again only after that many times as long: whoever looks at it
costs the relaying a twentieth at most."""
_MOST_LANES = 100
"""Chats for which something waits, with the oldest first; the sums are of all."""
_WORST = {"fail": 0, "warn": 1, "pass": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusParts:
    """Where the figures come from. `report` is `App.report`, `per_minute` `Rates.per_minute`, `reloaded` what became of the latest
    reload, empty if there was none."""

    report: Callable[[], Awaitable[dict[str, Any]]]
    per_minute: Callable[[], Mapping[tuple[str, str], int]]
    reloaded: Callable[[], dict[str, Any]]
    clock: Clock
    config: Path
    version: str = ""


class Status:
    """`data` is what the socket answers."""

    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts
        self._config = os.path.abspath(parts.config)
        self._started_at = parts.clock.now()
        self._started_s = parts.clock.monotonic_s()
        self._known: dict[str, Any] = {}
        self._known_at_s = float("-inf")
        self._fresh_s = _FRESH_S
        self._one_at_a_time = asyncio.Lock()

    async def data(self) -> dict[str, Any]:
        async with self._one_at_a_time:
            began_s = self._parts.clock.monotonic_s()
            if began_s - self._known_at_s >= self._fresh_s:
                self._known = await self._fresh()
                self._known_at_s = self._parts.clock.monotonic_s()
                took_s = self._known_at_s - began_s
                self._fresh_s = min(max(_FRESH_S, took_s * _TIMES_THE_WORK), _LONGEST_FRESH_S)
            return self._known | {"reload": self._parts.reloaded()}  # costs nothing, and is asked for right after a reload

    async def _fresh(self) -> dict[str, Any]:
        parts = self._parts
        report = await parts.report()
        rates = parts.per_minute()
        for name, account in report.get("accounts", {}).items():
            account["in_per_min"] = rates.get(("in", name), 0)
            account["out_per_min"] = rates.get(("out", name), 0)
        for route in report.get("routes", {}).get("list", ()):
            route["per_min"] = rates.get(("route", route["name"]), 0)
        lanes = report.get("lanes", [])
        return report | {
            "config": self._config,
            "pid": os.getpid(),
            "version": parts.version,
            "started_at": self._started_at.isoformat(),
            "up_s": round(parts.clock.monotonic_s() - self._started_s),
            "per_min": {"in": _sum(rates, "in"), "out": _sum(rates, "out")},
            "waiting": {"deliveries": sum(lane["waiting"] for lane in lanes), "chats": len(lanes), "oldest": _oldest(lanes)},
            "lanes": sorted(lanes, key=_urgency)[:_MOST_LANES],
            "disk": _disk(report["disk"]["journal"]),
            "disks": report["disk"],
        }


def _disk(found: Mapping[str, Any]) -> dict[str, Any]:
    """Of the journal, as the report has it."""
    if "free_bytes" not in found:
        return {"error": found["reason"]}
    return {name: found[name] for name in ("free_bytes", "total_bytes")}


def _sum(rates: Mapping[tuple[str, str], int], kind: str) -> int:
    return sum(count for (one, _), count in rates.items() if one == kind)


def _oldest(lanes: list[dict[str, Any]]) -> str | None:
    known = [lane["oldest"] for lane in lanes if lane["oldest"]]
    return min(known, key=datetime.fromisoformat) if known else None


def _urgency(lane: Mapping[str, Any]) -> tuple[int, str]:
    return _WORST[lane["status"]], lane["oldest"] or "9"
