"""The alert rules for Prometheus that come with the bridge. Data and its form; `monitoring/` has the file that is made of it.

Source: prometheus.io/docs/prometheus/latest/configuration/alerting_rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`summary` and `action` may have templates of Prometheus, `{{ $labels.account }}`. `after`: how long the expression must
    hold."""

    name: str
    expr: str
    after: str
    severity: str
    """`critical`: messages are not relayed. `warning`: a human is needed soon."""
    summary: str
    action: str


_ACCOUNT, _ROUTE = "{{ $labels.account }}", "{{ $labels.route }}"
_HEALTH = "Look at /health, or at `systemctl status messenger-bridge`: it says what to do"

ALERTS = (
    Alert(
        name="MessengerBridgeAbsent",
        expr="absent(messenger_bridge_ok)",
        after="5m",
        severity="critical",
        summary="No messenger bridge answers Prometheus",
        action="See whether it runs (`systemctl status messenger-bridge`), and whether Prometheus reaches web.admin.listen",
    ),
    Alert(
        name="MessengerBridgeNotRelaying",
        expr="messenger_bridge_ok == 0",
        after="5m",
        severity="critical",
        summary="The bridge does not relay everything",
        action=_HEALTH,
    ),
    Alert(
        name="MessengerBridgeAccountDown",
        expr="messenger_bridge_account_up == 0",
        after="10m",
        severity="critical",
        summary=f"Account {_ACCOUNT} is not connected, or its platform is not heard",
        action=_HEALTH,
    ),
    Alert(
        name="MessengerBridgeAccountParked",
        expr='messenger_bridge_account_state{state="parked"} == 1',
        after="1m",
        severity="critical",
        summary=f"Account {_ACCOUNT} waits for a human",
        action=_HEALTH,
    ),
    Alert(
        name="MessengerBridgeEndDead",
        expr='messenger_bridge_route_ends{status="fail"} > 0',
        after="10m",
        severity="warning",
        summary=f"Route {_ROUTE} has an end at which nothing is relayed",
        action=_HEALTH,
    ),
    Alert(
        name="MessengerBridgeDeadLetters",
        expr="messenger_bridge_dead_letters > 0",
        after="1m",
        severity="warning",
        summary="{{ $value }} deliveries were given up",
        action="`messenger-bridge dead list` says which and why, `dead retry` sends them again, `dead drop` gives them up",
    ),
    Alert(
        name="MessengerBridgeWaitingLong",
        expr="messenger_bridge_oldest_waiting_seconds > 900",
        after="5m",
        severity="warning",
        summary=f"A message into account {_ACCOUNT} has waited for {{{{ $value | humanizeDuration }}}}",
        action="`lanes` in /health says for what it waits; `messenger-bridge retry-now` ends the wait",
    ),
    Alert(
        name="MessengerBridgeSlow",
        expr="histogram_quantile(0.99, sum by (instance, account, le) (rate(messenger_bridge_lag_seconds_bucket[10m]))) > 60",
        after="15m",
        severity="warning",
        summary=f"One of a hundred messages into account {_ACCOUNT} takes more than a minute",
        action="The platform's rates hold them back, or it is slow: `messenger_bridge_retries_total` and the log say which",
    ),
    Alert(
        name="MessengerBridgeRefused",
        expr='sum by (instance, account) (increase(messenger_bridge_deliveries_total{outcome="dead"}[1h])) > 10',
        after="1m",
        severity="warning",
        summary=f"More than ten deliveries into account {_ACCOUNT} were given up within an hour",
        action="`messenger-bridge dead list` says why",
    ),
    Alert(
        name="MessengerBridgeNotUnderstood",
        expr='sum by (instance, account) (increase(messenger_bridge_events_total{outcome="undecodable"}[1h])) > 0',
        after="1m",
        severity="warning",
        summary=f"The platform of account {_ACCOUNT} sent something that the bridge does not understand",
        action="It was kept. Look whether there is a newer version of the bridge; if not, please report it",
    ),
    Alert(
        name="MessengerBridgeGap",
        expr="sum by (instance, account) (increase(messenger_bridge_gaps_total[1h])) > 0",
        after="0m",
        severity="warning",
        summary=f"Messages of account {_ACCOUNT} were missed and cannot be fetched",
        action="The chats concerned were told from when to when; the log line `gap` says why",
    ),
    Alert(
        name="MessengerBridgeDiskFull",
        expr="messenger_bridge_disk_free_bytes < 256e6",
        after="5m",
        severity="critical",
        summary="The disk of the {{ $labels.folder }} has {{ $value | humanize }}B left",
        action="Free space there: without it no message can be accepted",
    ),
    Alert(
        name="MessengerBridgeRestarts",
        expr="(changes(process_start_time_seconds[1h]) and on (instance, job) messenger_bridge_ok) > 3",
        after="0m",
        severity="warning",
        summary="The bridge was started {{ $value }} times within an hour",
        action="`journalctl -u messenger-bridge` says why it ended",
    ),
)


def rules() -> dict[str, Any]:
    """The document of a rule file."""
    return {"groups": [{"name": "messenger-bridge", "rules": [_rule(alert) for alert in ALERTS]}]}


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.after,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.action},
    }
