"""What `messenger-bridge status` shows, as lines of a given width. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.model.moments import duration
from bridge.model.one_line import one_line
from bridge.model.sizes import size

_LEAST_TEXT = 12
"""A last column that is narrower says nothing: another column gives way."""
_GAP = "  "
_MOST_ROUTES, _MOST_LANES, _MOST_LEFT_OUT, _MOST_TO_DO = 40, 20, 10, 30

_WORDS = {
    ("pass", True): "relaying",
    ("warn", True): "relaying, with a warning",
    ("warn", False): "connecting: not all is relayed yet",
}
_STYLE = {"pass": "ok", "warn": "warning", "fail": "dead"}


@dataclass(frozen=True, slots=True)
class Line:
    """`style` is a word of `output.STYLES`, for the whole line."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    drop: int = 0
    """Where there is no room for all, those with the highest number go first; 0: never."""


def lines(data: Mapping[str, Any], *, width: int, now: datetime) -> Iterator[Line]:
    """`data` is the daemon's answer."""
    yield from _head(data, width, now)
    yield from _accounts(data, width, now)
    yield from _routes(data, width)
    yield from _lanes(data, width, now)
    yield from _left_out(data, width, now)
    to_do = data.get("to_do", ())
    if to_do:
        yield Line("")
        yield Line("TO DO")
        yield from (Line(cut(f"- {one_line(one)}", width * 3), "warning") for one in to_do[:_MOST_TO_DO])
        if len(to_do) > _MOST_TO_DO:
            yield Line(f"- and {len(to_do) - _MOST_TO_DO} more")


def _head(data: Mapping[str, Any], width: int, now: datetime) -> Iterator[Line]:
    status = data.get("status", "fail")
    word = _WORDS.get((status, bool(data.get("ok"))), "NOT ALL IS RELAYED")
    started = [f"pid {data.get('pid')}", f"up {duration(data.get('up_s', 0))}", str(data.get("config", ""))]
    yield from _wrapped([word, *started], width, _STYLE.get(status, ""))
    journal = data.get("journal", {})
    if "error" in journal:
        yield Line(cut(f"journal: {one_line(journal['error'])}", width), "dead")
    rates, waiting = data.get("per_min", {}), data.get("waiting", {})
    oldest = f", oldest {ago(waiting['oldest'], now)}" if waiting.get("oldest") else ""
    figures = [
        f"in {rates.get('in', 0)}/min",
        f"out {rates.get('out', 0)}/min",
        f"waiting {waiting.get('deliveries', 0)} in {waiting.get('chats', 0)} chats{oldest}",
        f"dead {journal.get('dead', '?')}",
        f"journal {size(journal.get('size_bytes', 0))}",
        *_disks(data),
    ]
    yield from _wrapped(figures, width, "")
    reload = data.get("reload", {})
    if reload:
        said = reload["outcome"] or "ok"
        yield Line(cut(f"last reload {ago(reload['at'], now)} ago: {one_line(said)}", width * 2), "" if reload["ok"] else "dead")


def _disks(data: Mapping[str, Any]) -> Iterator[str]:
    spool, disk = data.get("spool"), data.get("disk", {})
    if spool:
        yield f"spool {size(spool['held_bytes'])} of {size(spool['bound_bytes'])}"
    yield f"disk: {disk['error']}" if "error" in disk else f"disk {size(disk.get('free_bytes', 0))} free"


def _accounts(data: Mapping[str, Any], width: int, now: datetime) -> Iterator[Line]:
    rows = []
    for name, one in data.get("accounts", {}).items():
        heard = "" if one["last_heard_s"] is None else duration(one["last_heard_s"])
        ends = "; ".join(f"{end}: {fault['reason']}" for end, fault in one["ends"].items())
        why = one["reason"] or ends or "; ".join(notice["reason"] for notice in one["notices"].values())
        figures = (str(one.get("in_per_min", 0)), str(one.get("out_per_min", 0)))
        rows.append((one["status"], (name, one["state"], ago(one["since"], now), heard, *figures, why)))
    columns = (
        _Column("account"),
        _Column("state"),
        _Column("for", 3),
        _Column("heard", 4),
        _Column("in/min", 2),
        _Column("out/min", 1),
    )
    yield from _table((*columns, _Column("why")), rows, width)


