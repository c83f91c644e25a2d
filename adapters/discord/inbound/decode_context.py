"""The account as decoding sees it: who we are, what is known of servers and people, and placeholders still to be filled. No I/O.

One per account; `directory` and `receiver` fill it, sending reads it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.discord.guild_cache import GuildCache
from adapters.discord.permissions import READ_MESSAGE_HISTORY
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.events import (
    Author,
)
from bridge.model.refs import AccountName

_LOADING_KEPT = 500
_PEOPLE_KEPT = 2000


@dataclass(slots=True)
class Context:
    """What decoding needs to know beside the payload: who we are, the servers, and placeholders still to be filled."""

    account: AccountName
    cdn_url: str
    clock: Clock = SYSTEM_CLOCK
    guilds: GuildCache = field(default_factory=GuildCache)
    user_id: str = ""
    application_id: str = ""
    own_names: tuple[str, ...] = ()
    """What we are called, but for nicknames on single servers."""
    own_webhooks: set[str] = field(default_factory=set)
    """Ids of the webhooks that we made or posted through."""
    is_end: Callable[[str, str], bool] = lambda _chat, _thread: False
    """Whether a thread of a chat is an end of a route by itself: then its messages need not say of which thread they are."""
    loading: dict[str, None] = field(default_factory=dict)
    """Ids of placeholder messages (flag LOADING) whose content comes with an update; bounded."""
    people: dict[str, Author] = field(default_factory=dict)
    """Who was seen lately, for events that name a person by id only; bounded."""

    def may_read_history(self, channel_id: str) -> bool:
        """Without the right, Discord answers with an empty list. True where the rights are not known."""
        bits = self.guilds.permissions(channel_id, self.user_id)
        return bits is None or bool(bits & READ_MESSAGE_HISTORY)

    def name_of(self, user_id: str) -> str:
        """Of somebody seen lately, or of ourselves; else empty."""
        if user_id == self.user_id:
            return next(iter(self.own_names), "")
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
