"""The webhooks through which copies carry their author's name: found again or made, one per channel, remembered in memory.

A webhook belongs to us if our application made it, so they are found again after a restart; tokens never leave this module and
`transport`. Called by `adapter`. Source: API reference, webhook resource, August 2026.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from adapters.discord import wire
from adapters.discord.errors import (
    INVALID_WEBHOOK_TOKEN,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    TOO_MANY_WEBHOOKS,
    UNKNOWN_WEBHOOK,
    WRONG_CHANNEL_KIND,
    Refused,
)
from adapters.discord.identity import Identity
from adapters.discord.lenient import objects
from adapters.discord.transport import Route, Transport
from bridge.model.clock import Clock
from bridge.model.errors import RetryLater

ASK_AGAIN_S = 600.0
"""How long a channel that refuses webhooks is served by the bot itself before it is asked again."""

_REASONS = {
    MISSING_PERMISSIONS: ("no permission to manage webhooks", "give the bot Manage Webhooks in this channel"),
    TOO_MANY_WEBHOOKS: ("the channel has 15 webhooks already", "delete an unused webhook of this channel (Integrations)"),
    WRONG_CHANNEL_KIND: ("this kind of channel has no webhooks", "nothing, or choose a text channel"),
}


@dataclass(frozen=True, slots=True)
class Hook:
    id: str
    token: str = field(repr=False)
    channel_id: str

    def route(self, method: str, rest: str = "", bucket: str = "") -> Route:
        return Route(method, f"/webhooks/{self.id}/{self.token}{rest}", f"webhooks/{self.id}{bucket}", by_token=True)


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a channel gets no webhook for now."""

    reason: str
    action: str
    until_s: float


class ChannelWebhooks:
    def __init__(
        self,
        transport: Transport,
        name: str,
        identity: Identity,
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._name = name
        self._identity = identity
        self._now = clock.monotonic_s
        self.on_use: Callable[[str], Awaitable[None]] | None = None
        """Told of each webhook's id before anything is posted through it."""
        self._by_channel: dict[str, Hook] = {}
        self._by_id: dict[str, Hook] = {}
        self._denied: dict[str, Denial] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def of(self, channel_id: str) -> Hook | Denial:
        """The channel's webhook, found or made; or why there is none. Raises the bridge's errors, or `Refused`."""
        known = self._by_channel.get(channel_id) or self._denied.get(channel_id)
        if isinstance(known, Hook) or (known is not None and known.until_s > self._now()):
            return known
        async with self._locks.setdefault(channel_id, asyncio.Lock()):
            if channel_id in self._by_channel:
                return self._by_channel[channel_id]
            try:
                hook = await self._find(channel_id) or await self._create(channel_id)
            except Refused as refused:
                if refused.code not in _REASONS:
                    raise
                reason, action = _REASONS[refused.code]
                denial = self._denied[channel_id] = Denial(reason, action, self._now() + ASK_AGAIN_S)
                return denial
            self._denied.pop(channel_id, None)
            return await self._remember(hook)

    async def by_id(self, webhook_id: str) -> Hook | None:
        """A webhook that posted an earlier message; None if it was deleted or is no longer ours to read."""
        if webhook_id in self._by_id:
            return self._by_id[webhook_id]
        try:
            found = await self._transport.call(Route("GET", f"/webhooks/{webhook_id}", f"webhooks/{webhook_id}"))
        except Refused as refused:
            if refused.code in (UNKNOWN_WEBHOOK, MISSING_PERMISSIONS, MISSING_ACCESS):
                return None
            raise
        hook = _hook(found)
        if hook is None:
            return None
        return await self._remember(hook)

    def forget(self, hook: Hook) -> None:
        """It was deleted, or its token no longer holds."""
        self._by_id.pop(hook.id, None)
        if self._by_channel.get(hook.channel_id) == hook:
            del self._by_channel[hook.channel_id]

    def forget_denial(self, channel_id: str) -> None:
        self._denied.pop(channel_id, None)

    async def _remember(self, hook: Hook) -> Hook:
        if self.on_use is not None:
            await self.on_use(hook.id)
        self._by_id[hook.id] = hook
        self._by_channel.setdefault(hook.channel_id, hook)
        return hook

    async def ours_in(self, channel_id: str) -> list[str]:
        """Ids of the channel's webhooks that are ours. Raises the bridge's errors, or `Refused`."""
        return [str(w["id"]) for w in await self._listed(channel_id)]

    async def _find(self, channel_id: str) -> Hook | None:
        ours = [w for w in await self._listed(channel_id) if w.get("token")]
        ours.sort(key=lambda w: (w.get("name") != self._name, int(w["id"])))
        return _hook(ours[0]) if ours else None

    async def _listed(self, channel_id: str) -> list[wire.Webhook]:
        """Those that we made."""
        path = f"/channels/{channel_id}/webhooks"
        listed: list[wire.Webhook] = objects(await self._transport.call(Route("GET", path, path)))
        return [webhook for webhook in listed if webhook.get("id") and self._identity.made(webhook)]

    async def _create(self, channel_id: str) -> Hook:
        path = f"/channels/{channel_id}/webhooks"
        hook = _hook(await self._transport.call(Route("POST", path, path), json={"name": self._name}))
        if hook is None:
            raise RetryLater("Discord made a webhook without telling its token")
        return hook


def is_webhook_gone(refused: Refused) -> bool:
    return refused.code in (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN) or refused.refusal.status == 401


def _hook(data: wire.Webhook) -> Hook | None:
    if not data.get("token"):
        return None
    return Hook(id=str(data["id"]), token=str(data["token"]), channel_id=str(data["channel_id"]))
