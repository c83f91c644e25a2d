"""The Slack adapter: the contract's methods, each done by the module that it names. Built by the registry."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from adapters.common.delegating import ByFirstMessage, TitlesByFirstMessage
from adapters.slack import probe
from adapters.slack.capabilities import capabilities
from adapters.slack.channels import Channels
from adapters.slack.directory import Directory
from adapters.slack.emails import Emails
from adapters.slack.inbound.connections import Connections
from adapters.slack.inbound.downloads import Downloads
from adapters.slack.inbound.stream import Stream
from adapters.slack.links import link_to_message
from adapters.slack.listing import ListsChannels
from adapters.slack.outbound import chats, deletions, reactions, whispers
from adapters.slack.outbound.encode_text import measure
from adapters.slack.outbound.reconcile import Reconciler
from adapters.slack.outbound.sender import MessageSender
from adapters.slack.own_app import OwnApp
from adapters.slack.threads import Threads
from adapters.slack.transport import Transport
from adapters.slack.uploads import Uploads
from bridge.model.adapter import Intake
from bridge.model.capabilities import Capabilities
from bridge.model.events import Attachment, Author, ChatEvent
from bridge.model.outbound import Copy, FileStream, Outbound, OutboundDelete, OutboundEdit, OutboundReaction, ProbeItem, Receipt
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.slack.config import SlackOptions


class SlackAdapter(Emails, ListsChannels, ByFirstMessage, TitlesByFirstMessage):
    """See `bridge.model.adapter.Adapter`. Built inside the running loop; no I/O until a method is called."""

    def __init__(self, context: AdapterContext) -> None:
        options: SlackOptions = context.options
        clock = context.clock
        self.account: AccountName = context.account
        self._options = options
        self._transport = Transport(options)
        self._app = OwnApp(context.account, self._transport)
        self._directory = Directory(self._transport, clock.monotonic_s)
        self._channels = Channels(self._transport, clock)
        self._connections = Connections(clock.monotonic_s)
        threads, uploads = Threads(self._transport), Uploads(self._transport)
        self._stream = Stream(
            context,
            self._transport,
            self._app,
            directory=self._directory,
            channels=self._channels,
            threads=threads,
            connections=self._connections,
            on_own_file=uploads.seen,
        )
        self._downloads = Downloads(self._transport, clock.monotonic_s)
        self._sender = MessageSender(self._transport, self._app, uploads, threads, options, clock)
        self._reconciler = Reconciler(self._transport, self._app, clock)
        self.pin, self.rename_chat = partial(reactions.pin, self._transport), partial(chats.rename_chat, self._transport)
        self.whisper = partial(whispers.whisper, self._transport)
        self._capabilities: dict[tuple[bool, bool], Capabilities] = {}
        """By what is known of the app's scopes: asked for with every message."""

    @property
    def capabilities(self) -> Capabilities:
        known = (self._app.can_customize, self._app.can_read_history)
        if known not in self._capabilities:
            self._capabilities[known] = capabilities(self._options, can_customize=known[0], can_read_history=known[1])
        return self._capabilities[known]

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return measure(text)

    async def resolve(self, address: str) -> str:
        return await self._channels.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe.probe(self._transport, self._options, self._connections, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return [await probe.channel_item(self._transport, chat_id)]

    async def person(self, user_id: str) -> Author | None:
        return await self._directory.person(user_id)

    async def run(self, intake: Intake) -> None:
        self._reconciler.intake = intake
        await self._stream.run(intake)

    async def close(self) -> None:
        await self._transport.close()

    # -- sending --------------------------------------------------------------------------------------------------------------

    async def send(self, outbound: Outbound) -> Receipt:
        self._reconciler.begin(outbound.token)
        return await self._sender.send(outbound)

    async def first_of(self, copy: Copy) -> str:
        return await self._sender.first_of(copy)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._sender.edit(outbound)

    async def delete(self, outbound: OutboundDelete) -> None:
        await deletions.delete_message(self._transport, self.account, outbound.copy)

    async def remove_files(self, copy: Copy, indexes: Sequence[int]) -> Receipt:
        return await deletions.remove_files(self._transport, copy, indexes)

    async def react(self, outbound: OutboundReaction) -> None:
        await reactions.react(self._transport, outbound)

    def message_link(self, copy: Copy) -> str:
        return link_to_message(self._app.team_url, copy.chat_id, copy.message_ids[0], copy.thread_id)

    # -- reading back ---------------------------------------------------------------------------------------------------------

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        return await self._reconciler.find(outbound, sent_after)

    def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        return self._stream.catch_up.since(chat_id, since)

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open(attachment)


def build(context: AdapterContext) -> SlackAdapter:
    """What the registry looks for."""
    return SlackAdapter(context)
