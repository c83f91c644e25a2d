"""References to accounts, chats and messages. Native ids are opaque strings: only the platform's adapter reads them."""

from __future__ import annotations

from typing import NewType

import msgspec

AccountName = NewType("AccountName", str)
"""The name of an account in bridge.yaml."""


class ChatRef(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One chat as one account sees it. `chat_id` is the platform's own id, never an address from bridge.yaml."""

    account: AccountName
    chat_id: str

    def __str__(self) -> str:
        return f"{self.account}/{self.chat_id}"


class ChatAddress(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A chat as bridge.yaml writes it: `team/#engineering`. It names a lane, and stays the same
    when the native id changes."""

    account: AccountName
    address: str

    def __str__(self) -> str:
        return f"{self.account}/{self.address}"


class ThreadRef(msgspec.Struct, frozen=True, order=True, array_like=True):
    """A thread or topic of a chat; `thread_id=None` is the chat's main stream."""

    chat: ChatRef
    thread_id: str | None = None

    def __str__(self) -> str:
        return str(self.chat) if self.thread_id is None else f"{self.chat}/{self.thread_id}"


class MessageRef(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One native message. Message ids are unique per chat at least, so the chat is always part of the reference."""

    chat: ChatRef
    message_id: str

    def __str__(self) -> str:
        return f"{self.chat}#{self.message_id}"
