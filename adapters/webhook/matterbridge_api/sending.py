"""Sends to programs that read by matterbridge's API: what is sent is kept in the journal for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from adapters.webhook.directory import Directory
from adapters.webhook.matterbridge_api import message
from adapters.webhook.outbound.fetching import Fetching
from bridge.model.adapter import Outbound, OutboundDelete, OutboundEdit, Receipt
from bridge.model.clock import Clock
from bridge.model.refs import AccountName

if TYPE_CHECKING:
    from adapters.webhook.config import EndOptions


def gateway_of(name: str, end: EndOptions) -> str:
    """What programs call an end."""
    return end.gateway.strip() or name


class MatterbridgeSender:
    """The sender of one account. A repeated attempt changes nothing: it has the name of the first."""

    def __init__(self, account: AccountName, directory: Directory, fetching: Fetching, clock: Clock) -> None:
        self._account = account
        self._directory = directory
        self._fetching = fetching
        self._clock = clock

    async def send(self, outbound: Outbound) -> Receipt:
        name, token = outbound.chat_id, outbound.token
        await self._fetching.put(name, token, message.said(self._account, self._gateway(name), token, outbound, self._clock.now()))
        return Receipt(message_ids=(token,))

    async def edit(self, outbound: OutboundEdit) -> Receipt:
        """The whole message once more, with the id of the first."""
        name, ids = outbound.copy.chat_id, outbound.copy.message_ids
        body = message.said(self._account, self._gateway(name), ids[0], outbound, self._clock.now())
        await self._fetching.put(name, outbound.token, body)
        return Receipt(message_ids=ids)

    async def delete(self, outbound: OutboundDelete) -> None:
        name, message_id = outbound.copy.chat_id, outbound.copy.message_ids[0]
        body = message.deleted(self._account, self._gateway(name), message_id, outbound.occurred_at or self._clock.now())
        await self._fetching.take_back(name, message_id, partial(message.without, message_id, body))
        await self._fetching.put(name, f"{message_id}-d", body)

    def _gateway(self, name: str) -> str:
        return gateway_of(name, self._directory.end(name))
