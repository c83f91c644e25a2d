"""The part of the adapter that lists channels for an admin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from adapters.discord.addresses import check_address
from adapters.discord.directory import Directory
from adapters.discord.errors import Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.servers import TEXT_KINDS
from bridge.model.abilities import ListedChat


class ListsChannels:
    _directory: Directory
    _guilds: GuildCache
    _identity: Identity

    async def chats(self) -> Sequence[ListedChat]:
        await self._directory.identify()
        try:
            failed = await self._directory.load(self._identity.user_id)
        except Refused as refused:
            raise refused.error from None
        servers = self._guilds.servers
        if failed and not servers:
            raise next(iter(failed.values()))
        found = [channel for channel in self._guilds.channels() if channel.kind in TEXT_KINDS and channel.guild_id in servers]
        named = Counter(channel.name for channel in found)
        return [
            ListedChat(
                address=channel.id,
                name=f"#{channel.name} in {servers[channel.guild_id].name}",
                by_name=f"#{channel.name}" if named[channel.name] == 1 and check_address(f"#{channel.name}") is None else "",
            )
            for channel in sorted(found, key=lambda one: (servers[one.guild_id].name, one.name))
        ]
