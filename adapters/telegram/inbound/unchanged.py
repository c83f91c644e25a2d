"""Edits that change nothing that is relayed: a vote on a button, a link preview that appeared. Pure; used by `receiver`.

Telegram reports them like any other edit, with a date of their own, and the Bot API cannot be asked for a message. So a digest of
each of the latest messages is remembered, a few bytes each. Those with buttons, which are touched for days, are kept in the cursor
too. Such an edit of any other message is relayed after a restart, and shows what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from adapters.telegram.inbound.content_digest import content_digest, lasting
from adapters.telegram.inbound.decode_content import decode_content
from adapters.telegram.inbound.decoded import AlbumItem
from bridge.model.events import Content, MessageCreated, MessageEdited

_T = TypeVar("_T")

MESSAGES_MAX = 4096
KEPT_MAX = 200


class Unchanged:
    """What the latest messages say. Lives as long as a connection: what was not accepted must not count as known."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}
        self._kept: dict[str, str] = {}

    def takes(self, item: object, *, has_buttons: bool = False) -> bool:
        """Whether this is an edit that says what is known already. Remembers what the item says."""
        match item:
            case MessageCreated() | MessageEdited():
                message, content = f"{item.meta.origin.chat_id}/{item.message_id}", item.content
            case AlbumItem():
                message = f"{item.message['chat']['id']}/{item.message['message_id']}"
                content = decode_content([item.message], download_bytes=None) or Content()
            case _:
                return False
        said, kept = hash(lasting(content)), self._kept.pop(message, None)
        is_known = self._said.get(message) == said
        _remember(self._said, message, said, MESSAGES_MAX)
        if has_buttons or kept is not None:
            digest = content_digest(content)
            is_known = is_known or kept == digest
            if has_buttons:
                _remember(self._kept, message, digest, KEPT_MAX)
        return is_known and isinstance(item, MessageEdited)

    def kept(self) -> dict[str, str]:
        """What is worth keeping over a restart, for the cursor."""
        return dict(self._kept)

    def restore(self, kept: Mapping[str, str]) -> None:
        """Take back what `kept` gave."""
        self._kept.update(kept)


def _remember(said: dict[str, _T], message: str, what: _T, most: int) -> None:
    said.pop(message, None)
    said[message] = what
    if len(said) > most:
        del said[next(iter(said))]
