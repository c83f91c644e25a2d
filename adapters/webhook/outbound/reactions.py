"""Reactions and pins as events of Standard Webhooks."""

from __future__ import annotations

import uuid

from adapters.webhook.outbound import encode
from adapters.webhook.outbound.sender import Sender
from bridge.model.adapter import Copy, OutboundReaction


class Reactions:
    """Told by one account's sender."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def react(self, outbound: OutboundReaction) -> None:
        """An event for what is new, and one for what is gone. Should the second fail, the first is told again under its id."""
        end, now = outbound.copy.chat_id, self._sender.now()
        token = outbound.token or uuid.uuid4().hex
        if outbound.added:
            await self._sender.tell(end, f"{token}-a", encode.reacted(end, outbound, now, added=True))
        if outbound.removed:
            await self._sender.tell(end, f"{token}-r", encode.reacted(end, outbound, now, added=False))

    async def pin(self, copy: Copy, pinned: bool) -> None:
        """Its id is each attempt's own: a message that is pinned twice is pinned."""
        payload = encode.pinned(copy.chat_id, copy, self._sender.now(), is_pinned=pinned)
        await self._sender.tell(copy.chat_id, uuid.uuid4().hex, payload)
