"""Links to messages of a TeamSpirit or Mattermost server: read, called by the manifest, and made, called by the adapter. Pure.

Mattermost's "Copy Link": `<server>/<team>/pl/<post>`. A post's id is unique on its server, so no channel is named.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bridge.model.platform import LinkedMessage

_MESSAGE = re.compile(r"/[a-z0-9_-]+/pl/(?P<message>[A-Za-z0-9_-]{1,64})/?")


def message_of_link(options: Any, link: str) -> LinkedMessage | None:
    try:
        parts = urlsplit(link.strip())
        server = urlsplit(getattr(options, "server", None) or "")
        same = not server.hostname or (server.hostname, server.port) == (parts.hostname, parts.port)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or not same:
        return None
    # a server may live below a path of its own
    found = _MESSAGE.fullmatch(parts.path.removeprefix(server.path.rstrip("/")))
    return None if found is None else LinkedMessage(message_id=found["message"], is_unique=True)


_CHANNEL = re.compile(r"/[a-z0-9_-]+/channels/(?P<channel>[A-Za-z0-9_.-]{1,64})/?")


def chat_of_link(options: Any, link: str) -> str | None:
    """The channel's name, which is part of its address on Mattermost: `<server>/<team>/channels/<name>`."""
    try:
        parts = urlsplit(link.strip())
        server = urlsplit(getattr(options, "server", None) or "")
        same = bool(server.hostname) and (server.hostname, server.port) == (parts.hostname, parts.port)
    except ValueError:
        return None
    found = _CHANNEL.fullmatch(parts.path.removeprefix(server.path.rstrip("/")))
    return found["channel"] if same and found is not None else None


def link_to_message(server: str, message_id: str) -> str:
    """By the address that needs no team's name, `<server>/_redirect/pl/<post>`; empty where the server's address is not known.

    Source: Mattermost since 5.16 (mattermost-webapp#3313, mattermost-developer-documentation#920). That TeamSpirit has the same is
    not confirmed."""
    return f"{server.rstrip('/')}/_redirect/pl/{message_id}" if server else ""
