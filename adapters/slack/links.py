"""Links to messages of Slack: read, called by the manifest, and made, called by the adapter. Pure.

Source: https://api.slack.com/methods/chat.getPermalink, read 2026-11-26:
`https://<workspace>.slack.com/archives/<channel>/p<ts without the dot>?thread_ts=<parent>&cid=<channel>`.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bridge.model.platform import LinkedMessage

_HOST = re.compile(r"[a-z0-9.-]+\.slack(?:-gov)?\.com")
_MESSAGE = re.compile(r"/archives/(?P<channel>[CGD][A-Z0-9]+)/p(?P<seconds>\d{10})(?P<rest>\d{6})/?")


def message_of_link(options: Any, link: str) -> LinkedMessage | None:
    try:
        parts = urlsplit(link.strip())
        own = urlsplit(getattr(options, "api_url", None) or "")
        known = _HOST.fullmatch(parts.hostname or "") or (parts.hostname, parts.port) == (own.hostname, own.port)
    except ValueError:
        return None
    found = _MESSAGE.fullmatch(parts.path)
    if parts.scheme not in ("http", "https") or not known or found is None:
        return None
    return LinkedMessage(message_id=f"{found['seconds']}.{found['rest']}", chat=found["channel"])


_CHANNEL = re.compile(r"/archives/(?P<channel>[CGD][A-Z0-9]{5,20})(?:/.*)?")
_CLIENT = re.compile(r"/client/[TE][A-Z0-9]+/(?P<channel>[CGD][A-Z0-9]{5,20})(?:/.*)?")


def chat_of_link(_: Any, link: str) -> str | None:
    """ "Copy link" of a channel or a message, or the address in the browser: `https://app.slack.com/client/<team>/<channel>`."""
    try:
        parts = urlsplit(link.strip())
        known = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "")
    except ValueError:
        return None
    found = _CHANNEL.fullmatch(parts.path) or _CLIENT.fullmatch(parts.path)
    return found["channel"] if known and found is not None else None


def link_to_message(team_url: str, channel: str, ts: str, thread_ts: str | None) -> str:
    """`team_url` is the workspace's own address, as `auth.test` states it; empty: there is no link."""
    if not team_url:
        return ""
    thread = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else ""
    return f"{team_url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}{thread}"
