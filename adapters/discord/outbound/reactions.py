"""Reactions: added and removed one by one, custom emoji by their name. Called by `adapter`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from adapters.discord.errors import MISSING_PERMISSIONS, UNKNOWN_EMOJI, UNKNOWN_MESSAGE, Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.outbound.archived_threads import Threads
from adapters.discord.transport import Route, Transport, path_part
from bridge.model.adapter import OutboundReaction
from bridge.model.errors import Rejected


class Reactions:
    def __init__(self, transport: Transport, guilds: GuildCache, threads: Threads) -> None:
        self._transport = transport
        self._guilds = guilds
        self._threads = threads

    async def react(self, outbound: OutboundReaction) -> Sequence[str]:
        """Returns the custom emoji that the server does not have. Raises Rejected, after all have been tried, for those that
        Discord does not take."""
        unknown: list[str] = []
        not_taken: list[str] = []
        changes = [("DELETE", e) for e in outbound.removed if e not in outbound.wanted]
        changes += [("PUT", e) for e in outbound.added]
        for method, shown in changes:
            emoji = self._native(shown)
            if emoji is None:
                unknown.append(shown)
                continue
            try:
                await self._change(method, emoji, outbound)
            except Refused as refused:
                if refused.code == UNKNOWN_EMOJI:
                    unknown.append(shown)
                elif refused.code == MISSING_PERMISSIONS:  # messages go on without it
                    not_taken.append("the bot lacks Add Reactions or Read Message History there")
                elif method == "PUT" or refused.code != UNKNOWN_MESSAGE:
                    raise refused.error from None
        if unknown:
            not_taken.append(f"Discord has no emoji {', '.join(unknown)} here")
        if not_taken:
            raise Rejected("; ".join(dict.fromkeys(not_taken)))
        return [emoji for emoji in outbound.wanted if self._native(emoji) is None]

    async def _change(self, method: str, emoji: str, outbound: OutboundReaction) -> None:
        copy = outbound.copy
        channel_id = copy.thread_id or copy.chat_id
        path = f"/channels/{channel_id}/messages/{copy.message_ids[0]}/reactions/{path_part(emoji)}/@me"
        route = Route(method, path, f"channels/{channel_id}/reactions")
        await self._threads.awake(copy.thread_id, partial(self._transport.call, route))

    def _native(self, shown: str) -> str | None:
        if shown.startswith(":") and shown.endswith(":") and len(shown) > 2:
            return self._guilds.emoji(shown.strip(":"))
        return shown
