"""Outbound messages to the bodies of calls. Pure."""

from __future__ import annotations

from datetime import datetime

from adapters.webhook.outbound.encode_text import encode_text
from adapters.webhook.wire import StandardPayload
from bridge.model.adapter import Outbound


def payload_of(outbound: Outbound, now: datetime) -> StandardPayload:
    data = {"chat": outbound.chat_id, "text": encode_text(outbound.text)}
    return StandardPayload(type="message.created", timestamp=now.isoformat(), data=data)
