"""Which kinds of a platform's objects a payload shows: events, fields, blocks, elements, styles. Pure; used by `test_kinds`, which
compares them with the lists in KINDS.md.

A kind is written `family: name`. The readers go through a payload by the places where a platform's reference has objects of a kind,
and never ask an adapter: what an adapter does not read must be seen here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PAGE = Path(__file__).parent / "KINDS.md"
INVENTED = "?"
"""Behind a kind that no reference has: it stands for those of tomorrow."""
_MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")
_TOKENS = {
    "user": r"<@!?\d+>",
    "role": r"<@&\d+>",
    "channel": r"<#\d+>",
    "command": r"</[^:>]+:\d+>",
    "emoji": r"<:\w+:\d+>",
    "animated emoji": r"<a:\w+:\d+>",
    "guide": r"<id:\w+",
    "everyone": r"@everyone",
    "here": r"@here",
    "address without preview": r"<https?://[^>]+>",
}


def listed() -> dict[str, dict[str, list[str]]]:
    """KINDS.md: by platform and family the names, as they are written."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[2].startswith("`"):
            assert cells[1] not in found.setdefault(cells[0], {}), f"KINDS.md lists {cells[0]} {cells[1]} twice"
            found[cells[0]][cells[1]] = re.findall(r"`([^`]+)`", cells[2])
    return found


def kinds_of(origin: str, payload: Json) -> set[str]:
    return set(_READERS[origin](payload)) if origin in _READERS else set()


def _walk(value: Any, key: str = "") -> Iterator[tuple[str, Json]]:
    """Every object with the name it has in the object around it, outer ones first."""
    if isinstance(value, dict):
        yield key, value
        for name, inner in value.items():
            yield from _walk(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)


# -- Telegram ---------------------------------------------------------------------------------------------------------------


def _telegram(update: Json) -> Iterator[str]:
    for name, told in update.items():
        yield f"update: {name}"
        if name in _MESSAGES:
            yield from (f"field: {field}" for field in told)
            yield f"chat: {told['chat']['type']}"
            yield from _telegram_rich(told.get("rich_message") or {})
    for key, each in _walk(update):
        kind = each.get("type")
        if key.endswith("entities"):
            yield f"entity: {kind or 'untyped'}"
        elif key in ("forward_origin", "origin") and isinstance(kind, str):
            yield f"origin: {kind}"
        elif key in ("old_reaction", "new_reaction"):
            yield f"reaction: {kind}"
        elif key == "paid_media" and kind:
            yield f"paid media: {kind}"
        elif key == "sticker" and "file_id" in each:
            form = "animated" if each.get("is_animated") else "video" if each.get("is_video") else "static"
            yield from (f"sticker: {form}", f"sticker: {kind or 'regular'}")
        elif key == "inline_keyboard":
            yield from (f"button: {field}" for field in each if field not in ("text", "style", "icon_custom_emoji_id"))
        elif key == "poll" and "options" in each:
            yield f"poll: {kind or 'regular'}"
            yield from (f"poll: {field}" for field in ("description", "explanation", "explanation_media") if field in each)
            yield from (f"poll media: {field}" for field in each.get("media", {}))
            yield from (f"poll media: {field}" for option in each["options"] for field in option.get("media", {}))


def _telegram_rich(rich: Json) -> Iterator[str]:
    for key, each in _walk(rich):
        if "type" in each and key in ("blocks",):
            yield f"rich block: {each['type']}"
        elif "type" in each and key in ("text", "summary", "credit", "caption", "cells"):
            yield f"rich text: {each['type']}"


# -- Slack ------------------------------------------------------------------------------------------------------------------


def _slack(event: Json) -> Iterator[str]:
    yield f"event: {event['type']}"
    for message in (event, event.get("message")):
        if isinstance(message, dict) and message.get("type", "message") == "message" and "user" not in message.get("ts", ""):
            yield f"subtype: {message.get('subtype', 'none')}"
            yield from _slack_blocks(message.get("blocks") or [])
            for attachment in message.get("attachments") or []:
                yield from (f"attachment: {field}" for field in attachment)
                yield from (f"action: {each.get('type')}" for each in attachment.get("actions") or [])
                yield from _slack_blocks([attachment.get("blocks") or [], attachment.get("message_blocks") or []])
    for key, each in _walk(event):
        if key == "files" and "id" in each:
            yield f"file: {each.get('mode') or 'hosted'}"
            yield from (f"file: {each[field]}" for field in ("subtype", "file_access", "external_type") if each.get(field))


def _slack_blocks(value: Any, holder: str = "") -> Iterator[str]:
    """`holder`: the kind of what a list of blocks or elements is in."""
    if isinstance(value, list):
        for each in value:
            yield from _slack_blocks(each, holder)
    if not isinstance(value, dict):
        return
    kind = value.get("type")
    is_text = isinstance(kind, str) and kind.startswith("rich_text") and kind != "rich_text_input"
    if is_text:
        yield f"rich text: {kind}"
        if kind == "rich_text":
            yield "block: rich_text"
    elif isinstance(kind, str) and holder.startswith("rich_text"):
        yield f"leaf: {kind}"
        style = value.get("style")
        yield from (f"style: {name}" for name in style if style[name]) if isinstance(style, dict) else ()
    elif isinstance(kind, str) and holder not in ("chart", "option"):
        yield f"{'block' if holder in _HOLD_BLOCKS else 'element'}: {kind}"
    inside = str(kind) if is_text else ""
    for name, inner in value.items():
        if name == "chart" and isinstance(inner, dict):
            yield f"chart: {inner.get('type')}"
        yield from _slack_blocks(inner, inside or ("blocks" if name in _HOLD_BLOCKS or kind == "carousel" else name))


_HOLD_BLOCKS = ("", "blocks", "child_blocks")


# -- Discord ----------------------------------------------------------------------------------------------------------------


def _discord(dispatch: Json) -> Iterator[str]:
    if "op" in dispatch:
        yield f"session: {dispatch['op']}"
        return
    told = dispatch["d"]
    yield f"event: {dispatch['t']}"
    if dispatch["t"] == "MESSAGE_CREATE":
        yield f"message: {told.get('type', 0)}"
    if dispatch["t"].startswith("MESSAGE_REACTION"):
        yield f"reaction: {'custom' if (told.get('emoji') or {}).get('id') else 'unicode'}"
    yield from (f"field: {field}" for field in told) if "content" in told else ()
    for key, each in _walk({"": told}):
        flags = each.get("flags")
        holder = {"": "flag", "message": "flag", "attachments": "attachment flag"}.get(key)
        if holder and isinstance(flags, int):
            yield from (f"{holder}: {1 << bit}" for bit in range(48) if flags >> bit & 1)
        if key == "embeds":
            yield f"embed: {each.get('type', 'rich') if isinstance(each.get('type', 'rich'), str) else 'odd'}"
            yield from (f"embed field: {field}" for field in each if field != "type")
        elif key in ("components", "component", "accessory") and "type" in each:
            yield f"component: {each['type']}"
            yield from (f"button: {each['style']}" for _ in range(1) if each["type"] == 2 and "style" in each)
        elif key == "sticker_items":
            yield f"sticker: {each.get('format_type')}"
        elif key == "attachments":
            yield from (f"attachment: {field}" for field in each)
        elif key == "message_reference":
            yield f"reference: {each.get('type', 0)}"
        content = each.get("content")
        if isinstance(content, str):
            yield from (f"token: {name}" for name, token in _TOKENS.items() if re.search(token, content))
            yield from (f"timestamp: {style or 'none'}" for style in re.findall(r"<t:-?\d+(?::(\w))?>", content))


# -- the others -------------------------------------------------------------------------------------------------------------


def _teamspirit(call: Json) -> Iterator[str]:
    yield f"event: {call.get('event')}"
    message = call.get("message")
    if isinstance(message, dict):
        yield from (f"field: {field}" for field in message)
        yield f"format: {message.get('format')}"
        yield from (f"card: {field}" for field in message.get("card") or ())
    if isinstance(call.get("status"), dict):
        yield f"status: {call['status'].get('status')}"


def _mattermost(told: Json) -> Iterator[str]:
    if "event" in told:
        yield f"event: {told['event']}"
        return
    yield f"post: {told.get('type') or 'none'}"
    props = told.get("props") if isinstance(told.get("props"), dict) else {}
    yield from (f"prop: {field}" for field in props or {})
    for attachment in (props or {}).get("attachments") or []:
        yield from (f"attachment: {field}" for field in attachment) if isinstance(attachment, dict) else ()
    metadata = told.get("metadata") if isinstance(told.get("metadata"), dict) else {}
    yield from (f"metadata: {field}" for field in metadata or {})
    yield from (f"embed: {embed.get('type')}" for embed in (metadata or {}).get("embeds") or [])


def _pachca(call: Json) -> Iterator[str]:
    yield f"call: {call.get('type')} {call.get('event')}"
    yield from (f"entity: {call['entity_type']}" for _ in range(1) if "entity_type" in call)
    yield from (f"field: {field}" for field in call)


def _rocketchat(call: Json) -> Iterator[str]:
    if "_id" in call:
        yield f"history: {call.get('t', 'none')}"
        return
    yield from (f"field: {field}" for field in call)


def _webhook(request: Json) -> Iterator[str]:
    yield from (f"body: {kind}" for kind in ("json", "text", "form", "multipart", "files") if request.get(kind))
    yield f"method: {request.get('method', 'POST')}"


_READERS: dict[str, Callable[[Json], Iterator[str]]] = {
    "telegram": _telegram,
    "slack": _slack,
    "discord": _discord,
    "teamspirit": _teamspirit,
    "mattermost": _mattermost,
    "pachca": _pachca,
    "rocketchat": _rocketchat,
    "webhook": _webhook,
}
