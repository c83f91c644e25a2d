"""Messages that are nothing but custom emoji, as pictures where an end wants that. Pure; called by `delivery` before a message is
planned, and before an edit looks at the files of its copies."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.rich_text import EMPTY
from bridge.policy.routing import CustomEmoji, RelayOptions

_Message = TypeVar("_Message", MessageCreated, MessageEdited)


def wants_pictures(event: MessageCreated | MessageEdited, options: RelayOptions) -> bool:
    return bool(event.content.pictures) and options.custom_emoji is CustomEmoji.PICTURE and options.files


def as_pictures(event: _Message) -> _Message:
    """The message with the pictures of its emoji as files, in place of its text."""
    content = event.content
    return msgspec.structs.replace(
        event, content=msgspec.structs.replace(content, text=EMPTY, attachments=content.pictures, pictures=())
    )
