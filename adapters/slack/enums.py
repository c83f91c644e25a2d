"""The words that options of a Slack account choose among. Apart from `config`, which needs pydantic."""

from __future__ import annotations

from enum import StrEnum


class Events(StrEnum):
    """How Slack's events reach us."""

    SOCKET = "socket"
    HTTP = "http"


class Replies(StrEnum):
    """What an answer from elsewhere becomes in Slack, whose only reply is the thread."""

    THREAD = "thread"
    BROADCAST = "broadcast"
    """In the thread, and shown in the channel as well."""
    QUOTE = "quote"
    """In the channel, under a quoted line."""
