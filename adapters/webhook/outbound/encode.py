"""Encodes messages and their changes as request bodies. Pure.

The events of Standard Webhooks are documented in docs/webhooks-events.md; docs/webhooks-events.schema.json is their schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.webhook.outbound.encode_data import FOREIGN, cut, extras, moment, put_all
from adapters.webhook.outbound.encode_markdown import encode_markdown
from adapters.webhook.outbound.encode_text import encode_slack, encode_text
from adapters.webhook.wire import StandardPayload
from bridge.model.adapter import Copy, Outbound, OutboundDelete, OutboundEdit, OutboundReaction, Reply
from bridge.model.templates import fill_tree, template

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions

MOST_BYTES = 20_000
"""Limit of a body, as Standard Webhooks recommends."""
_NAME_BYTES, _EXCERPT_BYTES, _URL_CHARS = 600, 900, 1000
_ENVELOPE_BYTES = 220
"""Size of a body without `data`, and of when it happened."""


# -- Standard Webhooks ----------------------------------------------------------------------------------------------------------

# `now` is taken where nobody says when it happened. A body is the same at every attempt: the time of the attempt is in a header.


def created(end: str, outbound: Outbound, now: datetime) -> StandardPayload:
    return _event("message.created", _said(end, outbound.token, outbound), _told_at(outbound), now)


def edited(end: str, outbound: OutboundEdit, now: datetime) -> StandardPayload:
    return _event("message.edited", _said(end, _first_id(outbound.copy), outbound), _told_at(outbound), now)


def deleted(end: str, outbound: OutboundDelete, now: datetime) -> StandardPayload:
    return _event("message.deleted", {"end": end, "message_id": _first_id(outbound.copy)}, outbound.occurred_at, now)


def without(message_id: str, deletion: StandardPayload, body: bytes) -> bytes:
    """An event's body once a message is deleted: `deletion` in place of what says something of that message, and no quotation of
    it in what replies to it."""
    event = standard_event(body)
    if event is None:  # of another form: known is only that it names the message
        return to_bytes(deletion)
    data = event["data"]
    if data.get("message_id") == message_id:
        return to_bytes(deletion)
    if data.get("reply_to", {}).get("message_id") != message_id:
        return body
    return to_bytes({**event, "data": {**data, "reply_to": {"message_id": message_id, "author": "", "excerpt": ""}}})


def standard_event(body: bytes) -> dict[str, Any] | None:
    """None: what is kept is of another form, as after a change of the account's style."""
    try:
        event = json.loads(body)
    except ValueError:
        return None
    is_one = isinstance(event, dict) and isinstance(event.get("type"), str) and isinstance(event.get("data"), dict)
    return event if is_one else None


def foreign(end: str, message_id: str, at: datetime) -> StandardPayload:
    """A line in place of what is of another form."""
    return _event("message.created", {"end": end, "message_id": message_id, "text": FOREIGN}, None, at)


def reacted(end: str, outbound: OutboundReaction, now: datetime, *, added: bool) -> StandardPayload:
    """`emoji`: the reactions added or removed; `reactions`: all current ones."""
    emoji = outbound.added if added else outbound.removed
    data = {
        "end": end,
        "message_id": _first_id(outbound.copy),
        "emoji": list(emoji)[:100],
        "reactions": list(outbound.wanted)[:100],
    }
    return _event("reaction.added" if added else "reaction.removed", data, outbound.occurred_at, now)


def pinned(end: str, copy: Copy, now: datetime, *, is_pinned: bool) -> StandardPayload:
    kind = "message.pinned" if is_pinned else "message.unpinned"
    return _event(kind, {"end": end, "message_id": _first_id(copy)}, None, now)


def to_bytes(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _event(kind: str, data: dict[str, Any], occurred_at: datetime | None, now: datetime) -> StandardPayload:
    """`timestamp` is of the event, as Standard Webhooks says: spec/standard-webhooks.md, "Payload structure"."""
    when = {} if occurred_at is None else {"occurred_at": moment(occurred_at)}
    return StandardPayload(type=kind, timestamp=moment(occurred_at or now), data={**data, **when})


def _told_at(outbound: Outbound | OutboundEdit) -> datetime | None:
    return outbound.original.occurred_at if outbound.original is not None else None


def _said(end: str, message_id: str, outbound: Outbound | OutboundEdit) -> dict[str, Any]:
    """The text is always complete; the rest is added while there is room, the Markdown form first."""
    original = outbound.original
    data: dict[str, Any] = {
        "end": end,
        "message_id": message_id,
        "text": encode_text(outbound.text),
    }
    if outbound.sender is not None:
        data["author"] = {"name": cut(outbound.sender.name, _NAME_BYTES)}
    if outbound.reply is not None:
        data["reply_to"] = _reply(outbound.reply)
    put_all(data, {"markdown": encode_markdown(outbound.text)}, MOST_BYTES - _ENVELOPE_BYTES)
    if outbound.sender is not None and 0 < len(outbound.sender.avatar_url) <= _URL_CHARS:
        author = {**data["author"], "avatar_url": outbound.sender.avatar_url}
        put_all(data, {"author": author}, MOST_BYTES - _ENVELOPE_BYTES)
    put_all(data, extras(original, outbound.listed_files), MOST_BYTES - _ENVELOPE_BYTES)
    return data


def _reply(reply: Reply) -> dict[str, Any]:
    named = {"message_id": reply.message_id} if reply.message_id else {}
    return {**named, "author": cut(reply.author_name, _NAME_BYTES), "excerpt": cut(reply.excerpt, _EXCERPT_BYTES)}


def _first_id(copy: Copy) -> str:
    return copy.message_ids[0] if copy.message_ids else ""


# -- the other styles -----------------------------------------------------------------------------------------------------------


def slack_body(outbound: Outbound) -> bytes:
    """For Slack's incoming webhooks and receivers of the same payload. `mrkdwn: false`: texts of people are not markup."""
    return to_bytes({"text": encode_slack(outbound.text, mass_mentions=outbound.mass_mentions), "mrkdwn": False})


def template_body(options: WebhookOptions, end: str, outbound: Outbound, now: datetime) -> bytes:
    """The body by the admin's template. Its variables are the entries of `data`, `type`, `timestamp` and `id`."""
    event = created(end, outbound, now)
    values = {"type": event["type"], "timestamp": event["timestamp"], "id": outbound.token, "author": {}, **event["data"]}
    if isinstance(options.body, str):
        return template(options.body).text(values).encode("utf-8", "replace")
    return to_bytes(fill_tree(options.body or {}, values) or {})
