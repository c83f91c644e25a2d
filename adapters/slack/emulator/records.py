"""The emulated workspace's records: people, channels, messages, files. Plain data; the rules live in `world`."""

from __future__ import annotations

import bisect
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.emulator.blobs import Blob

Json = dict[str, Any]


class TimestampClock:
    """Slack's message ids: seconds and six digits, unique and rising over the whole workspace."""

    def __init__(self) -> None:
        self._last_us = 0

    def next(self) -> str:
        self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"


def to_us(ts: str) -> int:
    """A `ts` in microseconds; accepts what `oldest` and `latest` accept (`"0"`, `"1700000000.5"`)."""
    seconds, _, fraction = ts.partition(".")
    return int(seconds or "0") * 1_000_000 + int((fraction + "000000")[:6])


@dataclass(slots=True)
class User:
    user_id: str
    name: str
    display_name: str
    real_name: str
    avatar_url: str = ""
    email: str = ""
    is_bot: bool = False
    deleted: bool = False


@dataclass(slots=True)
class SlackFile:
    file_id: str
    name: str
    size_bytes: int
    mime: str
    owner: str
    created: int
    title: str = ""
    subtype: str = ""
    blob: Blob | None = None
    deleted: bool = False
    shares: dict[str, list[Json]] = field(default_factory=dict)
    kind: str = ""
    duration_ms: int | None = None
    alt_text: str = ""


@dataclass(slots=True)
class Message:
    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    files: list[SlackFile] = field(default_factory=list)
    thread_ts: str = ""
    broadcast: bool = False
    subtype: str = ""
    by_bot: bool = False
    username: str = ""
    icon_url: str = ""
    icon_emoji: str = ""
    metadata: Json | None = None
    client_msg_id: str = ""
    mrkdwn: bool = True
    """Whether marks in `text` are formatting."""
    unfurls: bool = True
    """Whether Slack shows previews of its links."""
    edited: Json | None = None
    changed: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: list[str] = field(default_factory=list)
    pinned: bool = False

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts


class Channel:
    """A channel and its messages in order of `ts`, with lookups by binary search."""

    def __init__(self, channel_id: str, name: str, creator: str, *, keep_messages: int) -> None:
        self.channel_id = channel_id
        self.name = name
        self.previous_names: list[str] = []
        self.creator = creator
        self.created = int(time.time())
        self.archived = False
        self.members: set[str] = set()
        self.topic = ""
        self.messages: dict[str, Message] = {}
        self._keep = keep_messages
        self._order: list[int] = []
        self._ids: list[str] = []

    def add(self, message: Message) -> None:
        self.messages[message.ts] = message
        self._order.append(to_us(message.ts))
        self._ids.append(message.ts)
        over = len(self._ids) - self._keep
        if over > self._keep // 10:  # several at a time: the lists are long
            for ts in self._ids[:over]:
                self.messages.pop(ts, None)
            del self._ids[:over], self._order[:over]

    def newest_first(self, oldest: str, latest: str, *, inclusive: bool) -> Iterator[str]:
        """The ids between the bounds (empty: open), newest first; removed messages may be among them."""
        low = 0
        high = len(self._order)
        if oldest:
            side = bisect.bisect_left if inclusive else bisect.bisect_right
            low = side(self._order, to_us(oldest))
        if latest:
            side = bisect.bisect_right if inclusive else bisect.bisect_left
            high = side(self._order, to_us(latest))
        return (self._ids[at] for at in range(high - 1, low - 1, -1))
