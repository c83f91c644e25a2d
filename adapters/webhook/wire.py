"""What goes over the wire, as far as the bridge itself decides its shape. Types only.

Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md ("Payload structure"), read 2026-11-26.
"""

from __future__ import annotations

from typing import Any, TypedDict


class StandardPayload(TypedDict):
    """A Standard Webhook: what happened, when (ISO 8601), and to what."""

    type: str
    timestamp: str
    data: dict[str, Any]
