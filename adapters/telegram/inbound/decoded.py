"""What an update decodes to: events, and what is no event of a chat. Types only."""

from __future__ import annotations

import msgspec

from adapters.telegram.wire import Message
from bridge.model.events import ChatEvent, Ignored


class Undecodable(ValueError):
    """An update whose shape is not understood. The text says what was missing, without content."""


class AlbumItem(msgspec.Struct, frozen=True):
    """One message of an album; the others may still be on their way (`receiver` collects them)."""

    group: str
    message: Message


class Moved(msgspec.Struct, frozen=True):
    """A group became a supergroup."""

    old_chat_id: str
    new_chat_id: str


class Removed(msgspec.Struct, frozen=True):
    """The bot was removed from a chat, or is no administrator any more."""

    chat_id: str
    title: str
    status: str


class Restored(msgspec.Struct, frozen=True):
    """The bot is an administrator of a chat (again)."""

    chat_id: str


Decoded = ChatEvent | AlbumItem | Moved | Removed | Restored | Ignored
