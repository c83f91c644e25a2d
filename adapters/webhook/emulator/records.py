"""What the emulated Webhook knows: people, chats, messages. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Message:
    message_id: str
    person: str
    text: str


@dataclass
class Chat:
    chat_id: str
    name: str
    messages: dict[str, Message] = field(default_factory=dict)
