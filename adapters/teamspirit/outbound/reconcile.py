"""Reconciliation: whether a message of an unknown outcome is there after all. Used by `adapter`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from adapters.common.own_messages import OwnMessages
from adapters.common.platform_time import Attempts
from adapters.teamspirit.client import Client
from adapters.teamspirit.errors import Gone
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.outbound.sender import Sender
from adapters.teamspirit.wire import NativeMessage, Undecodable
from bridge.model.adapter import Outbound, Receipt
from bridge.model.errors import Rejected

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations

_RECONCILE_PAGES = 10
_MARGIN = timedelta(hours=1)
"""By how much the clock of an earlier process is mistrusted: it may have been wrong when it recorded the attempt."""
_LONG_AGO = timedelta(days=1)
"""How far back to look where no clock can say since when."""


class Reconciliation:
    def __init__(
        self, operations: Operations, client: Client, decoder: Decoder, sender: Sender, own: OwnMessages, attempts: Attempts
    ) -> None:
        self._operations = operations
        self._client = client
        self._decoder = decoder
        self._sender = sender
        self._own = own
        self._attempts = attempts

    async def reconcile(self, outbound: Outbound, sent_after: datetime) -> Receipt | None:
        """Looks for our mark in the history, behind the last message that we know we sent. Where that is too far to read, the
        answer is None if the server itself returns the first message for the same mark."""
        call, send = self._operations.history, self._operations.send
        assert call is not None
        assert send is not None
        since = self._attempts.since(outbound.token, sent_after, margin=_MARGIN) or self._client.time.now() - _LONG_AGO
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
                    return self._sender.receipt(outbound, self._sender.found(outbound, message), last)
            if len(items) < call.page_size:
                return None
            if since_ms is not None or last == after or (not after and call.without_after == "newest"):
                break
            after = last
        if (self._client.time.now() - since).total_seconds() < send.idempotent_s:
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
