"""A request as decoders see it, and the result of decoding. Types only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from adapters.webhook.inbound.body import Body
from bridge.model.characters import clean
from bridge.model.events import Content


class Received(msgspec.Struct, frozen=True, kw_only=True):
    body: Body
    method: str = "POST"
    headers: Mapping[str, str] = {}
    """By lower-case name, without credentials."""
    query: Mapping[str, str] = {}
    by_person: bool = False
    """Sent by a website's form."""
    place: str = "in"
    """See `KeyGrant.place`: at Mattermost's path (`hooks`) and ntfy's (empty), payloads are read as theirs."""


class Answer(StrEnum):
    """The form of response that the sender expects."""

    JSON = "json"
    SLACK = "slack"
    MATTERMOST = "mattermost"
    DISCORD = "discord"
    FORM = "form"
    PAGE = "page"
    """A visit to a page: the response shows nothing."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded message."""

    content: Content
    answer: Answer = Answer.JSON
    id: str = ""
    """The sender's id of the subject: later requests with this id are updates."""
    over: bool = False
    changes: str = ""
    """The id that an earlier request was answered: this one changes its message, if that is still known."""
    is_deletion: bool = False
    """Of the message that it changes."""
    author: str = ""
    avatar_url: str = ""
    failed: str = ""
    """The parts that a template could not show, and why."""


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """Understood, and deliberately not a message. `reason` is counted."""

    reason: str
    answer: Answer = Answer.JSON


def cleaned(said: Said) -> Said:
    """The same message, without lone surrogates, which JSON may contain and the journal cannot store."""
    try:
        msgspec.json.encode(said)
    except UnicodeEncodeError:
        return msgspec.convert(_clean(msgspec.to_builtins(said)), Said)
    return said


def _clean(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case dict():
            return {name: _clean(each) for name, each in value.items()}
        case list() | tuple():
            return [_clean(each) for each in value]
        case _:
            return value


SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-gitlab-token", "x-api-key", "x-auth-token"})


def shown_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that templates may read: no credentials, no signatures."""
    found: dict[str, Any] = {}
    for name, value in headers.items():
        low = name.lower()
        if low not in SECRET_HEADERS and "signature" not in low:
            found.setdefault(low, value)
    return found
