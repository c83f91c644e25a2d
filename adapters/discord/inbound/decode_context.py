"""What decoding knows besides the payload: our identity, servers and people, and placeholders still to be filled. No I/O. One per
account. Code that needs only one part is given that part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.discord.guild_cache import GuildCache
from adapters.discord.identity import Identity
from adapters.discord.inbound.last_seen import LastSeen
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.events import (
    Author,
)

_LOADING_KEPT = 500
_PEOPLE_KEPT = 2000


@dataclass(slots=True)
class Context:
    identity: Identity
    cdn_url: str
    clock: Clock = SYSTEM_CLOCK
    guilds: GuildCache = field(default_factory=GuildCache)
    is_end: Callable[[str, str], bool] = lambda _chat, _thread: False
    """Whether a thread of a chat is an end of a route by itself: then its messages need not say of which thread they are."""
    seen: LastSeen = field(default_factory=LastSeen)
    loading: dict[str, None] = field(default_factory=dict)
    """Ids of placeholder messages (flag LOADING) whose content comes with an update; bounded."""
    people: dict[str, Author] = field(default_factory=dict)
    """Who was seen lately, for events that name a person by id only; bounded."""

    def name_of(self, user_id: str) -> str:
        """Of somebody seen lately, or of ourselves; else empty."""
        if user_id == self.identity.user_id:
            return next(iter(self.identity.names), "")
        return self.people[user_id].name if user_id in self.people else ""

    def remember(self, author: Author) -> None:
        self.people.pop(author.user_id, None)
        self.people[author.user_id] = author
        if len(self.people) > _PEOPLE_KEPT:
            del self.people[next(iter(self.people))]

    def await_content(self, message_id: str) -> None:
        """The message is a placeholder."""
        self.loading[message_id] = None
        while len(self.loading) > _LOADING_KEPT:
            del self.loading[next(iter(self.loading))]
