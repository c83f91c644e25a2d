"""One webhook account: the contract's methods, each handed on to the part that does it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from adapters.webhook.capabilities import capabilities
from adapters.webhook.directory import Directory
from adapters.webhook.inbound.downloads import Downloads
from adapters.webhook.inbound.receiver import Receiver
from adapters.webhook.outbound.encode_text import encode_text
from adapters.webhook.outbound.sender import Sender
from adapters.webhook.probe import look_at, probe
from adapters.webhook.transport import Transport
from bridge.model.adapter import FileStream, Intake, Outbound, ProbeItem, Receipt
from bridge.model.events import Attachment
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions


class WebhookAdapter:
    """See `bridge.model.adapter.Adapter`, and the abilities there, one method each."""

    def __init__(self, context: AdapterContext) -> None:
        options: WebhookOptions = context.options
        self.account = context.account
        self.capabilities = capabilities(options)
        self._directory = Directory(options)
        self._transport = Transport(options)
        self._sender = Sender(self._transport)
        self._downloads = Downloads(context.folder)
        self._receiver = Receiver(context, self._downloads)

    def measure(self, text: RichText, *, caption: bool = False) -> int:
        return len(encode_text(text))

    async def resolve(self, address: str) -> str:
        return self._directory.resolve(address)

    async def probe(self, chat_ids: Sequence[str]) -> Sequence[ProbeItem]:
        return await probe(self._directory, chat_ids)

    async def look_at(self, chat_id: str) -> Sequence[ProbeItem]:
        return await look_at(self._directory, chat_id)

    async def run(self, intake: Intake) -> None:
        await self._receiver.run(intake)

    async def send(self, outbound: Outbound) -> Receipt:
        return await self._sender.send(outbound)

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        return self._downloads.open(attachment)

    async def close(self) -> None:
        await self._transport.close()


def build(context: AdapterContext) -> WebhookAdapter:
    """What the registry looks for."""
    return WebhookAdapter(context)
