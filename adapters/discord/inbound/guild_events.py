"""Guild events: what they say about channels is kept in `guild_cache`, and reported to the core where a route has the channel.

Called by `receiver` for each event beside its decoding. A part of a payload that cannot be read costs only itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from adapters.discord.directory import Directory
from adapters.discord.errors import Refused
from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.lenient import objects
from adapters.discord.servers import THREAD_KINDS
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.errors import ConnectionLost, DeliveryError

log = structlog.get_logger("discord")

ASK_AGAIN_S = 600.0
UNREADABLE_KEPT = 1000
ATTEMPTS = 4
RETRY_S = 0.5


class GuildEvents:
    def __init__(
        self,
        directory: Directory,
        identity: Identity,
        guilds: GuildCache,
        intake: Intake,
        on_restored: Callable[[str], None],
        clock: Clock,
    ) -> None:
        """`on_restored` is called for each channel whose rights, or webhooks, may have changed."""
        self._directory = directory
        self._identity = identity
        self._guilds = guilds
        self._clock = clock
        self._intake = intake
        self._on_restored = on_restored
        self._unreadable: dict[str, float] = {}
        """Channels that may not be asked for, and until when not to ask again."""

    def take_in(self, event: str, data: Any) -> None:
        self._notice_losses(event, data)
        self._guilds.apply(event, data, self._identity.user_id)
        self._tell_restored(event, data)

    def _notice_losses(self, event: str, data: Any) -> None:
        """A routed channel that is no longer there. A server that is merely unavailable comes back by itself."""
        if event == "GUILD_DELETE" and not data.get("unavailable"):
            for chat_id in self._intake.routed_chats():
                channel = self._guilds.get(chat_id)
                if channel is not None and channel.guild_id == str(data.get("id")):
                    self._intake.notice("the bot was removed from the server", "invite it again", chat_id=chat_id)
        elif event == "CHANNEL_DELETE" and str(data.get("id")) in self._intake.routed_chats():
            self._intake.notice("the channel was deleted", "take it out of bridge.yaml", chat_id=str(data["id"]))

    def _tell_restored(self, event: str, data: Any) -> None:
        """Rights may have been restored, or a channel's webhook freed; only a send shows it."""
        routed = self._intake.routed_chats()
        match event:
            case "GUILD_CREATE":
                changed = {str(one.get("id")) for one in objects(data.get("channels"))}
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE":
                changed = {str(data.get("id"))}
            case "WEBHOOKS_UPDATE":
                changed = {str(data.get("channel_id"))}
            case "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE" | "GUILD_MEMBER_UPDATE":
                changed = {c for c in routed if (channel := self._guilds.get(c)) and channel.guild_id == str(data.get("guild_id"))}
            case _:
                return
        for chat_id in changed:
            self._on_restored(chat_id)
            if chat_id in routed:
                self._intake.chat_restored(chat_id)

    async def know_channel(self, channel_id: str, kind: object) -> None:
        """A thread that no event contained: without its parent its messages would seem to be of an unknown chat.

        Raises ConnectionLost when Discord cannot say now; the events come again then."""
        if self._guilds.get(channel_id) is not None or (kind is not None and kind not in THREAD_KINDS):
            return
        if self._unreadable.get(channel_id, 0.0) > self._clock.monotonic_s():
            return
        for attempt in range(ATTEMPTS):
            try:
                await self._directory.channel(channel_id)
                return
            except Refused as refused:
                if len(self._unreadable) >= UNREADABLE_KEPT:
                    self._unreadable.clear()
                self._unreadable[channel_id] = self._clock.monotonic_s() + ASK_AGAIN_S
                log.info("channel cannot be read", account=self._identity.account, channel=channel_id, reason=str(refused))
                return
            except DeliveryError as error:
                reason = error.reason
            await self._clock.sleep(RETRY_S * 2**attempt)
        raise ConnectionLost(f"a thread cannot be looked up: {reason}")
