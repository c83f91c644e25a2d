"""One Discord bot as the core sees it: the contract's methods, each delegated to the part that does it; and the parts wired
together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.common.delegating import ByNewThreads, ByThreadChanges, InForums
from adapters.discord.capabilities import KnownCapabilities
from adapters.discord.directory import Directory
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.downloads import Downloads
from adapters.discord.inbound.history import History
from adapters.discord.inbound.own_presence import Presence
from adapters.discord.inbound.receiver import Receiver
from adapters.discord.links import link_to_message
from adapters.discord.listing import ListsChannels
from adapters.discord.outbound.archived_threads import Threads
from adapters.discord.outbound.changes import Changes
from adapters.discord.outbound.encode_text import length_of
from adapters.discord.outbound.message_header import Headers
from adapters.discord.outbound.new_threads import NewThreads
from adapters.discord.outbound.own_webhooks import OwnWebhooks
from adapters.discord.outbound.reactions import Reactions
from adapters.discord.outbound.reconcile import Reconciliation
from adapters.discord.outbound.sender import Sender
from adapters.discord.outbound.sent_messages import SentMessages
from adapters.discord.outbound.thread_changes import ThreadChanges
from adapters.discord.outbound.webhooks import ChannelWebhooks
from adapters.discord.probe import look_at, probe
from adapters.discord.transport import Transport
from bridge.model.adapter import Intake
from bridge.model.capabilities import Capabilities
from bridge.model.errors import ConnectionLost, DeliveryError
from bridge.model.events import Attachment, Author, ChatEvent
from bridge.model.outbound import Copy, FileStream, Outbound, OutboundDelete, OutboundEdit, OutboundReaction, ProbeItem, Receipt
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.discord.config import DiscordOptions


class DiscordAdapter(ListsChannels, ByNewThreads, ByThreadChanges, InForums):
    def __init__(self, context: AdapterContext) -> None:
        self.account, self._alive = context.account, context.alive
        self._options: DiscordOptions = context.options
        self._transport = transport = Transport(self._options, context.clock)
        self._identity, self._guilds = identity, guilds = Identity(context.account), GuildCache(context.clock.monotonic_s)
        self._context = Context(identity, self._options.cdn_url, context.clock, guilds)
        self._directory = Directory(self._transport, identity, guilds, self._options.cdn_url, context.clock)
        self._history = History(self._transport, self._context)
        self._downloads = Downloads(self._transport, self._options.cdn_url)
        self._webhooks = webhooks = ChannelWebhooks(self._transport, self._options.webhook_name, identity, context.clock)
        self._own_webhooks = OwnWebhooks(identity, webhooks)
        headers, sent, threads = Headers(transport, self._directory), SentMessages(transport.time), Threads(transport)
        self._sender = Sender(self._transport, self._options, identity, guilds, webhooks, headers, sent)
        self._new_threads = NewThreads(self._transport, self._directory, identity, guilds, self._sender.tell)
        self._thread_changes = ThreadChanges(self._transport, guilds, self._sender.tell)
        self._changes = Changes(self._transport, webhooks, headers, threads, self._context.seen)
        self.close_poll, self.pin, self.rename_chat = self._changes.close_poll, self._changes.pin, self._changes.rename_chat
        self._reactions = Reactions(self._transport, guilds, threads)
        self._reconciliation = Reconciliation(self._options, identity, guilds, self._history, headers, sent, self._transport.time)
        self._capabilities, self._presence = KnownCapabilities(self._options), Presence()
        self.set_status = self._presence.set_status

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities.at(self._guilds.lowest_boost() or 0)

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return length_of(text)

    async def run(self, intake: Intake) -> None:
        self._sender.begin(intake)
        self._reconciliation.begin(intake)
        self._context.is_end = intake.is_end
        try:
            await self._directory.identify()
        except DeliveryError as error:
            raise ConnectionLost(error.reason) from None
        await self._own_webhooks.begin(intake)
        intake.may_send()  # REST serves it, whatever the gateway does
        parts = (self._options, self._transport, self._context, self._directory, self._history)
        await Receiver(*parts, intake, self._webhooks.forget_denial, self._alive, self._presence).run()

    async def close(self) -> None:
        await self._transport.close()

    async def resolve(self, address: str) -> str:
        return await self._directory.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe(self._transport, self._options, self._directory, self._guilds, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return await look_at(self._directory, self._options, self._guilds, chat_id, self._identity.user_id)

    async def person(self, user_id: str) -> Author | None:
        return await self._directory.person(user_id)

    async def send(self, outbound: Outbound) -> Receipt:
        await self._directory.identify()
        return await self._sender.send(outbound)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._changes.edit(outbound)

    async def delete(self, outbound: OutboundDelete) -> None:
        await self._changes.delete(outbound)

    async def remove_files(self, copy: Copy, indexes: Sequence[int]) -> Receipt:
        return await self._changes.remove_files(copy, indexes)

    async def react(self, outbound: OutboundReaction) -> Sequence[str]:
        return await self._reactions.react(outbound)

    def message_link(self, copy: Copy) -> str:
        return link_to_message(self._guilds.guild_of(copy.chat_id), copy.thread_id or copy.chat_id, copy.message_ids[0])

    async def show_typing(self, chat_id: str, thread_id: str | None) -> None:
        await self._sender.show_typing(thread_id or chat_id)

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open(attachment)

    async def history(self, chat_id: str, since: str) -> AsyncIterator[ChatEvent]:
        await self._directory.identify()
        async for event in self._history.on_request(chat_id, since):
            yield event

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        await self._directory.identify()
        return await self._reconciliation.reconcile(outbound, sent_after)


def build(context: AdapterContext) -> DiscordAdapter:
    return DiscordAdapter(context)
