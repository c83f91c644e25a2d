"""The adapter: lifecycle and the contract's methods for one account; those that depend on the dialect are in `abilities`.

`build` puts an adapter together; receiving is `inbound.receiver`, the wire is `encode`, `decode` and `transport`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from adapters.common.own_messages import OwnMessages
from adapters.common.platform_time import Attempts
from adapters.teamspirit.abilities import with_abilities
from adapters.teamspirit.capabilities import capabilities_of
from adapters.teamspirit.client import Client
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.inbound.beginnings import Beginnings
from adapters.teamspirit.inbound.chat_readers import ChatReaders
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.direct_chats import DirectChats
from adapters.teamspirit.inbound.downloads import Downloads
from adapters.teamspirit.inbound.history import HistoryOnRequest
from adapters.teamspirit.inbound.receiver import Reception
from adapters.teamspirit.inbound.stream import Stream
from adapters.teamspirit.inbound.webhook import Webhook
from adapters.teamspirit.inbound.webhook_events import Calls
from adapters.teamspirit.outbound.changes import Changes
from adapters.teamspirit.outbound.encode import Encoder
from adapters.teamspirit.outbound.mentions import Mentions
from adapters.teamspirit.outbound.presence import Presence
from adapters.teamspirit.outbound.reactions import Reactions
from adapters.teamspirit.outbound.reconcile import Reconciliation
from adapters.teamspirit.outbound.sender import Sender
from adapters.teamspirit.people import People
from adapters.teamspirit.probe import look_at, probe
from adapters.teamspirit.threads import Threads
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.uploads import Uploads
from bridge.model.adapter import Adapter, Intake, Outbound, ProbeItem, Receipt
from bridge.model.capabilities import Capabilities
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect


class TeamSpiritAdapter:
    """What every dialect has. See `bridge.model.adapter.Adapter`."""

    def __init__(self, context: AdapterContext, dialect: Dialect) -> None:
        options: TeamSpiritOptions = context.options
        operations = dialect.operations
        self.account = context.account
        self._context = context
        self._dialect = dialect
        self._capabilities = capabilities_of(dialect, options)
        self._own = OwnMessages()
        self._encoder = Encoder(dialect, options)
        self._transport = Transport(dialect, options)
        self._client = Client(operations, self._encoder, self._transport)
        by_name = operations.send is None and options.incoming_webhook is not None
        self._directory = Directory(operations, options.chats, self._client, context.clock, by_name=by_name)
        self._people = People(operations, self._client, self._directory, context.clock)
        uploads = Uploads(dialect, self._encoder, self._client, self._transport)
        threads = Threads(self._client.message if operations.message else None)
        decoder = partial(
            Decoder,
            dialect,
            context.account,
            is_own=self._own.is_own,
            chat_id=self._directory.chat_id,
            learn=threads.learn,
            server=str(options.server or ""),
        )
        self._decoder = decoder()
        self._frames = decoder(told_by=dialect.websocket)
        attempts = Attempts(self._transport.time)
        mentions = Mentions(dialect, self._people, self._encoder.measure, by_name=options.mentions_by_name)
        self._sender = Sender(dialect, self._encoder, self._client, threads, uploads, self._own, attempts, mentions)
        self._changes = Changes(operations, self._encoder, self._client, mentions)
        self._reactions = Reactions(operations, self._encoder, self._client)
        self._presence = Presence(operations, self._encoder, self._client)
        self._reconciliation = Reconciliation(operations, self._client, self._decoder, self._sender, self._own, attempts)
        self._downloads = Downloads(operations, self._encoder, self._transport)
        self._history = HistoryOnRequest(operations, self._directory, self._decoder, context.clock)
        self._beginnings = Beginnings(self._transport.time)
        self._webhook = Webhook(account=context.account, dialect=dialect, options=options, client=self._client, web=context.web)

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return self._encoder.measure(text)

    def _start(self) -> None:
        """Messages from now on are relayed, and calls are accepted: before the first answer of the server."""
        if self._beginnings.start():
            self._webhook.mount_ahead()

    async def resolve(self, address: str) -> str:
        self._start()
        return await self._directory.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        context = self._context
        return await probe(self._dialect, context.options, self._client, self._directory, context.web, context.account, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return [await look_at(self._dialect, self._directory, chat_id)]

    async def run(self, intake: Intake) -> None:
        self._start()
        context, decoder, directory = self._context, self._decoder, self._directory
        readers = ChatReaders(
            self._dialect.operations.history,
            decoder,
            directory,
            self._beginnings,
            intake,
            clock=context.clock,
            window=context.options.reread_messages,
        )
        calls = Calls(decoder, directory, self._people, self._own, readers, intake, context.clock)
        stream = told = direct = None
        history = self._dialect.operations.history
        if self._dialect.operations.direct_chats is not None and history is not None:
            direct = DirectChats(context.account, history, self._client, directory, decoder, intake, clock=context.clock)
        if self._dialect.websocket is not None and context.options.receive == "auto":
            stream = Stream(context, self._dialect, self._transport, self._encoder, self._frames, intake)
            told = Calls(self._frames, directory, self._people, self._own, readers, intake, context.clock)
        await Reception(context, self._client, self._own, self._webhook, readers, calls, intake, stream, told, direct).run()

    async def send(self, outbound: Outbound) -> Receipt:
        return await self._sender.send(outbound)

    async def close(self) -> None:
        self._webhook.close()
        await self._transport.close()


def build(context: AdapterContext) -> Adapter:
    """The adapter for an account, with exactly the abilities that its dialect has operations for."""
    options: TeamSpiritOptions = context.options
    return with_abilities(TeamSpiritAdapter, options.read_dialect)(context, options.read_dialect)
