"""ntfy's events to the bridge's. Pure. Only id, time and topic are strict: an odd value elsewhere costs no more than itself."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from adapters.common.lenient import record, records, whole, words
from bridge.model import events
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import plain

_ID = re.compile(r"[-_A-Za-z0-9]{1,64}")
_KINDS = {"image": events.AttachmentKind.PHOTO, "video": events.AttachmentKind.VIDEO, "audio": events.AttachmentKind.AUDIO}
_PRIORITIES = {4: "❗ high priority", 5: "‼️ highest priority"}


class Undecodable(ValueError):
    """Not of ntfy's shape."""


def parse(line: bytes) -> dict[str, Any]:
    """One line of the stream. Raises Undecodable without a proper id, time, event and topic."""
    try:
        wire = json.loads(line)
    except (ValueError, RecursionError):
        raise Undecodable("no JSON") from None
    if not isinstance(wire, dict) or not all(isinstance(wire.get(key), str) for key in ("id", "event", "topic")):
        raise Undecodable("no id, event or topic")
    if not _ID.fullmatch(wire["id"]) or type(wire.get("time")) is not int or not 0 <= wire["time"] < 2**33:
        raise Undecodable("an id or time that is none")
    return wire


def decode(wire: dict[str, Any], account: AccountName, *, is_own: bool, now: datetime) -> events.ChatEvent | events.Ignored:
    """An update is decoded as a creation of the message that it updates; if that message is known, it is an edit (`edit_of`)."""
    mark, kind = words(wire.get("sequence_id")), wire["event"]
    title = words(wire.get("title")).strip() or wire["topic"]
    meta = events.EventMeta(
        event_key=f"{kind}:{account}:{wire['topic']}:{mark or wire['id']}",
        origin=ChatRef(account, wire["topic"]),
        occurred_at=datetime.fromtimestamp(wire["time"], UTC),
        received_at=now,
        author=events.Author(user_id=title, name=title),
        sent_by_us=is_own,
        delivery_id=mark,
    )
    match kind:
        case "message":
            return events.MessageCreated(meta=meta, message_id=mark or wire["id"], content=_content(wire, now))
        case "message_delete":
            return events.MessageDeleted(meta=meta, message_id=mark)
        case _:
            return events.Ignored("ntfy: neither a message nor a deletion")


def edit_of(update: events.MessageCreated, event_id: str) -> events.MessageEdited:
    meta = replace(update.meta, event_key=f"{update.meta.event_key}:{event_id}")
    return events.MessageEdited(meta=meta, message_id=update.message_id, content=update.content)


def _content(wire: dict[str, Any], now: datetime) -> events.Content:
    """All that an app shows: priority, tags, what a tap opens and the buttons become lines below the words."""
    text, file, files = words(wire.get("message")), record(wire.get("attachment")), []
    if url := words(file.get("url")):
        name, mime, expires_s = words(file.get("name")), words(file.get("type")), whole(file.get("expires"))
        text = "" if text == f"You received a file: {name}" else text
        attachment = events.Attachment(
            kind=_KINDS.get(mime.partition("/")[0], events.AttachmentKind.DOCUMENT),
            file_id=url,
            name=name,
            mime=mime,
            size_bytes=whole(file.get("size")),
            problem="it has expired" if expires_s and expires_s < now.timestamp() else "",
        )
        files.append(attachment)
    tags = wire.get("tags")
    shown = ", ".join(filter(None, map(words, tags if isinstance(tags, list) else [])))
    lines = [text, _PRIORITIES.get(whole(wire.get("priority")) or 3, ""), f"🏷️ {shown}" if shown else ""]
    lines += [f"🔗 {click}"] if (click := words(wire.get("click"))) else []
    for action in records(wire.get("actions")):
        lines.append(
            f"▶️ {words(action.get('label'))} {words(action.get('url')) if action.get('action') == 'view' else ''}".rstrip()
        )
    return events.Content(text=plain("\n".join(filter(None, lines))), attachments=tuple(files))
