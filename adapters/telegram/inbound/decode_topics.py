"""Service messages about topics of a forum: a new name, closed, reopened. Pure. Called by `decode`.

Nothing tells a bot that a topic was deleted. The General topic is told without a topic's id, and hiding it closes it. Source: Bot
API reference 10.3, Message and ForumTopicEdited; platforms.md 1.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.common.lenient import record, words
from bridge.model.events import EventMeta, Ignored, ThreadChange, ThreadChanged

CHANGES: Mapping[str, ThreadChange] = {
    "forum_topic_closed": ThreadChange.CLOSED,
    "forum_topic_reopened": ThreadChange.REOPENED,
    "general_forum_topic_hidden": ThreadChange.CLOSED,
    "general_forum_topic_unhidden": ThreadChange.REOPENED,
}
FIELDS = frozenset({"forum_topic_created", "forum_topic_edited"}) | CHANGES.keys()


def is_about_topic(fields: Mapping[str, Any]) -> bool:
    return not FIELDS.isdisjoint(fields)


def topic_change(fields: Mapping[str, Any], meta: EventMeta) -> ThreadChanged | Ignored:
    """What a service message with one of these fields means."""
    if "forum_topic_created" in fields:
        return Ignored("topic made: its first message shows it")  # no renaming, though it tells a name
    if "forum_topic_edited" in fields:
        name = words(record(fields["forum_topic_edited"]).get("name"))
        return ThreadChanged(meta=meta, change=ThreadChange.RENAMED, name=name) if name else Ignored("topic icon changed")
    change = next(CHANGES[field] for field in CHANGES if field in fields)
    return ThreadChanged(meta=meta, change=change)