def _routes(data: Mapping[str, Any], width: int) -> Iterator[Line]:
    found = data.get("routes", {})
    listed = sorted(found.get("list", ()), key=lambda one: -_WORST.index(one["status"]))
    rows = []
    for one in listed[:_MOST_ROUTES]:
        bad = [f"{end['end']}: {end['reason']}" for end in one["ends"] if end["status"] != "pass"]
        well = f"{len(one['ends']) - len(bad)}/{len(one['ends'])}"
        rows.append((one["status"], (one["name"], one["status"], well, str(one.get("per_min", 0)), "; ".join(bad))))
    yield from _table((_Column("route"), _Column("status"), _Column("ends", 2), _Column("out/min", 1), _Column("why")), rows, width)
    more = sum(found.get("counts", {}).values()) - len(rows)
    if more > 0:
        yield Line(f"and {more} more routes")


_WORST = ("pass", "warn", "fail")


def _lanes(data: Mapping[str, Any], width: int, now: datetime) -> Iterator[Line]:
    lanes = data.get("lanes", ())
    rows = []
    for one in lanes[:_MOST_LANES]:
        due = until(one["next_attempt_at"], now) if one["next_attempt_at"] else "now"
        oldest = ago(one["oldest"], now) if one["oldest"] else ""
        why = " - ".join(part for part in (one["reason"], one.get("action", "")) if part)
        rows.append((one["status"], (one["target"], str(one["waiting"]), oldest, due, why)))
    columns = (_Column("waiting for"), _Column("count"), _Column("oldest", 1), _Column("next try in", 2), _Column("why"))
    yield from _table(columns, rows, width)
    more = data.get("waiting", {}).get("chats", 0) - len(rows)
    if rows and more > 0:
        yield Line(f"and {more} more chats")


def _left_out(data: Mapping[str, Any], width: int, now: datetime) -> Iterator[Line]:
    rows = []
    for one in data.get("left_out", ())[:_MOST_LEFT_OUT]:
        why = f"{one['rule']} - {one['action']}" if one["action"] else one["rule"]
        rows.append(("pass", (one["route"], one["account"], str(one["count"]), ago(one["last_at"], now), why)))
    columns = (_Column("left out on"), _Column("into", 2), _Column("count"), _Column("latest", 1), _Column("by"))
    yield from _table(columns, rows, width)


# -- layout -----------------------------------------------------------------------------------------------------------------


def _table(columns: Sequence[_Column], rows: Sequence[tuple[str, Sequence[str]]], width: int) -> Iterator[Line]:
    """Columns as wide as they need; the last one has the rest of the line."""
    if not rows:
        return
    cells = [[column.title.upper() for column in columns], *([one_line(cell) for cell in row] for _, row in rows)]
    kept = list(range(len(columns)))
    while True:
        widths = {index: max(len(row[index]) for row in cells) for index in kept[:-1]}
        used = sum(widths.values()) + len(_GAP) * (len(kept) - 1)
        gone = max(kept, key=lambda index: columns[index].drop)
        if width - used >= _LEAST_TEXT or not columns[gone].drop:
            break
        kept.remove(gone)
    yield Line("")
    for number, row in enumerate(cells):
        text = _GAP.join([*(row[index].ljust(widths[index]) for index in kept[:-1]), row[kept[-1]]])
        yield Line(cut(text, width).rstrip(), _STYLE[rows[number - 1][0]] if number and rows[number - 1][0] != "pass" else "")


def _wrapped(parts: Iterable[str], width: int, style: str) -> Iterator[Line]:
    line = ""
    for part in map(one_line, parts):
        if line and len(line) + len(_GAP) + len(part) > width:
            yield Line(cut(line, width), style)
            line = part
        else:
            line = f"{line}{_GAP}{part}" if line else part
    yield Line(cut(line, width), style)


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def ago(moment: str, now: datetime) -> str:
    return duration((now - datetime.fromisoformat(moment)) / timedelta(seconds=1))


def until(moment: str, now: datetime) -> str:
    return duration((datetime.fromisoformat(moment) - now) / timedelta(seconds=1))
