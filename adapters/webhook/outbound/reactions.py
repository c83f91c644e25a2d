"""Sends reactions and pins as events of Standard Webhooks."""

from __future__ import annotations

import uuid

from adapters.webhook.outbound import encode
from adapters.webhook.outbound.sender import Sender
from bridge.model.adapter import Copy, OutboundReaction


class Reactions:
    """Used by the sender of one account."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def react(self, outbound: OutboundReaction) -> None:
        """Send an event for added reactions, and one for removed ones. If the second fails, a retry sends the first again, with the
        same id."""
        end, now = outbound.copy.chat_id, self._sender.now()
        token = outbound.token or uuid.uuid4().hex
        if outbound.added:
            await self._sender.tell(end, f"{token}-a", encode.reacted(end, outbound, now, added=True))
        if outbound.removed:
            await self._sender.tell(end, f"{token}-r", encode.reacted(end, outbound, now, added=False))

    async def pin(self, copy: Copy, pinned: bool) -> None:
        """Send a pin. Each attempt has a new id: pinning twice does no harm."""
        payload = encode.pinned(copy.chat_id, copy, self._sender.now(), is_pinned=pinned)
        await self._sender.tell(copy.chat_id, uuid.uuid4().hex, payload)
