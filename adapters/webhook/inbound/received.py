"""A request as far as what it says depends on it. Types only."""

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
    """By their names in small letters, without those that prove who somebody is."""
    query: Mapping[str, str] = {}
    by_person: bool = False
    """It came from a form on a website."""
    place: str = "in"
    """See `KeyGrant.place`: at Mattermost's path (`hooks`) and at ntfy's (empty) their own payloads are meant."""


class Answer(StrEnum):
    """In which form the sender wants to be told."""

    JSON = "json"
    SLACK = "slack"
    MATTERMOST = "mattermost"
    DISCORD = "discord"
    FORM = "form"
    PAGE = "page"
    """A page was called: whoever looks at the answer sees nothing."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says."""

    content: Content
    answer: Answer = Answer.JSON
    id: str = ""
    """Names what it tells of, for later ones that tell how it goes on."""
    over: bool = False
    author: str = ""
    avatar_url: str = ""
    failed: str = ""
    """What a template could not show, and why."""


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """It was understood and is deliberately no message. `reason` is counted, `told` goes to the sender."""

    reason: str
    answer: Answer = Answer.JSON


def cleaned(said: Said) -> Said:
    """The same if it can be stored; else without the halves of surrogate pairs, which JSON can carry into any text."""
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
    """Those that templates may read."""
    found: dict[str, Any] = {}
    for name, value in headers.items():
        low = name.lower()
        if low not in SECRET_HEADERS and "signature" not in low:
            found.setdefault(low, value)
    return found
