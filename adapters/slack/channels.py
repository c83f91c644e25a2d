"""Resolves addresses of bridge.yaml to channel ids, by a listing that is cached for a minute. Called by `adapter.resolve`."""

from __future__ import annotations

import asyncio

import msgspec

from adapters.slack.addresses import is_channel_id
from adapters.slack.lenient import convert, next_cursor, objects
from adapters.slack.transport import Transport
from adapters.slack.wire import Channel
from bridge.model.clock import Clock
from bridge.model.errors import ChatDown

_LISTING_FRESH_S = 60.0
_MOMENT_S = 10.0
"""A channel missing in a listing older than this may have been created, or the bot invited, since."""
_PAGE = 999


class Channels:
    """Knows channels by name."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._clock = clock
        self._transport = transport
        self._by_name: dict[str, Channel] = {}
        self._listed_at_s = 0.0
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """A channel was renamed, archived, or we joined or left one: list again at the next request."""
        self._listed_at_s = 0.0

    async def resolve(self, address: str) -> str:
        """The id of a channel the bot is in. Raises ChatDown, RetryLater, AccountDown."""
        if is_channel_id(address):
            return address
        async with self._lock:
            channel = self._by_name.get(address.removeprefix("#"))
            fresh_s = _LISTING_FRESH_S if channel is not None and channel.is_member else _MOMENT_S
            if not self._listed_at_s or self._clock.monotonic_s() - self._listed_at_s > fresh_s:
                await self._list()
        channel = self._by_name.get(address.removeprefix("#"))
        if channel is None:
            raise ChatDown(
                f"there is no channel {address} that the bot can see",
                action=f"create {address}, or if it is private, invite the bot: /invite in {address}",
            )
        if channel.is_archived:
            raise ChatDown(f"{address} is archived", action="unarchive it, or take it out of bridge.yaml")
        if not channel.is_member:
            raise ChatDown(f"the bot is not in {address}", action=f"invite the bot: /invite in {address}")
        return channel.id

    async def all(self) -> list[Channel]:
        """Every channel that the bot can see, those that it is in first. Raises ChatDown, RetryLater, AccountDown."""
        async with self._lock:
            await self._list()
        return sorted(self._by_name.values(), key=lambda channel: (not channel.is_member, channel.name))

    async def _list(self) -> None:
        found: dict[str, Channel] = {}
        kinds, cursor = "public_channel,private_channel", ""
        while True:
            arguments = {"types": kinds, "limit": _PAGE, "cursor": cursor or None, "exclude_archived": False}
            answer = await self._transport.call("conversations.list", arguments, tolerate=("missing_scope",))
            if answer.get("error") == "missing_scope":
                # without groups:read private channels can be named by id only
                if kinds == "public_channel":
                    raise ChatDown("channels cannot be listed", action="add the scope channels:read and reinstall the app")
                kinds = "public_channel"
                continue
            for entry in objects(answer.get("channels")):
                try:
                    channel = convert(entry, Channel)
                except msgspec.ValidationError:
                    continue  # without an id it cannot be an end of a route
                known = found.get(channel.name)
                if known is None or known.is_archived:
                    found[channel.name] = channel
            cursor = next_cursor(answer)
            if not cursor:
                break
        self._by_name = found
        self._listed_at_s = self._clock.monotonic_s()
