"""Sends to programs that read by matterbridge's API: what is sent is kept in the journal for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from adapters.webhook.directory import Directory
from adapters.webhook.matterbridge_api import message
from adapters.webhook.matterbridge_api.file_entries import file_entry, file_lines
from adapters.webhook.matterbridge_api.kept_files import KeptFiles
from adapters.webhook.outbound.fetching import Fetching
from bridge.model.adapter import Outbound, OutboundDelete, OutboundEdit, Receipt
from bridge.model.errors import RetryLater
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import concat, plain

if TYPE_CHECKING:
    from adapters.webhook.config import EndOptions, WebhookOptions


def gateway_of(name: str, end: EndOptions) -> str:
    """What programs call an end."""
    return end.gateway.strip() or name


class MatterbridgeSender:
    """The sender of one account. A repeated attempt changes nothing: it has the name of the first."""

    def __init__(self, context: AdapterContext, directory: Directory, fetching: Fetching, kept: KeptFiles) -> None:
        options: WebhookOptions = context.options
        self._account = context.account
        self._has_lines = options.file_lines
        self._directory = directory
        self._fetching = fetching
        self._kept = kept
        self._clock = context.clock

    async def send(self, outbound: Outbound) -> Receipt:
        name, token = outbound.chat_id, outbound.token
        files = [
            file_entry(await self._kept.keep(token, number, file), file, is_line=self._has_lines)
            for number, file in enumerate(outbound.files)
        ]
        body = message.said(self._account, self._gateway(name), token, outbound, self._clock.now(), files)
        await self._fetching.put(name, token, body)
        return Receipt(message_ids=(token,), adapter_data=json.dumps(files, ensure_ascii=False) if files else "")

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        """The whole message once more, with the id of the first; its files are lines, if any: readers have their bytes."""
        name, ids = outbound.copy.chat_id, outbound.copy.message_ids
        if self._has_lines and (lines := file_lines(_files_of(outbound.copy.adapter_data))):
            outbound = replace(outbound, text=concat(outbound.text, plain(lines)))
        body = message.said(self._account, self._gateway(name), ids[0], outbound, self._clock.now())
        await self._fetching.put(name, outbound.token, body)
        return Receipt(message_ids=ids)

    async def delete(self, outbound: OutboundDelete) -> None:
        name, message_id = outbound.copy.chat_id, outbound.copy.message_ids[0]
        body = message.deleted(self._account, self._gateway(name), message_id, outbound.occurred_at or self._clock.now())
        await self._fetching.take_back(name, message_id, partial(message.without, message_id, body))
        await self._fetching.put(name, f"{message_id}-d", body)
        try:
            await self._kept.forget(outbound.copy.message_ids)
        except OSError as error:
            raise RetryLater(f"the file of a deleted message cannot be removed: {error.strerror or error}") from error

    def _gateway(self, name: str) -> str:
        return gateway_of(name, self._directory.end(name))


def _files_of(adapter_data: str) -> Sequence[Mapping[str, Any]]:
    """The files of a message, as its receipt has them."""
    found: Sequence[Mapping[str, Any]] = json.loads(adapter_data) if adapter_data else ()
    return found
