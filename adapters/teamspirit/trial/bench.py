"""The state that the operations of a trial share: the adapter's own parts, and the ids that earlier operations returned. Used by
`steps`, `operations` and `histories`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from adapters.common.http_errors import Effect
from adapters.teamspirit.client import Client
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.downloads import Downloads
from adapters.teamspirit.outbound.encode import Encoder, Values
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.trial.exchanges import Kept, PlayedTransport
from adapters.teamspirit.trial.masks import Secrets, secrets_of
from adapters.teamspirit.uploads import Uploads
from bridge.model.dialects import Exchanged

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect
    from bridge.model.platform import AdapterContext


class Skipped(Exception):
    """The operation cannot be tried, for this reason."""


class Bench:
    """`played`: the recording to take responses from, with the token in its messages."""

    def __init__(
        self, context: AdapterContext, dialect: Dialect, chat: str, played: tuple[str, list[Exchanged]] | None = None
    ) -> None:
        options: TeamSpiritOptions = context.options
        self.context, self.dialect, self.operations, self.options = context, dialect, dialect.operations, options
        self.wanted_chat = chat
        self.token = played[0] if played is not None else secrets.token_hex(6)
        self.text = f"Test of the messenger bridge {self.token}."
        self.edited_text = f"Test of the messenger bridge {self.token}: edited."
        self.kept = Kept()
        self.transport = Transport(dialect, options) if played is None else PlayedTransport(dialect, options, played[1])
        self.transport.seen = self.kept.add
        self.encoder = Encoder(dialect, options)
        self.client = Client(self.operations, self.encoder, self.transport)
        self.uploads = Uploads(dialect, self.encoder, self.client, self.transport)
        self.downloads = Downloads(self.operations, self.encoder, self.transport)
        self.decoder = Decoder(
            dialect,
            context.account,
            is_own=lambda _user, _chat, _message: False,
            chat_id=lambda chat_id, _name: chat_id,
            server=str(options.server or ""),
        )
        entry = options.chats.get(chat)
        self.chat_id = ((entry.id if entry is not None else None) or chat) if self.operations.chats is None else ""
        self.me_id = self.message_id = self.file_id = self.download_id = self.webhook_id = ""
        self.reads_text = False
        """Whether the dialect found the text of the test's message in the history."""
        self.secrets = Secrets(secrets_of(options))
        """Those of bridge.yaml, and those that the server returned: never shown, never recorded."""
        self.message_ids: list[str] = []
        """Ids of the test's messages that still exist, oldest first."""

    async def call(self, operation: str, values: Values, effect: Effect = Effect.IDEMPOTENT) -> Any:
        """Raises a BridgeError."""
        return await self.client.call(operation, getattr(self.operations, operation), values, effect)

    def in_chat(self) -> Values:
        """Raises Skipped if no chat is known."""
        if not self.chat_id:
            raise Skipped("no chat is known: name one with --chat")
        return {"chat": self.encoder.chat(self.chat_id)}
