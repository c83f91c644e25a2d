"""Statuses that people give themselves: told in the routed channels that they are in. Called by `account_events`.

Slack tells of a status once for the whole workspace, and names no channel. Source: docs.slack.dev, event user_status_changed (scope
users:read), guide "User presence and status", method users.conversations (Tier 3), November 2026. Presence (active, away) is told
over the old RTM connection alone, which apps of today have not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from html import unescape

from adapters.slack.directory import Directory, to_author
from adapters.slack.emoji_names import to_unicode
from adapters.slack.identity import Identity
from adapters.slack.wire import UserStatus
from bridge.model.adapter import Intake
from bridge.model.clock import Clock
from bridge.model.events import EventMeta, Status, StatusChanged
from bridge.model.refs import ChatRef

KEPT_S = 600.0
"""How long the channels of a person are not asked for again."""
PEOPLE_KEPT = 500
LOOKED_UP = 20
"""So many people's channels are asked for in a minute: other calls share the rate."""
_MINUTE_S = 60.0
_WITHIN_S = 2.0
"""Slack wants an event acknowledged within 3 s."""


class Statuses:
    def __init__(self, intake: Intake, directory: Directory, identity: Callable[[], Identity], clock: Clock) -> None:
        self._intake = intake
        self._directory = directory
        self._identity = identity
        self._clock = clock
        self._chats: dict[str, tuple[float, frozenset[str] | None]] = {}
        """By person: until when, and which channels; None if they could not be asked for."""
        self._asked: list[float] = []

    async def changed(self, event: UserStatus) -> None:
        """Raises what the core raises."""
        user = event.user
        if user.id == self._identity().user_id:
            return
        routed = self._intake.routed_chats()
        chats = await self._chats_of(user.id) if routed else frozenset()
        if chats is None:
            self._intake.ignored("status of somebody whose channels could not be asked for")
            return
        account, now = self._identity().account, self._clock.now()
        profile = user.profile
        emoji = (profile.status_emoji or "").strip(":") if profile is not None else ""
        words = unescape((profile.status_text or "") if profile is not None else "")
        text = " ".join(filter(None, (emoji and (to_unicode(emoji) or f":{emoji}:"), words.strip())))
        told = []
        for chat_id in sorted(routed & chats):
            meta = EventMeta(
                event_key=f"status:{account}:{chat_id}:{user.id}:{event.event_ts or now.timestamp()}",
                origin=ChatRef(account, chat_id),
                occurred_at=now,
                received_at=now,
                author=self._directory.known_person(user.id) or to_author(user),
            )
            told.append(StatusChanged(meta=meta, status=Status.OTHER, text=text))
        if told:
            await self._intake.accept(told)

    async def _chats_of(self, user_id: str) -> frozenset[str] | None:
        """None: it cannot be found out now."""
        now_s = self._clock.monotonic_s()
        until_s, chats = self._chats.get(user_id, (0.0, None))
        if until_s > now_s:
            return chats
        self._asked = [at for at in self._asked if now_s - at < _MINUTE_S]
        if len(self._asked) >= LOOKED_UP:
            return None
        self._asked.append(now_s)
        try:
            async with asyncio.timeout(_WITHIN_S):
                found = await self._directory.chats_of(user_id)
        except TimeoutError:
            found = None
        self._chats.pop(user_id, None)
        self._chats[user_id] = now_s + KEPT_S, found
        if len(self._chats) > PEOPLE_KEPT:
            del self._chats[next(iter(self._chats))]
        return found
