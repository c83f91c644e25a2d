"""A message in matterbridge's form: what is kept for readers, and what they get. Pure.

All fields are there in every message, as Go writes them. `Extra` is an object, since programs look into it. A message has one file
at most: some programs look at the first alone (deltachat-bot/matterdelta, api.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.webhook.matterbridge_api.file_entries import file_info, file_lines
from adapters.webhook.outbound.encode_data import FOREIGN, cut, moment
from adapters.webhook.outbound.encode_text import encode_text
from bridge.model.adapter import Outbound, OutboundEdit
from bridge.model.original import Original

CHANNEL = PROTOCOL = "api"
CONNECTED, DELETED = "api_connected", "msg_delete"
_EVENTS = {"membership": "join_leave", "renamed": "topic_change"}
"""matterbridge's names for what happened in a chat, by ours. Programs show such lines in another form, or leave them out."""
BRIDGE = "bridge"
"""Who says what nobody in a chat said."""
_NAME_BYTES, _EXCERPT_BYTES, _URL_CHARS = 600, 900, 1000


def message(
    *,
    text: str = "",
    username: str = "",
    userid: str = "",
    avatar: str = "",
    account: str = "",
    event: str = "",
    gateway: str = "",
    parent_id: str = "",
    at: datetime,
    id: str = "",
    channel: str = CHANNEL,
    protocol: str = PROTOCOL,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "text": text,
        "channel": channel,
        "username": username,
        "userid": userid,
        "avatar": avatar,
        "account": account,
        "event": event,
        "protocol": protocol,
        "gateway": gateway,
        "parent_id": parent_id,
        "timestamp": moment(at),
        "id": id,
        "Extra": extra,
    }


def greeting(now: datetime) -> dict[str, Any]:
    """What every stream begins with."""
    return message(channel="", protocol="", event=CONNECTED, at=now)


def missed(count: int, gateway: str, now: datetime) -> dict[str, Any]:
    """A line in the place of messages that are no longer kept."""
    noun = "message is" if count == 1 else "messages are"
    return message(text=f"{count} earlier {noun} no longer kept", username=BRIDGE, gateway=gateway, at=now, extra={})


# -- what is kept -----------------------------------------------------------------------------------------------------------------


def said(
    account: str,
    gateway: str,
    message_id: str,
    outbound: Outbound | OutboundEdit,
    now: datetime,
    files: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """A message, or what it says after an edit. What it answers is kept apart from its words, so that those can be taken back; so
    are its `files` (`file_entries`)."""
    origin, reply, sender = outbound.original or Original(occurred_at=now), outbound.reply, outbound.sender
    avatar = sender.avatar_url if sender is not None and len(sender.avatar_url) <= _URL_CHARS else ""
    kept: dict[str, Any] = {
        "message": message(
            text=encode_text(outbound.text),
            username=cut(sender.name, _NAME_BYTES) if sender is not None else BRIDGE,
            avatar=avatar,
            account=f"{origin.platform or PROTOCOL}.{origin.account or account}",
            event=_EVENTS.get(origin.kind, ""),
            protocol=origin.platform or PROTOCOL,
            gateway=gateway,
            parent_id=reply.message_id if reply is not None else "",
            at=origin.occurred_at,
            id=message_id,
            extra={},
        )
    }
    if reply is not None and (reply.author_name or reply.excerpt):
        kept["quote"] = {"author": cut(reply.author_name, _NAME_BYTES), "excerpt": cut(reply.excerpt, _EXCERPT_BYTES)}
    if files:
        kept["files"] = list(files)
    return _to_bytes(kept)


def deleted(account: str, gateway: str, message_id: str, at: datetime) -> bytes:
    """That a message is gone. matterbridge's own events of this kind have this text too."""
    told = message(text=DELETED, account=f"{PROTOCOL}.{account}", event=DELETED, gateway=gateway, at=at, id=message_id, extra={})
    return _to_bytes({"message": told})


def without(message_id: str, deletion: bytes, kept: bytes) -> bytes:
    """What is kept of a message once another, or itself, is deleted: no words of the deleted one."""
    record = _record(kept)
    if record is None or record["message"]["id"] == message_id:  # of another form is only known that it names the message
        return deletion
    if record["message"]["parent_id"] == message_id:
        record.pop("quote", None)
        return _to_bytes(record)
    return kept


def files_in(kept: bytes) -> list[dict[str, Any]]:
    """The files of a message, as they are kept."""
    record = _record(kept)
    return [] if record is None else list(record.get("files", ()))


def shown(kept: bytes, gateway: str, at: datetime, data: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """What a reader gets. What is answered stands behind the text, as matterbridge writes it (`QuoteFormat`). What the account kept
    while it had another style is a line. `data`: the bytes of its files, by the name they are kept under; one without is a line."""
    record = _record(kept)
    if record is None:
        return message(text=FOREIGN, username=BRIDGE, gateway=gateway, at=at, extra={})
    found: dict[str, Any] = record["message"]
    files, data = record.get("files", ()), data or {}
    if lines := file_lines(one for one in files if one["line"] or one["id"] not in data):
        found["text"] = f"{found['text']}\n{lines}" if found["text"] else lines
    if infos := [file_info(one, data[one["id"]]) for one in files if one["id"] in data]:
        found["Extra"] = {"file": infos}
    if quote := record.get("quote"):
        words = ": ".join(part for part in (quote["author"], " ".join(quote["excerpt"].split())) if part)
        found["text"] = f"{found['text']} (re @{words})"
    return found


def _record(kept: bytes) -> dict[str, Any] | None:
    """None: it is of another form."""
    try:
        record = json.loads(kept)
    except ValueError:
        return None
    inner = record.get("message") if isinstance(record, dict) else None
    return record if isinstance(inner, dict) and {"id", "text", "parent_id"} <= inner.keys() else None


def _to_bytes(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def line(shown_message: Mapping[str, Any]) -> bytes:
    """As one line of JSON, with its end."""
    return _to_bytes(shown_message) + b"\n"
