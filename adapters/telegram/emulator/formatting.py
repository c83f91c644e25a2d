"""Text as Telegram stores it: entities checked, texts trimmed, links and mentions found. Pure.

Offsets and lengths are UTF-16 code units, limits are Unicode code points (platforms.md 1.2, 1.4). The rules follow TDLib's
MessageEntity.cpp as far as platforms.md and TDLib's own answers (the tests ask it through tdjson) describe them.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.rules import ENTITIES_KEPT, TEXT_BYTES, TEXT_LENGTH

Json = dict[str, Any]

_SPLITTABLE = {"bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote"}
_SENDABLE = _SPLITTABLE | {"code", "pre", "text_link", "text_mention", "custom_emoji", "date_time"}
_PARAMETERS = {
    "text_link": "url",
    "text_mention": "user",
    "custom_emoji": "custom_emoji_id",
    "date_time": "unix_time",
}

_LABEL = r"[^\W_](?:[^\W_]|-(?=-*[^\W_-]))*"
_FOUND = re.compile(
    rf"(?P<url>\bhttps?://(?:{_LABEL}\.)+{_LABEL}(?![\w-])[^\s<>\"]*"
    rf"|(?<![\w@.-])(?:{_LABEL}\.)+(?:com|org|net|io|ru|dev|me|info|co|example)\b(?:/[^\s<>\"]*)?)"
    r"|(?P<email>(?<![\w.])[\w.+-]+@[\w-]+\.[\w.-]*\w)"
    r"|(?P<mention>(?<!\w)@[A-Za-z][A-Za-z0-9_]{2,31}(?!\w))"
    r"|(?P<hashtag>(?<![\w&])\#(?=\w*[^\W\d])\w{1,256})"
    r"|(?P<cashtag>(?<![\w])\$[A-Z]{1,8}(?!\w))"
    r"|(?P<bot_command>(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/]))",
    re.IGNORECASE,
)


def utf16_length(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(1 for char in text if ord(char) > 0xFFFF)


def utf16_index(text: str) -> list[int]:
    """For each UTF-16 offset of `text`, and its end, the index of that character; -1 in the middle of a surrogate pair."""
    index: list[int] = []
    for position, char in enumerate(text):
        index.append(position)
        if ord(char) > 0xFFFF:
            index.append(-1)
    index.append(len(text))
    return index


def store_text(text: str, entities: list[Json], *, limit: int, known_users: dict[int, Json]) -> tuple[str, list[Json]]:
    """A text as it is stored: entities checked, white space trimmed, what Telegram finds by itself added.

    Raises ApiError as the server does: a text too long, an entity that begins or ends where there is no character.
    """
    if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES:
        raise bad_request("message is too long" if limit == TEXT_LENGTH else "message caption is too long")
    kept = _checked(text, entities, known_users)
    text, kept = _trimmed(text, kept)
    if len(text) > limit:
        raise bad_request("message is too long" if limit == TEXT_LENGTH else "message caption is too long")
    return text, sorted(kept + found_entities(text, kept), key=lambda entity: (entity["offset"], -entity["length"]))


def _checked(text: str, entities: list[Json], known_users: dict[int, Json]) -> list[Json]:
    if not entities:
        return []
    index = utf16_index(text)
    size = len(index) - 1
    kept: list[Json] = []
    unsplittable = 0
    for entity in entities:
        if not isinstance(entity, dict) or "type" not in entity:
            raise bad_request("can't parse MessageEntity: expected an object")
        kind, offset, length = str(entity["type"]), entity.get("offset"), entity.get("length")
        if not isinstance(offset, int) or not isinstance(length, int):
            raise bad_request("can't parse MessageEntity: Field offset must be of type Number")
        if kind not in _SENDABLE or length <= 0 or offset < 0:
            continue
        if offset + length > size:
            raise bad_request(f"entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {size}")
        if index[offset] < 0 or index[offset + length] < 0:
            where = "begins" if index[offset] < 0 else "ends"
            raise bad_request(f"entity {where} in a middle of a UTF-16 symbol at byte offset {offset}")
        clean = _with_parameters(kind, entity, known_users)
        if clean is None:
            continue
        if kind not in _SPLITTABLE:
            unsplittable += 1
            if unsplittable > ENTITIES_KEPT:
                continue
        kept.append(clean)
    return kept


def _with_parameters(kind: str, entity: Json, known_users: dict[int, Json]) -> Json | None:
    """The entity as stored; None for one that the server drops quietly."""
    clean: Json = {"type": kind, "offset": entity["offset"], "length": entity["length"]}
    if kind == "pre" and entity.get("language"):
        clean["language"] = str(entity["language"])
    parameter = _PARAMETERS.get(kind)
    if parameter is None:
        return clean
    value = entity.get(parameter)
    if kind == "text_link":
        value = checked_link(str(value or ""))
    elif kind == "text_mention":
        value = known_users.get(int((value or {}).get("id", 0)))
    if kind == "date_time" and entity.get("date_time_format"):
        clean["date_time_format"] = entity["date_time_format"]
    if value is None:
        return None
    clean[parameter] = value
    return clean


def checked_link(url: str) -> str | None:
    """A link as the server keeps it, or None where it drops the entity: other schemes, and hosts without a dot."""
    url = url.strip()
    if url.startswith(("tg://", "ton://")):
        return url
    if "://" not in url:
        if re.match(r"[a-z][a-z0-9+.-]*:(?!\d)", url, re.IGNORECASE) and not url.lower().startswith("mailto:"):
            return None
        url = "http://" + url
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or "." not in host.strip(".") or re.search(r"\s", url):
        return None
    return url if parts.path or parts.query or parts.fragment else url + "/"


def _trimmed(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    stripped = text.strip()
    if len(stripped) == len(text):
        return text, entities
    lead = utf16_length(text[: len(text) - len(text.lstrip())])
    size = utf16_length(stripped)
    kept: list[Json] = []
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] + entity["length"] - lead, size)
        if end > start:
            kept.append(entity | {"offset": start, "length": end - start})
    return stripped, kept


def found_entities(text: str, entities: list[Json]) -> list[Json]:
    """URLs, mentions, tags, commands and addresses that Telegram marks by itself, outside code and explicit links."""
    if not any(sign in text for sign in ".@#$/"):
        return []
    blocked = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in entities
        if entity["type"] in ("code", "pre", "text_link", "text_mention", "custom_emoji", "date_time")
    ]
    found: list[Json] = []
    for match in _FOUND.finditer(text):
        kind = str(match.lastgroup)
        words = match.group()
        if kind == "url":
            words = words.rstrip(".,;:!?)'\"")
        if kind == "cashtag" and not words.isupper():
            continue
        offset = utf16_length(text[: match.start()])
        length = utf16_length(words)
        if not any(start < offset + length and offset < end for start, end in blocked):
            found.append({"type": kind, "offset": offset, "length": length})
    return found
