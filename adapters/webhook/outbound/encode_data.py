"""Encodes the parts of a message other than its text, as entries of an event's `data`: files, a location, a poll and so on. Pure.

The size of a body is limited, so entries are added while there is room. The text has a line for each of them anyway.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.model.adapter import ListedFile
from bridge.model.events import Contact, Forward, Location, Poll
from bridge.model.original import Original

_WORD_BYTES, _LINE_BYTES = 300, 1500
_URL_CHARS = 2000


FOREIGN = "[a message that was kept in another form, before the account's style was changed]"
"""What a reader gets instead of it."""


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def size_of(value: Any) -> int:
    """Size of the value as JSON, in bytes."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def cut(text: str, most_bytes: int) -> str:
    """The beginning of the text, at most `most_bytes` long as JSON."""
    text = text[:most_bytes]
    while size_of(text) - 2 > most_bytes:
        text = text[: len(text) * 3 // 4]
    return text


def extras(original: Original | None, files: Sequence[ListedFile]) -> dict[str, Any]:
    """The entries, the most important first."""
    found: dict[str, Any] = {}
    if original is not None and original.thread_id:
        found["thread"] = {"id": cut(original.thread_id, _WORD_BYTES)}
    if files:
        found["files"] = [_file(file) for file in files]
    if original is None:
        return found
    if original.location is not None:
        found["location"] = _location(original.location)
    if original.contact is not None:
        found["contact"] = _contact(original.contact)
    if original.poll is not None:
        found["poll"] = _poll(original.poll)
    if original.forwarded_from is not None:
        found["forwarded_from"] = _forward(original.forwarded_from)
    return found


def put_all(data: dict[str, Any], entries: Mapping[str, Any], most_bytes: int) -> None:
    """Add each entry that keeps `data` within `most_bytes`; of a list, as many first values as fit."""
    left_bytes = most_bytes - size_of(data)
    for name, value in entries.items():
        kept = _first_of(value, left_bytes - len(name) - 6) if isinstance(value, list) else value
        cost_bytes = size_of({name: kept}) - (size_of({name: data[name]}) if name in data else 0)
        if cost_bytes <= left_bytes and kept != []:
            data[name] = kept
            left_bytes -= cost_bytes


def _first_of(values: list[Any], most_bytes: int) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        most_bytes -= size_of(value) + 1
        if most_bytes < 0:
            break
        kept.append(value)
    return kept


def _file(file: ListedFile) -> dict[str, Any]:
    kind, size_bytes = file.attachment.kind.value, file.attachment.size_bytes
    found: dict[str, Any] = {"name": cut(file.name, _WORD_BYTES), "mime": cut(file.mime, _WORD_BYTES), "kind": kind}
    if size_bytes is not None:
        found["size_bytes"] = size_bytes
    if 0 < len(file.url) <= _URL_CHARS:
        found["url"] = file.url
    return found


def _location(location: Location) -> dict[str, Any]:
    found: dict[str, Any] = {"latitude": location.latitude, "longitude": location.longitude}
    found |= {name: cut(value, _LINE_BYTES) for name, value in (("title", location.title), ("address", location.address)) if value}
    return {**found, "live": True} if location.live else found


def _contact(contact: Contact) -> dict[str, Any]:
    found: dict[str, Any] = {"name": cut(contact.name, _WORD_BYTES)}
    if contact.phone:
        found["phone"] = cut(contact.phone, _WORD_BYTES)
    if contact.details:
        found["details"] = [cut(line, _WORD_BYTES) for line in contact.details[:20]]
    return found


def _poll(poll: Poll) -> dict[str, Any]:
    options = [
        {"text": cut(option.text, _WORD_BYTES), **({} if option.votes is None else {"votes": option.votes})}
        for option in poll.options[:50]
    ]
    kinds = {"multiple": poll.multiple, "anonymous": poll.anonymous, "closed": poll.closed}
    return {"question": cut(poll.question, _LINE_BYTES), "options": options, **kinds}


def _forward(forward: Forward) -> dict[str, Any]:
    names = (("author", forward.author_name), ("chat", forward.chat_name))
    return {name: cut(value, _WORD_BYTES) for name, value in names if value}
