"""Incoming webhooks of the small Mattermost. For tests only.

Sources: server/channels/web/webhook.go, server/channels/app/webhook.go and app/slack.go of mattermost/mattermost, read 2026-11-27.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from tests.adapters.teamspirit.mattermost_server import MattermostServer

_KNOWN = {"text", "username", "icon_url", "icon_emoji", "channel", "props", "attachments", "type", "priority"}
_OWN_PROPS = ("override_username", "override_icon_url", "override_icon_emoji", "from_webhook")
_LINK = re.compile(r"<([^\n<|>]+)\|([^\n>]+)>")


@dataclass
class IncomingHook:
    channel: str
    is_locked: bool = False
    """Whether it posts into that channel alone."""


async def take(server: MattermostServer, request: web.Request) -> web.Response:
    """`POST /hooks/{id}`. Whatever is wrong, the code is the same; the answer to a post is the word `ok`."""
    if request.content_type == "application/json":
        body = await request.json()
    else:
        body = json.loads(str((await request.post())["payload"]))
    assert not set(body) - _KNOWN, body
    status, channel = _place(server, request.match_info["hook"], body)
    if channel is None:
        return refused(status, request.match_info["hook"])
    props = {key: value for key, value in body.get("props", {}).items() if key not in _OWN_PROPS}
    props["from_webhook"] = "true"
    if server.names_may_be_overridden:
        props["override_username"] = body.get("username") or "webhook"
        if body.get("icon_url"):
            props["override_icon_url"] = body["icon_url"]
    text = _LINK.sub(r"[\2](\1)", with_slack_forms_read(body["text"]))
    for at in range(0, len(text), 16383):
        server.post(channel, server.bot, text[at : at + 16383], props=props)
    return web.Response(text="ok", content_type="text/plain")


def _place(server: MattermostServer, hook_id: str, body: dict[str, Any]) -> tuple[int, str | None]:
    if server.hook_status != 200:
        return server.hook_status, None
    hook = server.incoming.get(hook_id)
    if not server.takes_incoming:
        return 501, None
    if hook is None or not body.get("text") or body["text"] in server.refused_texts:
        return 400, None
    name = body.get("channel", "").removeprefix("#")
    channel = next((key for key, one in server.channels.items() if one["name"] == name), None) if name else hook.channel
    if channel is None:
        return 404, None
    return (403, None) if hook.is_locked and channel != hook.channel else (200, channel)


def with_slack_forms_read(text: str) -> str:
    for name in ("channel", "here", "all"):
        text = text.replace(f"<!{name}>", f"@{name}")
    return text


def refused(status: int, hook_id: str) -> web.Response:
    """Its words have the hook's id, which is all that one needs to post by it."""
    body = {
        "id": "web.incoming_webhook.general.app_error",
        "message": f"Failed to handle the payload of media type application/json for incoming webhook {hook_id}.",
        "detailed_error": "",
        "status_code": status,
    }
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")
