"""What decoding needs beside the payload, and what all its parts share: who we are, our marks, moments. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from adapters.slack.names import Names
from adapters.slack.wire import Message
from bridge.model.events import Author, EventMeta
from bridge.model.refs import AccountName, ChatRef

METADATA_TYPE = "messenger_bridge"
"""`metadata.event_type` of everything the bridge posts; the payload's `id` is the outbound token."""
BLOCK_ID_PREFIX = "mb-"
"""Of the `block_id` of everything the bridge posts, followed by the token: file shares cannot carry metadata."""


class Undecodable(Exception):
    """A payload of a shape this module does not know; `reason` holds no content of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in the workspace. Empty ids match nobody."""

    account: AccountName
    bot_id: str = ""
    user_id: str = ""
    app_id: str = ""

    @property
    def is_known(self) -> bool:
        return bool(self.bot_id or self.user_id)

    def owns(self, message: Message) -> bool:
        """Whether this app posted the message. With a custom name the event has a bot_id and no user."""
        return bool(
            (self.bot_id and message.bot_id == self.bot_id)
            or (self.app_id and message.app_id == self.app_id)
            or (self.user_id and message.user == self.user_id)
        )

    def delivery_id(self, message: Message) -> str:
        """Our own mark on a message of ours, if it carries one. Anybody can write metadata and block ids: on a message of somebody
        else they mean nothing."""
        return _mark(message) if self.owns(message) else ""


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


def moment(ts: str) -> datetime:
    """The time in a `ts`. Raises Undecodable if it is none; a `ts` is never made a float."""
    seconds, _, fraction = ts.partition(".")
    if not seconds.isdigit() or not (fraction or "0").isdigit():
        raise Undecodable("a ts is no timestamp")
    try:
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int((fraction + "000000")[:6]))
    except (ValueError, OverflowError, OSError):
        raise Undecodable("a ts is no timestamp") from None


def to_ts(when: datetime) -> str:
    """The `ts` of a moment, as `oldest` takes it."""
    return f"{int(when.timestamp())}.{when.microsecond:06d}"


def event_meta(context: Context, channel: str, key: str, occurred_at: datetime, author: Author | None = None) -> EventMeta:
    """The part that all events have."""
    return EventMeta(
        event_key=key,
        origin=ChatRef(context.identity.account, channel),
        occurred_at=occurred_at,
        received_at=context.received_at,
        author=author,
    )


def thread_of(thread_ts: str | None, ts: str) -> str | None:
    """The thread a message is a reply in; a thread's first message has its own `ts` as `thread_ts`, and is none."""
    return thread_ts if thread_ts and thread_ts != ts else None


def _mark(message: Message) -> str:
    metadata = message.metadata
    if metadata is not None and metadata.event_type == METADATA_TYPE and metadata.event_payload:
        token = metadata.event_payload.get("id")
        if isinstance(token, str):
            return token
    if message.blocks:
        try:
            blocks = msgspec.json.decode(message.blocks, type=list[_BlockId])
        except msgspec.DecodeError:
            return ""
        for block in blocks:
            if block.block_id.startswith(BLOCK_ID_PREFIX):
                return block.block_id.removeprefix(BLOCK_ID_PREFIX).partition(".")[0]
    return ""


class _BlockId(msgspec.Struct):
    block_id: str = ""
