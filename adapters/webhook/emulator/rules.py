"""What the receiver insists on. Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md, read 2026-11-26."""

from __future__ import annotations

MOST_BYTES = 20_000
"""Of a body, as the specification recommends."""
TYPES = frozenset(
    {
        *("message.created", "message.edited", "message.deleted", "message.pinned", "message.unpinned"),
        *("reaction.added", "reaction.removed"),
    }
)
IDS_KEPT = 10_000
"""A receiver remembers what it has, so that another attempt is nothing new."""
