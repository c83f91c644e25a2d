"""The part of the adapter that lists channels for an admin."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.slack.addresses import check_address
from adapters.slack.channels import Channels
from bridge.model.abilities import ListedChat


class ListsChannels:
    _channels: Channels

    async def chats(self) -> Sequence[ListedChat]:
        return [
            ListedChat(
                address=f"#{channel.name}" if check_address(f"#{channel.name}") is None else channel.id,
                name=channel.id,
                by_name=f"#{channel.name}" if check_address(f"#{channel.name}") is None else "",
                note="" if channel.is_member else f"the bot is not in it: /invite it in #{channel.name}",
            )
            for channel in await self._channels.all()
            if not channel.is_archived
        ]
