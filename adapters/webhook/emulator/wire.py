"""The wire format of events and of people's messages: the emulator's own types and readers. Pure."""

from __future__ import annotations

import json
from typing import Any, TypedDict

from adapters.webhook.emulator.errors import Refused
from adapters.webhook.emulator.rules import TYPES


class Event(TypedDict):
    type: str
    timestamp: str
    data: dict[str, Any]


class Said(TypedDict):
    """A message as a script posts it."""

    id: str
    text: str
    author: str


def event_of(body: bytes) -> Event:
    """The event. Raises Refused if it is not as documented."""
    event = json.loads(body)
    if not isinstance(event, dict) or set(event) != {"type", "timestamp", "data"} or event["type"] not in TYPES:
        raise Refused(400, "no event that is known")
    data = event["data"]
    if not isinstance(data, dict) or not isinstance(data.get("end"), str) or not isinstance(data.get("message_id"), str):
        raise Refused(400, "the event says nothing of a message")
    return Event(type=event["type"], timestamp=str(event["timestamp"]), data=data)
