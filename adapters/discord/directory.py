"""People and chats by id: the bot itself, its servers and channels, and people. Results are kept in `guild_cache`. Called by
`adapter`, `probe` and code that meets an id that no event contained."""

from __future__ import annotations

import asyncio
from typing import Any

from adapters.discord import wire
from adapters.discord.errors import Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.inbound.decode_content import author_of, names_of
from adapters.discord.lenient import UNREADABLE, mapping, objects, text
from adapters.discord.servers import CHANNELS, MEMBER, THREADS, Channel
from adapters.discord.transport import Route, Transport
from bridge.model.clock import Clock
from bridge.model.errors import AccountDown, BridgeError, ChatDown, DeliveryError, RetryLater
from bridge.model.events import Author

OURSELVES = Route("GET", "/users/@me", "users/@me")
OUR_APPLICATION = Route("GET", "/oauth2/applications/@me", "oauth2/applications/@me")
INVITE_OR_ID = "invite the bot, or write the channel's id instead"
LOOK_AGAIN_S = 20.0
"""How long the list of channels is trusted when a name is not in it."""


class Directory:
    def __init__(self, transport: Transport, identity: Identity, guilds: GuildCache, cdn_url: str, clock: Clock) -> None:
        self._transport = transport
        self._identity = identity
        self._guilds = guilds
        self._cdn_url = cdn_url
        self._clock = clock
        self._identifying = asyncio.Lock()
        self._looking_around = asyncio.Lock()
        self._look_again_at_s = 0.0

    # -- ourselves ------------------------------------------------------------------------------------------------------------

    async def identify(self) -> None:
        """Who the token belongs to; asked once. Raises AccountDown or a DeliveryError."""
        if self._identity.user_id:
            return
        async with self._identifying:
            if self._identity.user_id:
                return
            try:
                user: wire.User = mapping(await self._transport.call(OURSELVES))
            except Refused as refused:
                raise refused.error from None
            if not text(user.get("id")):
                raise RetryLater("Discord does not say who the token belongs to")
            self._identity.application_id = await self._application_id()
            self._identity.names = names_of(user)
            self._identity.user_id = text(user["id"])

    async def _application_id(self) -> str:
        """Empty where a server that speaks Discord's API does not know of applications: webhooks' ids mark what is ours, too."""
        try:
            application: wire.Application = mapping(await self._transport.call(OUR_APPLICATION))
        except Refused as refused:
            if refused.refusal.status in (404, 405, 501):
                return ""
            raise refused.error from None
        return text(application.get("id"))

    # -- people ---------------------------------------------------------------------------------------------------------------

    async def person(self, user_id: str) -> Author | None:
        if not user_id.isdecimal():
            return None
        try:
            user: wire.User = await self._transport.call(Route("GET", f"/users/{user_id}", "users"))
            return author_of({"author": user}, self._cdn_url)
        except (Refused, *UNREADABLE):
            return None

    # -- channels -------------------------------------------------------------------------------------------------------------

    async def resolve(self, address: str) -> str:
        """The id of a channel that bridge.yaml names by id or name. Raises ChatDown if there is none, or several."""
        if address.isdecimal():
            channel = self._guilds.get(address)
            if channel is not None and channel.is_thread and channel.parent_id is not None:
                raise ChatDown(f"{address} is a thread", action=f"write it as {channel.parent_id}/{address} in bridge.yaml")
            return address
        await self.identify()
        found = self._guilds.named(address)
        not_seen = "" if found else await self._look_around()
        found = found or self._guilds.named(address)
        if not found and not_seen:
            raise RetryLater(f"whether there is a channel named {address} cannot be told: {not_seen}")
        if not found:
            hidden = [s.name for s in self._guilds.servers.values() if CHANNELS in s.unknown]
            action = f"write its id: the channels of {', '.join(hidden)} cannot be listed" if hidden else INVITE_OR_ID
            raise ChatDown(f"the bot sees no channel named {address}", action=action)
        if len(found) > 1:
            raise ChatDown(f"{len(found)} channels are named {address}", action="write the channel's id instead of its name")
        return found[0].id

    async def _look_around(self) -> str:
        """Load the servers, unless that was done a moment ago. Returns what could not be looked up now."""
        async with self._looking_around:
            if self._clock.monotonic_s() < self._look_again_at_s:
                return ""
            try:
                failed = await self.load(self._identity.user_id)
            except Refused as refused:
                raise refused.error from None
            passing = [error.reason for error in failed.values() if isinstance(error, RetryLater)]
            passing += [f"the channels of {s.name}" for s in self._guilds.servers.values() if s.unknown.get(CHANNELS)]
            if not passing:
                self._look_again_at_s = self._clock.monotonic_s() + LOOK_AGAIN_S
            return "; ".join(passing[:3])

    async def channel(self, channel_id: str) -> Channel:
        """A channel or thread, known or asked for (an archived thread, say). Raises the bridge's errors, or `Refused`; KeyError,
        TypeError or ValueError for an answer that is not understood."""
        known = self._guilds.get(channel_id)
        if known is not None:
            return known
        data = await self._transport.call(Route("GET", f"/channels/{channel_id}", f"channels/{channel_id}"))
        return self._guilds.learn(data)

    async def load(self, own_user_id: str) -> dict[str, BridgeError]:
        """Load everything through REST: for a resumed session, which receives no guild events, and while no session is running.
        Returns the ids of servers that could not be read, with the reason; what was known of such a server stays.

        Raises `Refused` or a DeliveryError if the list of servers cannot be had, and `Refused` for the whole account."""
        failed: dict[str, BridgeError] = {}
        entries: list[wire.Guild] = objects(await self._transport.call(Route("GET", "/users/@me/guilds", "users/@me/guilds")))
        for entry in entries:
            guild_id = str(entry.get("id"))
            try:
                await self._load_guild(guild_id, own_user_id)
            except Refused as refused:
                if isinstance(refused.error, AccountDown):
                    raise
                failed[guild_id] = refused.error
            except DeliveryError as error:
                failed[guild_id] = error
            except (KeyError, TypeError, ValueError) as error:
                failed[guild_id] = RetryLater(f"an answer that is not understood: {type(error).__name__}")
        return failed

    async def _load_guild(self, guild_id: str, own_user_id: str) -> None:
        """One server, which may have removed the bot meanwhile. Optional parts may be missing: they are then noted as unknown."""
        unknown: dict[str, bool] = {}
        path = f"/guilds/{guild_id}"

        async def get(part: str, what: str) -> Any:
            try:
                return await self._transport.call(Route("GET", path + what, path + what))
            except Refused as refused:
                if isinstance(refused.error, AccountDown):
                    raise
                unknown[part] = False
            except DeliveryError:
                unknown[part] = True
            return None

        guild: wire.Guild = mapping(await self._transport.call(Route("GET", path, path)))
        member: wire.Member = mapping(await get(MEMBER, f"/members/{own_user_id}"))
        channels = await get(CHANNELS, "/channels")
        threads: wire.ThreadList = mapping(await get(THREADS, "/threads/active"))
        ours: wire.Member = {**member, "user": {"id": own_user_id}}
        whole: wire.Guild = {**guild, "channels": channels, "threads": threads.get("threads", []), "members": [ours]}
        self._guilds.learn_guild(whole, own_user_id, unknown=unknown)
