"""The rules that the receiver enforces. Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md, read 2026-11-26."""

from __future__ import annotations

MOST_BYTES = 20_000
"""Limit of a body, as the specification recommends."""
TYPES = frozenset(
    {
        *("message.created", "message.edited", "message.deleted", "message.pinned", "message.unpinned"),
        *("reaction.added", "reaction.removed"),
    }
)
IDS_KEPT = 10_000
"""Ids of received events that are remembered, so that a repeated attempt is ignored."""
