"""The context that decoding needs beside the payload: who we are, looked-up names, parents of threads. Pure. Called by `decode`
and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from adapters.slack.identity import Identity
from adapters.slack.names import Names
from bridge.model.events import Author, EventMeta
from bridge.model.refs import ChatRef


class Parent(NamedTuple):
    """A thread's first message, as a reply quotes it. Either part may be empty."""

    author_name: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Context:
    """What decoding needs beside the payload. `parents` by channel and `ts`."""

    identity: Identity
    names: Names
    received_at: datetime
    parents: Mapping[tuple[str, str], Parent] = field(default_factory=dict)


def event_meta(context: Context, channel: str, key: str, occurred_at: datetime, author: Author | None = None) -> EventMeta:
    """The part that all events have."""
    return EventMeta(
        event_key=key,
        origin=ChatRef(context.identity.account, channel),
        occurred_at=occurred_at,
        received_at=context.received_at,
        author=author,
    )
