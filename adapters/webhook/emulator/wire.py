"""The records as they look on the wire, by the platform's reference. Pure."""

from __future__ import annotations

from typing import Any

from adapters.webhook.emulator.records import Message


def message_wire(message: Message) -> dict[str, Any]:
    raise NotImplementedError("emulator/wire.py: message_wire: every field that the platform sends")
