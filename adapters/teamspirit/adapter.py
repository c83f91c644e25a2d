"""The adapter: lifecycle and the contract's methods for one account. What the dialect has no operation for is no method here.

`build` puts an adapter together; receiving is `inbound.receiver`, the wire is `encode`, `decode` and `transport`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.common.own_messages import OwnMessages
from adapters.common.platform_time import Attempts
from adapters.teamspirit.capabilities import can_reconcile, capabilities_of
from adapters.teamspirit.client import Client
from adapters.teamspirit.directory import People
from adapters.teamspirit.inbound.beginnings import Beginnings
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.downloads import Downloads
from adapters.teamspirit.inbound.history import HistoryOnRequest
from adapters.teamspirit.inbound.receiver import Reception
from adapters.teamspirit.inbound.webhook import Webhook
from adapters.teamspirit.outbound.changes import Changes
from adapters.teamspirit.outbound.encode import Encoder
from adapters.teamspirit.outbound.presence import Presence
from adapters.teamspirit.outbound.reactions import Reactions
from adapters.teamspirit.outbound.reconcile import Reconciliation
from adapters.teamspirit.outbound.sender import Sender
from adapters.teamspirit.probe import look_at, probe
from adapters.teamspirit.threads import Threads
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.uploads import Uploads
from bridge.model.adapter import (
    Adapter,
    FileStream,
    Intake,
    Outbound,
    OutboundDelete,
    OutboundEdit,
    OutboundReaction,
    ProbeItem,
    Receipt,
)
from bridge.model.capabilities import Capabilities
from bridge.model.events import Attachment, Author, ChatEvent
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect


class TeamSpiritAdapter:
    """What every dialect has. See `bridge.model.adapter.Adapter`."""

    def __init__(self, context: AdapterContext, dialect: Dialect) -> None:
        options: TeamSpiritOptions = context.options
        self.account = context.account
        self._dialect = dialect
        self._options = options
        self._capabilities = capabilities_of(dialect, options)
        self._own = OwnMessages()
        self._encoder = Encoder(dialect, options)
        self._transport = Transport(dialect, options)
        self._client = Client(dialect, options, self._encoder, self._transport, context.clock)
        self._people = People(self._client.user if dialect.operations.users else None, context.clock)
        uploads = Uploads(dialect, self._encoder, self._client, self._transport)
        self._threads = Threads(self._client.message if dialect.operations.message else None)
        self._decoder = Decoder(
            dialect,
            context.account,
            is_own=self._own.is_own,
            chat_id=self._chat_id,
            learn=self._threads.learn,
            server=str(options.server or ""),
        )
        operations = dialect.operations
        attempts = Attempts(self._transport.time)
        self._sender = Sender(dialect, self._encoder, self._client, self._threads, uploads, self._own, attempts)
        self._changes = Changes(operations, self._encoder, self._client)
        self._reactions = Reactions(operations, self._encoder, self._client)
        self._presence = Presence(operations, self._encoder, self._client)
        self._reconciliation = Reconciliation(operations, self._client, self._decoder, self._sender, self._own, attempts)
        self._downloads = Downloads(operations, self._encoder, self._transport)
        self._history = HistoryOnRequest(operations, self._client, self._decoder, context.clock)
        self._beginnings = Beginnings(self._transport.time)
        self._web = context.web
        self._alive = context.alive
        self._clock = context.clock
        self._webhook = Webhook(account=context.account, dialect=dialect, options=options, client=self._client, web=context.web)
        self._aliases = {name: entry.id or name for name, entry in options.chats.items()}

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return self._encoder.measure(text)

    def _start(self) -> None:
        """What is said from now on is relayed, and calls are let in: before the first answer of the server."""
        if self._beginnings.start():
            self._webhook.mount_ahead()

    async def resolve(self, address: str) -> str:
        self._start()
        return await self._client.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe(self._dialect, self._options, self._client, self._web, self.account, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return [await look_at(self._dialect, self._client, chat_id)]

    async def run(self, intake: Intake) -> None:
        self._start()
        await Reception(
            account=self.account,
            clock=self._clock,
            dialect=self._dialect,
            options=self._options,
            client=self._client,
            decoder=self._decoder,
            people=self._people,
            own=self._own,
            webhook=self._webhook,
            beginnings=self._beginnings,
            time=self._transport.time,
            intake=intake,
            alive=self._alive,
        ).run()

    async def send(self, outbound: Outbound) -> Receipt:
        return await self._sender.send(outbound)

    async def close(self) -> None:
        self._webhook.close()
        await self._transport.close()

    def _chat_id(self, native_id: str, name: str) -> str:
        """The id by which routes know a chat: a webhooks-only account may know it by its name alone."""
        return native_id if native_id in self._aliases.values() else self._aliases.get(name, native_id)


class _Edits(TeamSpiritAdapter):
    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._changes.edit(outbound)


class _Deletes(TeamSpiritAdapter):
    async def delete(self, outbound: OutboundDelete) -> None:
        await self._changes.delete(outbound)


class _Reacts(TeamSpiritAdapter):
    async def react(self, outbound: OutboundReaction) -> None:
        await self._reactions.react(outbound)


class _OpensFiles(TeamSpiritAdapter):
    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open_file(attachment)


class _ReadsHistory(TeamSpiritAdapter):
    def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        return self._history.history(chat_id, since)


class _Reconciles(TeamSpiritAdapter):
    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        return await self._reconciliation.reconcile(outbound, sent_after)


class _ShowsTyping(TeamSpiritAdapter):
    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        await self._presence.show_typing(chat_id, thread_id)


class _SetsStatus(TeamSpiritAdapter):
    async def set_status(self, status: str, text: str) -> None:
        await self._presence.set_status(status, text)


class _LooksUpPeople(TeamSpiritAdapter):
    async def person(self, user_id: str) -> Author | None:
        return await self._people.person(user_id)


def build(context: AdapterContext) -> Adapter:
    """The adapter for an account, with exactly the abilities that its dialect has operations for."""
    options: TeamSpiritOptions = context.options
    dialect = options.read_dialect
    operations = dialect.operations
    abilities: list[tuple[type[TeamSpiritAdapter], object]] = [
        (_Edits, operations.edit),
        (_Deletes, operations.delete),
        (_Reacts, operations.react),
        (_OpensFiles, operations.download),
        (_ReadsHistory, operations.history),
        (_Reconciles, can_reconcile(dialect)),
        (_ShowsTyping, operations.typing),
        (_SetsStatus, operations.set_status),
        (_LooksUpPeople, operations.users),
    ]
    bases = tuple(ability for ability, there in abilities if there)
    made: type[TeamSpiritAdapter] = type("TeamSpiritAdapter", bases or (TeamSpiritAdapter,), {})
    return made(context, dialect)
