"""What a post to one of Slack's incoming webhooks would show, for those who take the same payloads. Pure. Called by the manifest.

Source: docs.slack.dev, "Sending messages using incoming webhooks" and "Formatting text for app surfaces", read 2026-11.
"""

from __future__ import annotations

from typing import Any

import msgspec

from adapters.slack.inbound.decode_attachments import decode_attachments
from adapters.slack.inbound.decode_text import decode_text
from adapters.slack.lenient import convert
from adapters.slack.names import NO_NAMES
from adapters.slack.wire import Message
from bridge.model.events import Content
from bridge.model.rich_text import concat

_SHOWN = ("text", "blocks", "attachments", "mrkdwn")


def decode_post(payload: Any) -> Content | None:
    """None for what is no such payload. A post that shows nothing is empty."""
    if not isinstance(payload, dict) or not any(payload.get(name) for name in _SHOWN[:3]):
        return None
    try:
        message = convert({name: payload[name] for name in _SHOWN if name in payload}, Message)
    except (msgspec.MsgspecError, TypeError, ValueError):
        return None
    boxes = message.attachments or []
    # a post is the app's own: what it says of other people's messages, and from where it unfolded something, is its word alone
    own = [msgspec.structs.replace(box, is_share=False, is_msg_unfurl=False, is_app_unfurl=False, from_url=None) for box in boxes]
    below, _ = decode_attachments(own, NO_NAMES, from_app=True)
    above = decode_text(message.text, message.blocks, NO_NAMES, marked=message.mrkdwn)
    return Content(text=concat(above, below), previews=payload.get("unfurl_links") is not False)
