"""What is done in a chat to the bodies of calls. Pure.

Standard Webhooks' events are documented in docs/webhooks-events.md; docs/webhooks-events.schema.json is their schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adapters.webhook.outbound.encode_text import encode_slack, encode_text
from adapters.webhook.wire import StandardPayload
from bridge.model.adapter import Copy, Outbound, OutboundEdit, OutboundReaction, Reply, Sender
from bridge.model.templates import fill_tree, template

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions

MOST_BYTES = 20_000
"""Of a body, as Standard Webhooks recommends."""
_MOST_NAME, _MOST_URL, _MOST_EXCERPT = 200, 1000, 300


# -- Standard Webhooks ----------------------------------------------------------------------------------------------------------


def created(end: str, outbound: Outbound, now: datetime) -> StandardPayload:
    data: dict[str, Any] = {"end": end, "message_id": outbound.token, **_said(outbound)}
    return _event("message.created", data, now)


def edited(end: str, outbound: OutboundEdit, now: datetime) -> StandardPayload:
    data = {"end": end, "message_id": _first_id(outbound.copy), **_said(outbound)}
    return _event("message.edited", data, now)


def deleted(end: str, copy: Copy, now: datetime) -> StandardPayload:
    return _event("message.deleted", {"end": end, "message_id": _first_id(copy)}, now)


def reacted(end: str, outbound: OutboundReaction, now: datetime, *, added: bool) -> StandardPayload:
    """`emoji`: what this is about; `reactions`: all that people react with now."""
    emoji = outbound.added if added else outbound.removed
    data = {
        "end": end,
        "message_id": _first_id(outbound.copy),
        "emoji": list(emoji)[:100],
        "reactions": list(outbound.wanted)[:100],
    }
    return _event("reaction.added" if added else "reaction.removed", data, now)


def pinned(end: str, copy: Copy, now: datetime, *, is_pinned: bool) -> StandardPayload:
    return _event("message.pinned" if is_pinned else "message.unpinned", {"end": end, "message_id": _first_id(copy)}, now)


def to_bytes(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _event(kind: str, data: dict[str, Any], now: datetime) -> StandardPayload:
    return StandardPayload(type=kind, timestamp=now.astimezone(UTC).isoformat(timespec="milliseconds"), data=data)


def _said(outbound: Outbound | OutboundEdit) -> dict[str, Any]:
    said: dict[str, Any] = {"text": encode_text(outbound.text)}
    if outbound.sender is not None:
        said["author"] = _author(outbound.sender)
    if outbound.reply is not None:
        said["reply_to"] = _reply(outbound.reply)
    return said


def _author(sender: Sender) -> dict[str, Any]:
    picture = {"avatar_url": sender.avatar_url} if 0 < len(sender.avatar_url) <= _MOST_URL else {}
    return {"name": sender.name[:_MOST_NAME], **picture}


def _reply(reply: Reply) -> dict[str, Any]:
    named = {"message_id": reply.message_id} if reply.message_id else {}
    return {**named, "author": reply.author_name[:_MOST_NAME], "excerpt": reply.excerpt[:_MOST_EXCERPT]}


def _first_id(copy: Copy) -> str:
    return copy.message_ids[0] if copy.message_ids else ""


# -- the other styles -----------------------------------------------------------------------------------------------------------


def slack_body(outbound: Outbound) -> bytes:
    """For Slack's incoming webhooks and those that take the same payload. `mrkdwn: false`: what people wrote is no markup."""
    return to_bytes({"text": encode_slack(outbound.text, mass_mentions=outbound.mass_mentions), "mrkdwn": False})


def template_body(options: WebhookOptions, end: str, outbound: Outbound, now: datetime) -> bytes:
    """The admin's own, with the entries of `data` as variables, `type`, `timestamp` and `id`."""
    event = created(end, outbound, now)
    values = {"type": event["type"], "timestamp": event["timestamp"], "id": outbound.token, "author": {}, **event["data"]}
    if isinstance(options.body, str):
        return template(options.body).text(values).encode("utf-8", "replace")
    return to_bytes(fill_tree(options.body or {}, values) or {})
