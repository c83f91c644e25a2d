"""Payloads as senders send them, by their public references and public code; each has secrets that must not be shown."""

from __future__ import annotations

from typing import Any

SECRET = "s3cr3t-of-the-payload"


def alertmanager(status: str = "firing", *members: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A group of notify/webhook. `endsAt` is the year 1 while an alert fires."""
    alerts = [
        {
            "status": state,
            "labels": {"alertname": "DiskFull", "instance": instance, "severity": "critical", "token": SECRET},
            "annotations": {"summary": f"disk of {instance} is full"},
            "startsAt": "2026-11-26T05:07:23.1Z",
            "endsAt": "0001-01-01T00:00:00Z" if state == "firing" else "2026-11-26T05:17:23.1Z",
            "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
            "fingerprint": instance,
        }
        for instance, state in members or (("db1", status),)
    ]
    return {
        "receiver": "bridge",
        "status": status,
        "alerts": alerts,
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {"alertname": "DiskFull", "severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://alerts:9093",
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        **more,
    }


GRAFANA = {
    "receiver": "bridge",
    "status": "firing",
    "orgId": 1,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "High memory", "instance": "web1", "password": SECRET},
            "annotations": {"summary": "memory is nearly used up"},
            "startsAt": "2026-11-26T05:07:23Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "values": {"B": 92.5},
            "valueString": "[ var='B' ]",
            "generatorURL": "https://grafana.example.com/alerting/1/edit",
            "fingerprint": "f1",
            "silenceURL": f"https://grafana.example.com/silence?token={SECRET}",
        },
        {"status": "resolved", "labels": {"alertname": "High memory", "instance": "web2"}, "annotations": {}, "values": None},
    ],
    "groupLabels": {"alertname": "High memory"},
    "commonLabels": {"alertname": "High memory"},
    "commonAnnotations": {},
    "externalURL": "https://grafana.example.com/",
    "version": "1",
    "groupKey": '{}/{}:{alertname="High memory"}',
    "truncatedAlerts": 0,
    "title": "[FIRING:1, RESOLVED:1] High memory",
    "state": "alerting",
    "message": "**Firing** ...",
}

GRAFANA_LEGACY = {
    "dashboardId": 1,
    "evalMatches": [{"value": 100, "metric": "High value", "tags": None}],
    "imageUrl": "https://grafana.example.com/image.png",
    "message": "Someone is testing the alert notification",
    "orgId": 1,
    "panelId": 1,
    "ruleId": 7,
    "ruleName": "CPU",
    "ruleUrl": "https://grafana.example.com/d/1",
    "state": "alerting",
    "tags": {},
    "title": "[Alerting] CPU",
}

_REPOSITORY = {"full_name": "octo/web", "html_url": "https://github.com/octo/web", "private": True}
_SENDER = {"login": "octocat", "avatar_url": "https://avatars.githubusercontent.com/u/1", "html_url": "https://github.com/octocat"}

GITHUB: dict[str, tuple[str, dict[str, Any]]] = {
    "ping": (
        "ping",
        {
            "zen": "Keep it logically awesome.",
            "hook_id": 1,
            "hook": {"config": {"url": f"https://bridge.example.com/in/{SECRET}", "secret": "********"}},
            "repository": _REPOSITORY,
            "sender": _SENDER,
        },
    ),
    "push": (
        "push",
        {
            "ref": "refs/heads/main",
            "before": "1" * 40,
            "after": "2" * 40,
            "created": False,
            "deleted": False,
            "forced": True,
            "compare": "https://github.com/octo/web/compare/1...2",
            "commits": [
                {"id": "a1b2c3d4" * 5, "message": "Fix *the* _thing_\n\nlong story", "author": {"name": "Anna", "email": "a@b.c"}},
                {"id": "b1b2c3d4" * 5, "message": "Second", "author": {"name": "octocat"}},
            ],
            "head_commit": None,
            "pusher": {"name": "octocat", "email": SECRET},
            "repository": _REPOSITORY,
            "sender": _SENDER,
        },
    ),
    "branch gone": (
        "push",
        {"ref": "refs/heads/x", "deleted": True, "commits": [], "head_commit": None, "repository": _REPOSITORY, "sender": _SENDER},
    ),
    "pull request": (
        "pull_request",
        {
            "action": "opened",
            "number": 5,
            "pull_request": {"number": 5, "title": "Add <b>", "html_url": "https://github.com/octo/web/pull/5", "body": None},
            "repository": _REPOSITORY,
            "sender": _SENDER,
        },
    ),
    "merged": (
        "pull_request",
        {
            "action": "closed",
            "pull_request": {"number": 5, "title": "Add it", "merged": True, "html_url": "https://x.y/5", "body": "b"},
            "repository": _REPOSITORY,
            "sender": _SENDER,
        },
    ),
    "comment": (
        "issue_comment",
        {
            "action": "created",
            "issue": {"number": 7, "title": "Broken"},
            "comment": {"id": 99, "body": "**bold** and `code`", "html_url": "https://github.com/octo/web/issues/7#c"},
            "repository": _REPOSITORY,
            "sender": _SENDER,
        },
    ),
    "release": (
        "release",
        {
            "action": "published",
            "release": {"tag_name": "v1.2", "name": None, "body": None, "html_url": "https://github.com/octo/web/releases/v1.2"},
            "repository": _REPOSITORY,
            "sender": _SENDER,
        },
    ),
    "run": (
        "workflow_run",
        {
            "action": "completed",
            "workflow_run": {
                "id": 3,
                "name": "CI",
                "conclusion": "failure",
                "head_branch": "main",
                "html_url": "https://github.com/octo/web/actions/runs/3",
                "head_commit": {"message": "Fix\n\nx"},
            },
            "repository": _REPOSITORY,
            "sender": _SENDER,
        },
    ),
    "check": ("check_run", {"action": "created", "check_run": {"id": 1}, "repository": _REPOSITORY, "sender": _SENDER}),
    "unknown": ("fork", {"forkee": {"full_name": "x/y"}, "repository": _REPOSITORY, "sender": _SENDER}),
}

_PROJECT = {"name": "Web", "path_with_namespace": "group/web", "web_url": "https://gitlab.example.com/group/web"}

GITLAB: dict[str, dict[str, Any]] = {
    "pipeline": {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": 31,
            "iid": 3,
            "ref": "master",
            "status": "failed",
            "variables": [{"key": "DEPLOY_TOKEN", "value": SECRET}],
        },
        "user": {
            "id": 1,
            "name": "Administrator",
            "username": "root",
            "avatar_url": "https://gitlab.example.com/a.png",
            "email": SECRET,
        },
        "project": _PROJECT,
        "commit": {"id": "bcbb5ec3", "title": "Test pipeline", "message": "Test pipeline\n"},
        "builds": [
            {"id": 380, "stage": "deploy", "name": "production", "status": "skipped"},
            {"id": 377, "stage": "test", "name": "unit", "status": "failed"},
        ],
    },
    "merge request": {
        "object_kind": "merge_request",
        "user": {"name": "Anna", "avatar_url": "https://gitlab.example.com/b.png"},
        "project": _PROJECT,
        "object_attributes": {
            "id": 99,
            "iid": 1,
            "title": "MS-Viewport",
            "action": "open",
            "state": "opened",
            "description": "some **words**",
            "url": "https://gitlab.example.com/group/web/-/merge_requests/1",
        },
    },
    "note": {
        "object_kind": "note",
        "user": {"name": "Anna"},
        "project": _PROJECT,
        "object_attributes": {"id": 1241, "note": "This MR needs work.", "url": "https://gitlab.example.com/n"},
        "merge_request": {"id": 7, "iid": 1, "title": "Tempora"},
    },
    "push": {
        "object_kind": "push",
        "ref": "refs/heads/main",
        "after": "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
        "user_name": "John Smith",
        "user_avatar": "https://gitlab.example.com/c.png",
        "project": _PROJECT,
        "commits": [{"id": "b6568db1bc1dcd7f8b4d5a946b0b91f9", "message": "Update Catalan\n\nx", "title": "Update Catalan"}],
        "total_commits_count": 1,
    },
}

SENTRY: dict[str, dict[str, Any]] = {
    "issue": {
        "action": "created",
        "installation": {"uuid": SECRET},
        "data": {
            "issue": {
                "id": "1170820242",
                "shortId": "WEB-1",
                "title": "ReferenceError: blooopy is not defined",
                "culprit": "?(runner)",
                "level": "error",
                "web_url": "https://sentry.example.com/issues/1170820242/",
                "project": {"name": "front-end", "slug": "front-end"},
                "metadata": {"value": SECRET},
            }
        },
        "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    },
    "alert": {
        "action": "triggered",
        "installation": {"uuid": SECRET},
        "data": {
            "event": {
                "title": "ReferenceError: heck is not defined",
                "culprit": "?(runner)",
                "level": "error",
                "environment": "prod",
                "web_url": "https://sentry.example.com/issues/1/events/2/",
                "request": {"cookies": [["session", SECRET]], "headers": [["Authorization", SECRET]]},
                "exception": {"values": [{"stacktrace": {"frames": [{"vars": {"password": SECRET}}]}}]},
            },
            "triggered_rule": "Very Important Alert Rule!",
        },
        "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    },
    "legacy": {
        "id": "7470688687",
        "project": "git-tool",
        "project_name": "git-tool",
        "project_slug": "git-tool",
        "logger": "root",
        "level": "error",
        "culprit": "main in main",
        "message": "",
        "url": "https://sentry.example.com/issues/7470688687/",
        "triggering_rules": ["Send a notification"],
        "event": {"title": "Test Error: something went wrong", "request": {"cookies": SECRET}, "user": {"ip_address": SECRET}},
    },
}

_ISSUE = {
    "id": "10002",
    "self": "https://acme.atlassian.net/rest/api/2/issue/10002",
    "key": "WEB-42",
    "fields": {
        "summary": "Broken login",
        "status": {"name": "To Do"},
        "priority": {"name": "High"},
        "assignee": None,
        "description": SECRET,
    },
}

JIRA: dict[str, dict[str, Any]] = {
    "created": {
        "timestamp": 1795669643000,
        "webhookEvent": "jira:issue_created",
        "issue_event_type_name": "issue_created",
        "user": {"accountId": "5b10a", "displayName": "Anna Petrova", "avatarUrls": {"48x48": "https://acme.example.com/a.png"}},
        "issue": _ISSUE,
    },
    "updated": {
        "timestamp": 1795669643000,
        "webhookEvent": "jira:issue_updated",
        "issue": _ISSUE,
        "changelog": {
            "id": "1",
            "items": [
                {"field": "status", "fromString": "To Do", "toString": "Done"},
                {"field": "assignee", "fromString": None, "toString": "Anna"},
                {"field": "description", "fromString": SECRET, "toString": SECRET},
            ],
        },
    },
    "comment": {
        "timestamp": 1795669643000,
        "webhookEvent": "comment_created",
        "comment": {"id": "9", "body": "I look at it", "author": {"displayName": "Ben"}},
        "issue": _ISSUE,
    },
}


def kuma(status: int | None, msg: str) -> dict[str, Any]:
    """None: the test that its settings page sends."""
    if status is None:
        return {"heartbeat": None, "monitor": None, "msg": msg}
    return {
        "heartbeat": {
            "monitorID": 7,
            "status": status,
            "time": "2026-11-26 05:07:23",
            "msg": msg,
            "important": True,
            "duration": 60,
        },
        "monitor": {
            "id": 7,
            "name": "API",
            "url": "https://api.example.com/health",
            "basic_auth_pass": SECRET,
            "pushToken": SECRET,
        },
        "msg": f"[API] [Down] {msg}",
    }


HEALTHCHECKS = {
    "name": "backup",
    "slug": "backup",
    "tags": "prod db",
    "desc": "the nightly one",
    "grace": 60,
    "n_pings": 3,
    "status": "down",
    "last_ping": "2026-11-26T05:07:23+00:00",
    "uuid": "6d1f0a2e-0000-4000-8000-000000000001",
    "ping_url": f"https://hc-ping.com/{SECRET}",
}
