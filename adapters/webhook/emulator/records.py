"""The state of the emulated bot program: its chats and their messages. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.common.emulation.contract import EmulatedFile


@dataclass
class Message:
    message_id: str
    chat_id: str
    author: str
    text: str
    markdown: str = field(default="", kw_only=True)
    data: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """The `data` of its latest event."""
    sent_at: datetime
    is_bot: bool = False
    sender_id: str = ""
    """The program's id of a person's message; the bridge responds with a different one."""
    quote: str = ""
    reply_to: str = ""
    avatar_url: str = ""
    files: tuple[EmulatedFile, ...] = ()
    edited: bool = False
    deleted: bool = False
    pinned: bool = False
    reactions: set[str] = field(default_factory=set)


@dataclass
class Chat:
    chat_id: str
    name: str
    messages: dict[str, Message] = field(default_factory=dict)
