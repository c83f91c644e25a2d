"""Who we are in the workspace, and our mark on what we post. Pure. Called by decoding, encoding and `reconcile`.

The mark is the outbound token: in the message's metadata, and in the id of its block, since file shares cannot carry metadata.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from adapters.slack.wire import Message
from bridge.model.refs import AccountName

METADATA_TYPE = "messenger_bridge"
"""`metadata.event_type` of everything the bridge posts; the payload's `id` is the outbound token."""
BLOCK_ID_PREFIX = "mb-"
"""Of the `block_id` of everything the bridge posts, followed by the token."""


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


class _BlockId(msgspec.Struct):
    block_id: str = ""


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
