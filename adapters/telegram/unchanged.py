"""Edits that change nothing which is relayed: a vote on a button, a link preview that appeared. Pure; used by `receive`.

Telegram tells of them as of any other edit, with a date of their own, and the Bot API cannot be asked for a message. So what the
latest messages say is remembered, as a few bytes each. Such an edit of an older message is relayed, and shows what is there.
"""

from __future__ import annotations

from adapters.telegram.decode import AlbumItem, content_digest
from adapters.telegram.decode_content import decode_content
from bridge.events import MessageCreated, MessageEdited

MESSAGES_MAX = 4096


class Unchanged:
    """What the latest messages say. Lives as long as a connection: what was not accepted must not count as known."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], str] = {}

    def takes(self, item: object) -> bool:
        """Whether this is an edit that says what is known already. Remembers what the item says."""
        match item:
            case MessageCreated() | MessageEdited():
                message, digest = (item.meta.origin.chat_id, item.message_id), content_digest(item.content)
            case AlbumItem():
                content = decode_content([item.message], download_bytes=None)
                message = (str(item.message["chat"]["id"]), str(item.message["message_id"]))
                digest = content_digest(content) if content is not None else ""
            case _:
                return False
        known = self._said.pop(message, None)
        self._said[message] = digest
        if len(self._said) > MESSAGES_MAX:
            del self._said[next(iter(self._said))]
        return isinstance(item, MessageEdited) and known == digest
