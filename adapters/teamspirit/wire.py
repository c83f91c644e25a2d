"""Payloads as this adapter passes them on: a call ready to be sent, a message as the dialect found it, and JSON read leniently.

What lies in a payload is the dialect's to say, so that no type of a payload itself is here: `adapters.common.queries` looks into
the JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from bridge.model.events import Author, Content

_LONGEST_NUMBER = 300
"""Digits. Reading a number takes time that grows with the square of them."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready to be sent. URL, headers and bodies may hold keys, so they are in no repr. The URL is encoded: whoever sends
    it must not do so once more, or a chat named `..` would become a step up."""

    operation: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(repr=False)
    json_body: bytes | None = field(default=None, repr=False)
    form: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    multipart: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    base: str = field(default="", repr=False)
    """Where the dialect puts the server's API; empty if it does not."""
    is_led: bool = False
    """Whether the host comes of what the server said, not of the dialect or bridge.yaml."""


class Undecodable(ValueError):
    """The payload is not what the dialect says it is."""


class NativeMessage(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A message as the server has it now."""

    message_id: str
    chat_id: str
    author: Author
    content: Content
    sent_at: datetime | None
    """None: the server did not tell, or not so that it can be read."""
    thread_id: str | None = None
    client_id: str = ""
    edited_at: datetime | None = None
    updated_at: datetime | None = None
    deleted: bool = False
    system: bool = False
    tells: str = ""
    """Of a notice of the server: the event that it is told as, if any; with these:"""
    member: Author | None = None
    chat_name: str = ""
    files_known: bool = True
    """Whether the server told which files the message has. A list that is missing is not an empty one."""
    has_cards: bool = False
    """Whether it has what apps post. Servers count its changes as no edit of the message."""

    @cached_property
    def version(self) -> str:
        """Differs whenever the message was edited: also within the same second, where a server's times are no finer than that."""
        parts = (
            msgspec.json.encode(self.content.text),
            *(file.file_id.encode("utf-8", "surrogatepass") for file in self.content.attachments),
            *(msgspec.json.encode(more) for more in (self.content.location, self.content.contact) if more is not None),
        )
        words = hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
        return words if self.edited_at is None else f"{in_ms(self.edited_at)}-{words}"

    @property
    def edition(self) -> str:
        """The same for the key of an edit: also differs from an earlier edition with the same words, if the server gives times."""
        changed_at = self.changed_at
        return self.version if changed_at is None or self.edited_at == changed_at else f"{in_ms(changed_at)}-{self.version}"

    @property
    def changed_at(self) -> datetime | None:
        """The time of the latest change; None if the server does not tell."""
        return self.updated_at or self.edited_at


def load_json(text: str | bytes) -> Any:
    """JSON as `json.loads` reads it. Numbers that Python does not read, for their length, are kept as text: one odd value in one of
    a hundred messages must not hide them all. Raises ValueError, RecursionError."""
    return json.loads(text, parse_int=_number)


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def in_ms(moment: datetime) -> int:
    """Unix time in milliseconds."""
    return round(moment.timestamp() * 1000)
