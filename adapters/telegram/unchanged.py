"""Edits that change nothing which is relayed: a vote on a button, a link preview that appeared. Pure; used by `receive`.

Telegram tells of them as of any other edit, with a date of their own, and the Bot API cannot be asked for a message. So what the
latest messages say is remembered, as a few bytes each. Those with buttons, which are touched for days, are kept in the cursor too.
Such an edit of any other message is relayed after a restart, and shows what is there already.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.telegram.decode import AlbumItem, content_digest
from adapters.telegram.decode_content import decode_content
from bridge.events import MessageCreated, MessageEdited

MESSAGES_MAX = 4096
KEPT_MAX = 200


class Unchanged:
    """What the latest messages say. Lives as long as a connection: what was not accepted must not count as known."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._kept: dict[str, str] = {}

    def takes(self, item: object, *, has_buttons: bool = False) -> bool:
        """Whether this is an edit that says what is known already. Remembers what the item says."""
        match item:
            case MessageCreated() | MessageEdited():
                message, digest = f"{item.meta.origin.chat_id}/{item.message_id}", content_digest(item.content)
            case AlbumItem():
                content = decode_content([item.message], download_bytes=None)
                message = f"{item.message['chat']['id']}/{item.message['message_id']}"
                digest = content_digest(content) if content is not None else ""
            case _:
                return False
        known = self._said.get(message) or self._kept.get(message)
        _remember(self._said, message, digest, MESSAGES_MAX)
        if has_buttons:
            _remember(self._kept, message, digest, KEPT_MAX)
        else:
            self._kept.pop(message, None)
        return isinstance(item, MessageEdited) and known == digest

    def kept(self) -> dict[str, str]:
        """What is worth keeping over a restart, for the cursor."""
        return dict(self._kept)

    def restore(self, kept: Mapping[str, str]) -> None:
        """Take back what `kept` gave."""
        self._kept.update(kept)


def _remember(said: dict[str, str], message: str, digest: str, most: int) -> None:
    said.pop(message, None)
    said[message] = digest
    if len(said) > most:
        del said[next(iter(said))]
