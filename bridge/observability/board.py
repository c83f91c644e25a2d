"""The Grafana board that comes with the bridge. Data and its form; `monitoring/` has the file that is made of it.

Source: grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MINE = 'account=~"$account"'
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_WIDTH = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`queries`: (expression, legend) each. `unit`: of Grafana (`s`, `decbytes`, `ops`). `columns`: of the board's 24."""

    title: str
    about: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    unit: str = "short"
    columns: int = 12
    rows: int = 8
    exemplars: bool = False


def _rate(metric: str, by: str, condition: str = _MINE) -> str:
    return f"sum by ({by}) (rate(messenger_bridge_{metric}{{{condition}}}[$__rate_interval]))"


def _lag(quantile: str) -> str:
    return f"histogram_quantile({quantile}, {_rate('lag_seconds_bucket', 'account, le')})"


PANELS = (
    Panel(
        title="Relaying",
        about="1 while every account is up and heard, and no end of a route is dead",
        queries=(("min(messenger_bridge_ok)", ""),),
        kind="stat",
        columns=4,
        rows=4,
    ),
    Panel(
        title="Dead letters",
        about="Deliveries that were given up and wait for a human: messenger-bridge dead list",
        queries=(("sum(messenger_bridge_dead_letters)", ""),),
        kind="stat",
        columns=4,
        rows=4,
    ),
    Panel(
        title="Waiting",
        about="Deliveries that are not final yet",
        queries=((f"sum(messenger_bridge_waiting{{{_MINE}}}) or vector(0)", ""),),
        kind="stat",
        columns=4,
        rows=4,
    ),
    Panel(
        title="Oldest waiting",
        about="Age of the oldest of them",
        queries=((f"max(messenger_bridge_oldest_waiting_seconds{{{_MINE}}}) or vector(0)", ""),),
        kind="stat",
        unit="s",
        columns=4,
        rows=4,
    ),
    Panel(
        title="Dead ends of routes",
        about="Chats of routes at which nothing is relayed",
        queries=(('sum(messenger_bridge_route_ends{route=~"$route",status="fail"})', ""),),
        kind="stat",
        columns=4,
        rows=4,
    ),
    Panel(
        title="Version",
        about="The running version",
        queries=(("messenger_bridge_build_info", "{{version}}"),),
        kind="stat",
        columns=4,
        rows=4,
    ),
    Panel(
        title="Accounts",
        about="1 while an account is connected and its platform is heard",
        queries=((f"messenger_bridge_account_up{{{_MINE}}}", "{{account}}"),),
        kind="state-timeline",
    ),
    Panel(
        title="Last heard",
        about="Time since a platform was last heard: a poll came back, a heartbeat was answered",
        queries=((f"messenger_bridge_last_heartbeat_seconds{{{_MINE}}}", "{{account}}"),),
        unit="s",
    ),
    Panel(
        title="Arrived",
        about="Events per second, by what became of them",
        queries=((_rate("events_total", "account, outcome"), "{{account}} {{outcome}}"),),
        unit="ops",
    ),
    Panel(
        title="Delivered",
        about="Deliveries per second, by outcome; the account is the target's",
        queries=((_rate("deliveries_total", "account, outcome", f'{_MINE},route=~"$route"'), "{{account}} {{outcome}}"),),
        unit="ops",
    ),
    Panel(
        title="Lag",
        about="From the arrival of an event to its completed delivery: half of them, and one of a hundred. The points are "
        "single deliveries: messenger-bridge trace takes their number",
        queries=((_lag("0.5"), "{{account}} half"), (_lag("0.99"), "{{account}} 99 %")),
        unit="s",
        exemplars=True,
    ),
    Panel(
        title="Waiting by account",
        about="Deliveries that are not final yet",
        queries=((f"messenger_bridge_waiting{{{_MINE}}}", "{{account}}"),),
    ),
    Panel(
        title="Skipped",
        about="Deliveries per second that a rule kept back, by the rule",
        queries=((_rate("skips_total", "account, rule", f'{_MINE},route=~"$route"'), "{{account}} {{rule}}"),),
        unit="ops",
    ),
    Panel(
        title="Repeated",
        about="Attempts per second that failed and are repeated",
        queries=((_rate("retries_total", "account, error"), "{{account}} {{error}}"),),
        unit="ops",
    ),
    Panel(
        title="Longest wait for a next attempt",
        about="Until the chat with the longest wait is tried again: messenger-bridge retry-now ends it",
        queries=((f"messenger_bridge_next_attempt_seconds{{{_MINE}}}", "{{account}}"),),
        unit="s",
    ),
    Panel(
        title="Calls with a key",
        about="Requests per second to the public listener, by what became of them",
        queries=((_rate("key_calls_total", "account, direction, outcome"), "{{account}} {{direction}} {{outcome}}"),),
        unit="ops",
    ),
    Panel(
        title="Ignored on purpose",
        about="Inputs per second that are understood and not relayed, by the reason",
        queries=((_rate("ignored_total", "account, reason"), "{{account}} {{reason}}"),),
        unit="ops",
    ),
    Panel(
        title="Not understood, and gaps",
        about="Inputs that were kept because they were not understood, and stretches of time whose messages cannot be fetched",
        queries=(
            ("sum(messenger_bridge_undecodable)", "not understood"),
            (f"sum by (account) (messenger_bridge_gaps_total{{{_MINE}}})", "{{account}} gaps"),
        ),
    ),
    Panel(
        title="Disks",
        about="What is left on the disks of the journal and of the spool, and the size of the journal",
        queries=(
            ("messenger_bridge_disk_free_bytes", "{{folder}} free"),
            ("messenger_bridge_journal_bytes", "journal"),
        ),
        unit="decbytes",
    ),
    Panel(
        title="Memory",
        about="Of the process",
        queries=(("process_resident_memory_bytes and on (instance, job) messenger_bridge_ok", "resident"),),
        unit="decbytes",
    ),
    Panel(
        title="Tasks, threads, open files",
        about="None of them should grow over weeks",
        queries=(
            ("messenger_bridge_tasks", "tasks"),
            ("messenger_bridge_threads", "threads"),
            ("process_open_fds and on (instance, job) messenger_bridge_ok", "open files"),
        ),
    ),
    Panel(
        title="Events in the journal",
        about="What is known of messages, for as long as journal.keep_days says",
        queries=(("messenger_bridge_journal_events", "events"),),
    ),
)


def board() -> dict[str, Any]:
    """The document that Grafana imports."""
    return {
        "uid": "messenger-bridge",
        "title": "Messenger bridge",
        "description": "What crosses between the chats, how fast, and what does not",
        "tags": ["messenger-bridge"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source(), _variable("account"), _variable("route")]},
        "panels": list(_placed()),
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(label: str) -> dict[str, Any]:
    metric = {"account": "messenger_bridge_account_up", "route": "messenger_bridge_route_ends"}[label]
    return {
        "name": label,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": f"label_values({metric}, {label})", "refId": label},
        "refresh": 2,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _placed() -> Iterator[dict[str, Any]]:
    """From left to right, then down."""
    x = y = height = 0
    for number, panel in enumerate(PANELS, 1):
        if x + panel.columns > _WIDTH:
            x, y, height = 0, y + height, 0
        yield _panel(number, panel) | {"gridPos": {"x": x, "y": y, "w": panel.columns, "h": panel.rows}}
        x, height = x + panel.columns, max(height, panel.rows)


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": _SOURCE, "expr": expr, "legendFormat": legend, "exemplar": panel.exemplars}
        for index, (expr, legend) in enumerate(panel.queries)
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {"textMode": "name"} if panel.title == "Version" else {},
    }
