"""Reads how people have voted. The gateway tells single votes; what the bridge shows is the whole count, so a poll that was voted
on is read again, once in a while, however many votes come. Used by `receiver`.

Source: API reference, poll resource: MESSAGE_POLL_VOTE_ADD, `results` of the message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from adapters.discord import wire
from adapters.discord.errors import Refused
from adapters.discord.lenient import mapping
from adapters.discord.transport import Route, Transport
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, DeliveryError, Rejected

READ_EVERY_S = 5.0
"""A poll is read this long after a vote: what comes meanwhile is in the same count."""
MOST = 500
"""Polls that wait to be read; those that were voted on longest ago are left out, until the next vote on them."""


class PollReader:
    """`found` takes each message that was read."""

    def __init__(self, transport: Transport, clock: Clock, found: Callable[[wire.Message], Awaitable[None]]) -> None:
        self._transport = transport
        self._clock = clock
        self._found = found
        self._due: dict[tuple[str, str], None] = {}
        self._news = asyncio.Event()

    def voted(self, channel_id: str, message_id: str) -> None:
        """Somebody voted, or took a vote back."""
        self._due[channel_id, message_id] = None
        while len(self._due) > MOST:
            del self._due[next(iter(self._due))]
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._clock.sleep(READ_EVERY_S)
            for channel_id, message_id in list(self._due):
                self._due.pop((channel_id, message_id), None)  # before it is read: whoever votes meanwhile is in the next count
                try:
                    message = await self._read(channel_id, message_id)
                except Rejected:
                    message = {}
                except (DeliveryError, AccountDown):
                    self.voted(channel_id, message_id)  # it, behind the others, is read later: nobody may vote again
                    break
                if message:
                    await self._found(message)

    async def _read(self, channel_id: str, message_id: str) -> wire.Message:
        """Empty if it cannot be read, whoever asks: it is gone, or not the bot's to see. Raises what passes."""
        path = f"/channels/{channel_id}/messages"
        try:
            found: wire.Message = mapping(await self._transport.call(Route("GET", f"{path}/{message_id}", f"{path}/")))
        except Refused:
            return {}
        return found
