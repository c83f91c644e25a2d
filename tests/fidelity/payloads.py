"""Messages and events in the shapes in which each platform sends them, short to write. Shapes: docs/platforms.md, the corpus."""

from __future__ import annotations

import itertools
from typing import Any

Json = dict[str, Any]

_ids = itertools.count(1)
_MOMENT = 1795669643
_KIM: Json = {"id": 500000777, "is_bot": False, "first_name": "Kim", "last_name": "Lee", "username": "kim_lee"}


def telegram(text: str = "", *entities: Json, kind: str = "message", **fields: Any) -> Json:
    """An update. An entity without a place covers the word "word" in the text."""
    number = fields.pop("message_id", None) or 70000 + next(_ids)
    message: Json = {
        "message_id": number,
        "from": _KIM,
        "chat": {"id": -1001234567890, "title": "lobby", "type": "supergroup"},
        "date": _MOMENT,
        **fields,
    }
    if text:
        inside = (
            "caption" if any(name in fields for name in ("photo", "video", "animation", "document", "audio", "voice")) else "text"
        )
        message |= {inside: text} | (
            {f"{inside}_entities" if inside == "caption" else "entities": [_placed(text, e) for e in entities]}
        )
    return {kind: message}


def _placed(text: str, entity: Json) -> Json:
    covered = entity.get("covers", "word")
    start = len(text[: text.index(covered)].encode("utf-16-le")) // 2
    told = {key: value for key, value in entity.items() if key != "covers"}
    return {"offset": start, "length": len(covered.encode("utf-16-le")) // 2, **told}


def telegram_file(kind: str, name: str, mime: str, **more: Any) -> Json:
    file: Json = {
        "file_id": f"id-{name}",
        "file_unique_id": f"u-{name}",
        "file_size": 120,
        "file_name": name,
        "mime_type": mime,
        **more,
    }
    if kind == "photo":
        small = {key: file[key] for key in ("file_id", "file_unique_id", "file_size")}
        return {"photo": [{**small, "width": 64, "height": 48}]}
    return {kind: file}


def slack(*leaves: Json | str, elements: list[Json] | None = None, **fields: Any) -> Json:
    """A message event with a rich_text block of these leaves, or of these elements."""
    ts = f"{_MOMENT + next(_ids)}.000100"
    told = [{"type": "text", "text": leaf} if isinstance(leaf, str) else leaf for leaf in leaves if leaf]
    inner = elements or ([{"type": "rich_text_section", "elements": told}] if told else [])
    words = " ".join(str(leaf.get("text", "")) for leaf in told)
    event: Json = {
        "type": "message",
        "channel": "C0000000001",
        "channel_type": "channel",
        "ts": ts,
        "event_ts": ts,
        "user": "U0PERSON01",
    }
    if inner:
        event |= {"text": words, "blocks": [{"type": "rich_text", "block_id": "x", "elements": inner}]}
    return event | fields


def slack_event(kind: str, **fields: Any) -> Json:
    """An event about the channel itself."""
    return {"type": kind, "channel": "C0000000001", "channel_type": "C", "team": "T0TEAM001", "user": "U0PERSON02"} | fields


def slack_text(text: str, **style: bool) -> Json:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def slack_file(name: str, mime: str, **more: Any) -> Json:
    number = f"F0FILE{next(_ids):04}"
    address = f"https://files.slack.com/files-pri/T0TEAM001-{number}"
    return {
        "id": number,
        "name": name,
        "title": name,
        "mimetype": mime,
        "filetype": name.rpartition(".")[2],
        "user": "U0PERSON01",
        "mode": "hosted",
        "size": 120,
        "url_private": f"{address}/{name}",
        "url_private_download": f"{address}/download/{name}",
        "permalink": f"https://example.slack.com/files/U0PERSON01/{number}/{name}",
        **more,
    }


def slack_files(text: str, *files: Json) -> Json:
    return slack(text, subtype="file_share", files=list(files))


def discord(content: str = "", *, kind: str = "MESSAGE_CREATE", **fields: Any) -> Json:
    message: Json = {
        "id": str(200000000000000000 + next(_ids)),
        "channel_id": "100000000000000001",
        "guild_id": "100000000000000003",
        "type": 0,
        "flags": 0,
        "content": content,
        "author": {"id": "7", "username": "anna", "global_name": "Kim Lee", "avatar": None},
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "timestamp": "2026-11-26T05:07:23.000000+00:00",
        "edited_timestamp": None,
        "attachments": [],
        "embeds": [],
        "components": [],
        **fields,
    }
    return {"t": kind, "d": message}


def discord_file(name: str, mime: str, **more: Any) -> Json:
    number = str(300000000000000000 + next(_ids))
    address = f"https://cdn.discordapp.com/attachments/100000000000000001/{number}/{name}?ex=1&is=1&hm=1&"
    return {"id": number, "filename": name, "content_type": mime, "size": 120, "url": address, "proxy_url": address, **more}


def teamspirit(text: str = "", *, event: str = "message.created", files: tuple[Json, ...] = (), **fields: Any) -> Json:
    number = next(_ids)
    told: Json = {
        "event_id": f"e-{number:04}",
        "event": event,
        "time": "2026-11-26T05:07:23.000000Z",
        "chat": {"id": "chat-0001", "name": "lobby"},
        "user": {"id": "u-0001", "name": "kim", "display_name": "Kim Lee", "avatar_url": None, "is_bot": False},
    }
    if text or files:
        told["message"] = {
            "id": f"m-{number:04}",
            "text": text,
            "format": "markdown",
            "reply_to": None,
            "thread": None,
            "client_id": None,
            "files": list(files),
            "sent_at": "2026-11-26T05:07:23.000000Z",
            "edited_at": None,
        }
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(told.get(key), dict):
            told[key] = told[key] | value
        elif "message" in told and key in told["message"]:
            told["message"][key] = value
        else:
            told[key] = value
    return told


def teamspirit_file(name: str, mime: str) -> Json:
    return {"id": f"f-{next(_ids):04}", "name": name, "mime": mime, "size": 120}
