"""Payloads as senders send them: those of the corpus (`tests/corpus/webhook`) by name, and variations of them. Nobody may see their
secrets."""

from __future__ import annotations

from typing import Any

from tests.corpus.case import HERE, SECRET, read

__all__ = ["GITHUB", "GITLAB", "GRAFANA", "GRAFANA_LEGACY", "HEALTHCHECKS", "JIRA", "SECRET", "SENTRY", "alertmanager", "kuma"]

Payload = dict[str, Any]


def sent(case: str, number: int = 0) -> Payload:
    """The JSON of a case's request."""
    payload: Payload = read(HERE / "webhook" / f"{case}.json").payloads[number]["json"]
    return payload


def told(case: str, number: int = 0) -> tuple[str, Payload]:
    """GitHub's event, which a header names, and its JSON."""
    request = read(HERE / "webhook" / f"{case}.json").payloads[number]
    return request["headers"]["X-GitHub-Event"], request["json"]


def alertmanager(status: str = "firing", *members: tuple[str, str], **more: Any) -> Payload:
    """A group of these instances, each with its own status."""
    group = sent("alertmanager")
    (alert,) = group["alerts"]
    alerts = [
        {
            **alert,
            "status": state,
            "labels": {**alert["labels"], "instance": instance},
            "annotations": {"summary": f"disk of {instance} is full"},
            "endsAt": alert["endsAt"] if state == "firing" else "2026-11-26T05:17:23.1Z",
            "fingerprint": instance,
        }
        for instance, state in members or (("db1", status),)
    ]
    return {**group, "status": status, "alerts": alerts, **more}


GRAFANA = sent("grafana")
GRAFANA_LEGACY = sent("grafana-legacy")

GITHUB: dict[str, tuple[str, Payload]] = {
    "ping": told("github-ping"),
    "push": told("github-push"),
    "branch gone": told("github-push", 1),
    "issue": told("github-issues"),
    "label": told("github-issues", 1),
    "comment": told("github-issues", 2),
    "pull request": told("github-pull-request"),
    "merged": told("github-pull-request", 1),
    "release": told("github-rest"),
    "run": told("github-rest", 1),
    "check": told("github-rest", 2),
    "unknown": told("github-rest", 3),
}
GITLAB = {name: sent("gitlab", number) for number, name in enumerate(("push", "merge request", "note", "pipeline"))}
SENTRY = {name: sent(f"sentry-{name}") for name in ("issue", "alert", "legacy")}
JIRA = {name: sent("jira", number) for number, name in enumerate(("created", "updated", "comment"))}
HEALTHCHECKS = sent("healthchecks")


def kuma(status: int | None, msg: str) -> Payload:
    """None: the test that its settings page sends."""
    if status is None:
        return {**sent("uptime-kuma"), "msg": msg}
    down = sent("uptime-kuma", 1)
    return {**down, "heartbeat": {**down["heartbeat"], "status": status, "msg": msg}, "msg": f"[API] [Down] {msg}"}
