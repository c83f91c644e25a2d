"""The adapter: lifecycle and the contract's methods for one account. What the dialect has no operation for is no method here.

`build` puts an adapter together; receiving is `inbound.receiver`, the wire is `encode`, `decode` and `transport`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from adapters.common.own_messages import OwnMessages
from adapters.common.platform_time import Attempts
from adapters.teamspirit.capabilities import can_reconcile, capabilities_of
from adapters.teamspirit.client import Client
from adapters.teamspirit.dialect.query import find_text
from adapters.teamspirit.directory import People
from adapters.teamspirit.errors import Gone
from adapters.teamspirit.inbound.beginnings import Beginnings
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.receiver import Reception
from adapters.teamspirit.inbound.webhook import Webhook
from adapters.teamspirit.outbound.encode import Encoder, Values
from adapters.teamspirit.outbound.sender import QUOTED, Posting
from adapters.teamspirit.outbound.threads import Threads
from adapters.teamspirit.probe import look_at, probe
from adapters.teamspirit.transport import Transport
from adapters.teamspirit.uploads import Uploads
from adapters.teamspirit.wire import NativeMessage, Undecodable
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
from bridge.model.errors import OutcomeUnknown, Rejected
from bridge.model.events import Attachment, Author, ChatEvent
from bridge.model.pauses import beside_if
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText, is_long

if TYPE_CHECKING:
    from adapters.teamspirit.config import TeamSpiritOptions
    from adapters.teamspirit.dialect.model import Dialect

_RECONCILE_PAGES = 10
_MARGIN = timedelta(hours=1)
"""By how much the clock of an earlier process is mistrusted: it may have been wrong when it recorded the attempt."""
_LONG_AGO = timedelta(days=1)
"""How far back to look where no clock can say since when."""


class TeamSpiritAdapter:
    """What every dialect has. See `bridge.model.adapter.Adapter`."""

    def __init__(self, context: AdapterContext, dialect: Dialect) -> None:
        options: TeamSpiritOptions = context.options
        self.account = context.account
        self._dialect = dialect
        self._operations = dialect.operations
        self._options = options
        self._capabilities = capabilities_of(dialect, options)
        self._own = OwnMessages()
        self._encoder = Encoder(dialect, options)
        self._transport = Transport(dialect, options)
        self._client = Client(dialect, options, self._encoder, self._transport, context.clock)
        self._people = People(self._client.user if dialect.operations.users else None, context.clock)
        self._uploads = Uploads(dialect, self._encoder, self._client, self._transport)
        self._threads = Threads(self._client.message if dialect.operations.message else None)
        self._posting = Posting(dialect, self._encoder, self._client, self._threads)
        self._decoder = Decoder(
            dialect,
            context.account,
            is_own=self._own.is_own,
            chat_id=self._chat_id,
            learn=self._threads.learn,
            server=str(options.server or ""),
        )
        self._attempts = Attempts(self._transport.time)
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
        file_ids = await self._uploads.upload(outbound.chat_id, outbound.files)
        operation = "send" if self._operations.send is not None else "webhook_send"
        call = self._operations.send or self._operations.webhook_send
        assert call is not None, "the dialect cannot send"
        self._attempts.begin(outbound.token)
        with self._own.sending(outbound.chat_id):
            posted = await self._posting.post(operation, call, outbound, file_ids)
            message_id = find_text(call.answer.id, posted.answer)
            if message_id:
                self._own.sent(outbound.chat_id, message_id)
        if not message_id and call.answer.id is not None:
            raise OutcomeUnknown(f"{operation}: the answer does not say which message it became")
        return self._posting.receipt(outbound, posted, message_id)

    async def close(self) -> None:
        self._webhook.close()
        await self._transport.close()

    def _chat_id(self, native_id: str, name: str) -> str:
        """The id by which routes know a chat: a webhooks-only account may know it by its name alone."""
        return native_id if native_id in self._aliases.values() else self._aliases.get(name, native_id)


class _Edits(TeamSpiritAdapter):
    async def edit(self, outbound: OutboundEdit) -> Receipt:
        call = self._operations.edit
        assert call is not None
        encode = partial(self._encoder.edit_values, outbound, quoted=outbound.copy.adapter_data == QUOTED)
        values = await beside_if(is_long(outbound.text), encode)
        await self._client.call("edit", call, values)
        return Receipt(
            message_ids=outbound.copy.message_ids, thread_id=outbound.copy.thread_id, adapter_data=outbound.copy.adapter_data
        )


class _Deletes(TeamSpiritAdapter):
    async def delete(self, outbound: OutboundDelete) -> None:
        call = self._operations.delete
        assert call is not None
        for message_id in outbound.copy.message_ids:
            values: Values = {"chat": self._encoder.chat(outbound.copy.chat_id), "message": {"id": message_id}}
            try:
                await self._client.call("delete", call, values)
            except Gone:
                continue


class _Reacts(TeamSpiritAdapter):
    async def react(self, outbound: OutboundReaction) -> None:
        """The bot reacts once for everyone; a reaction that is there already, or gone already, is a success."""
        operations = self._operations
        assert operations.react is not None
        assert operations.unreact is not None
        refused: Rejected | None = None
        for operation, call, wanted in (
            ("react", operations.react, outbound.added),
            ("unreact", operations.unreact, outbound.removed),
        ):
            for reaction in wanted:
                try:
                    values = self._encoder.reaction_values(outbound.copy, reaction)
                    await self._client.call(operation, call, values)
                except Gone:
                    if operation == "react":
                        raise
                except Rejected as error:
                    refused = error
        if refused is not None:
            raise refused


class _OpensFiles(TeamSpiritAdapter):
    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        call = self._operations.download
        assert call is not None
        request = self._encoder.request("download", call, {"file": {"id": attachment.file_id}})
        async with self._transport.download(request, attachment.size_bytes) as stream:
            yield stream


class _ReadsHistory(TeamSpiritAdapter):
    async def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        call = self._operations.history
        assert call is not None
        while True:
            items = await self._client.page(chat_id, since, None)
            last = since
            for item in items:
                try:
                    message = self._decoder.message(item, chat_id)
                except Undecodable:
                    continue  # the poller, which keeps such items, meets it too
                last = message.message_id
                if not message.deleted and not message.system:
                    yield self._decoder.created(message, self._clock.now())
            if len(items) < call.page_size or last == since:
                return
            since = last


class _Reconciles(TeamSpiritAdapter):
    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        """Looks for our mark in the history, behind the last message that we know we sent. Where that is too far to read, the
        answer is None if the server itself returns the first message for the same mark."""
        call, send = self._operations.history, self._operations.send
        assert call is not None
        assert send is not None
        since = self._attempts.since(outbound.token, sent_after, margin=_MARGIN) or self._transport.time.now() - _LONG_AGO
        since_ms = round(since.timestamp() * 1000) if call.by == "since" else None
        after = "" if since_ms is not None else self._own.latest(outbound.chat_id)
        for _ in range(_RECONCILE_PAGES):
            items = await self._page_behind(outbound.chat_id, after, since_ms)
            last = after
            for item in items:
                try:
                    message = self._decoder.message(item, outbound.chat_id)
                except Undecodable:
                    continue
                last = message.message_id
                if message.client_id == outbound.token and not message.deleted and self._may_be_ours(message):
                    self._own.sent(outbound.chat_id, last)
                    return self._posting.receipt(outbound, self._posting.found(outbound, message), last)
            if len(items) < call.page_size:
                return None
            if since_ms is not None or last == after or (not after and call.without_after == "newest"):
                break
            after = last
        if (self._transport.time.now() - since).total_seconds() < send.idempotent_s:
            return None
        raise Rejected("whether the message exists cannot be told any more: too much was said since")

    def _may_be_ours(self, message: NativeMessage) -> bool:
        """Anybody may write our mark into a message of their own."""
        return not self._own.me_id or message.author.user_id == self._own.me_id

    async def _page_behind(self, chat_id: str, after: str, since_ms: int | None) -> list[object]:
        try:
            return await self._client.page(chat_id, after, since_ms)
        except Gone:
            return await self._client.page(chat_id, "", since_ms)


class _ShowsTyping(TeamSpiritAdapter):
    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        call = self._operations.typing
        assert call is not None
        values: Values = {"chat": self._encoder.chat(chat_id), "message": {"thread": thread_id}}
        await self._client.call("typing", call, values)


class _SetsStatus(TeamSpiritAdapter):
    async def set_status(self, status: str, text: str) -> None:
        call = self._operations.set_status
        assert call is not None
        await self._client.call("set_status", call, {"status": {"name": status, "text": text}})


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
