"""One webhook account: the contract's methods, each delegated to the part that implements it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from adapters.webhook.capabilities import capabilities
from adapters.webhook.directory import Directory
from adapters.webhook.inbound.doors import Doors
from adapters.webhook.inbound.downloads import Downloads
from adapters.webhook.inbound.receiver import Receiver
from adapters.webhook.matterbridge_api.handler import Handler
from adapters.webhook.matterbridge_api.kept_files import KeptFiles
from adapters.webhook.matterbridge_api.posting import Posting
from adapters.webhook.matterbridge_api.readers import Readers
from adapters.webhook.matterbridge_api.sending import MatterbridgeSender
from adapters.webhook.outbound.encode_text import encode_slack, encode_text, json_bytes
from adapters.webhook.outbound.endpoint_state import EndpointStates
from adapters.webhook.outbound.fetching import Fetching
from adapters.webhook.outbound.reactions import Reactions
from adapters.webhook.outbound.sender import Sender
from adapters.webhook.probe import Probe
from adapters.webhook.transport import Transport
from bridge.model.abilities import ListedChat
from bridge.model.adapter import (
    Copy,
    FileStream,
    Intake,
    Outbound,
    OutboundDelete,
    OutboundEdit,
    OutboundReaction,
    ProbeItem,
    Receipt,
)
from bridge.model.events import Attachment
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions


class WebhookAdapter:
    """See `bridge.model.adapter.Adapter`. Of the styles that can only post."""

    def __init__(self, context: AdapterContext) -> None:
        options: WebhookOptions = context.options
        self.account = context.account
        self.capabilities = capabilities(options)
        self._style = options.style
        self._directory = Directory(options)
        self._transport = Transport(options, context.clock)
        self._fetching = Fetching(context.store, context.clock)
        states = EndpointStates(context.account, context.store, context.clock)
        self._sender = Sender(options, self._directory, self._transport, states, self._fetching, context.clock)
        self._probe = Probe(self._directory, self._transport, states)
        self._downloads = Downloads(context.folder, context.clock)
        self._receiver = Receiver(context, self._downloads)
        self._doors = self._made_doors(context)

    def _made_doors(self, context: AdapterContext) -> Doors:
        return Doors(context, self._receiver, self._downloads, fetching=self._fetching.serve)

    async def chats(self) -> Sequence[ListedChat]:
        return [ListedChat(address=name) for name in self._directory.names()]

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return len(encode_slack(text)) if self._style == "slack" else json_bytes(encode_text(text))

    async def resolve(self, address: str) -> str:
        return self._directory.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await self._probe.probe(chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return await self._probe.look_at(chat_id)

    async def run(self, intake: Intake) -> None:
        self._sender.intake = intake
        with self._doors.opened():
            await self._receiver.run(intake)

    async def send(self, outbound: Outbound) -> Receipt:
        return await self._sender.send(outbound)

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open(attachment)

    async def close(self) -> None:
        self._fetching.close()
        await self._transport.close()


class StandardWebhookAdapter(WebhookAdapter):
    """With Standard Webhooks every change of a message is an event of its own."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        self._reactions = Reactions(self._sender)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._sender.edit(outbound)

    async def delete(self, outbound: OutboundDelete) -> None:
        await self._sender.delete(outbound)

    async def react(self, outbound: OutboundReaction) -> None:
        await self._reactions.react(outbound)

    async def pin(self, copy: Copy, pinned: bool) -> None:
        await self._reactions.pin(copy, pinned)


class MatterbridgeAdapter(WebhookAdapter):
    """Programs read what is sent by matterbridge's API. An edit is the message once more, a deletion an event."""

    def __init__(self, context: AdapterContext) -> None:
        self._kept = KeptFiles(context.folder)
        super().__init__(context)
        self._letters = MatterbridgeSender(context, self._directory, self._fetching, self._kept)

    def _made_doors(self, context: AdapterContext) -> Doors:
        store = context.store
        readers = None if store is None else Readers(context.options, store, self._fetching, self._kept, context.clock)
        posting = Posting(context, self._receiver, self._downloads)
        api = Handler(posting, readers, self._fetching, context.clock)
        return Doors(context, self._receiver, self._downloads, api=api.serve)

    async def send(self, outbound: Outbound) -> Receipt:
        return await self._letters.send(outbound)

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        return await self._letters.edit(outbound)

    async def delete(self, outbound: OutboundDelete) -> None:
        await self._letters.delete(outbound)


_BY_STYLE = {"standard": StandardWebhookAdapter, "matterbridge": MatterbridgeAdapter}


def build(context: AdapterContext) -> WebhookAdapter:
    """What the registry looks for."""
    return _BY_STYLE.get(context.options.style, WebhookAdapter)(context)
