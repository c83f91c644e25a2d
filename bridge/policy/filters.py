"""`filter` of a route or an end: which of its lines drops an event. Pure; called by `routing`, built by the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from bridge.identity.people import People, Person
from bridge.model.events import (
    ChatEvent,
    ChatRenamed,
    MembershipChanged,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    PollVotesChanged,
    ReactionsChanged,
    StatusChanged,
    ThreadChanged,
    ThreadDeleted,
    TypingStarted,
)
from bridge.model.outcomes import NamedSkip, Skip, SkipRule
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from bridge.policy.patterns import Pattern, Searches

if TYPE_CHECKING:
    from bridge.policy.routing import RouteEnd

EVENT_KINDS: dict[str, type[ChatEvent]] = {
    "message": MessageCreated,
    "edit": MessageEdited,
    "delete": MessageDeleted,
    "reaction": ReactionsChanged,
    "vote": PollVotesChanged,
    "membership": MembershipChanged,
    "rename": ChatRenamed,
    "thread": ThreadChanged,
    "thread_delete": ThreadDeleted,
    "pin": PinsChanged,
    "typing": TypingStarted,
    "status": StatusChanged,
}
"""Kinds of events, as filters name them."""
CONTENT_KINDS = (
    *("text", "reply", "forward", "poll", "location", "contact"),
    *("photo", "video", "audio", "voice", "animation", "video_note", "sticker", "document"),
)
"""Kinds of content, as filters name them: `text` is a message without other parts."""


class Place(msgspec.Struct, frozen=True):
    """A filter's `from` or `to`: an account, or one end of it."""

    account: AccountName
    end: str = ""
    """As the route writes it; empty: every chat of the account."""

    def has(self, end: RouteEnd) -> bool:
        return end.chat.account == self.account and (not self.end or self.end in (str(end), str(end.chat)))


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """All given parts must hold. `text` and `author` are regular expressions searched for; `bot` compares the author's bot flag;
    `files` whether the message has files."""

    text: Pattern | None = None
    author: Pattern | None = None
    role: tuple[str, ...] = ()
    """The author has one of them, in `people` or as sent by the platform; case does not matter."""
    bot: bool | None = None
    files: bool | None = None
    kind: tuple[str, ...] = ()
    """One of `EVENT_KINDS` or `CONTENT_KINDS`."""
    thread: bool | None = None
    """Whether it is in a thread or topic."""
    thread_id: str | None = None
    origins: tuple[Place, ...] = ()
    targets: tuple[Place, ...] = ()


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a `filter`: the first whose condition holds decides; if none does, the message is relayed, unless the list has a
    `keep`, in which case it is dropped.

    A line that names no `kind` of event is about messages. A pattern that takes too long never loses a message: a `drop` does not
    hold then, and a `keep` does."""

    keep: bool
    condition: Condition
    name: str
    """The name of the rule in explanations of skips: `filter 1: drop text ^DEBUG (line 12)`."""


class Look:
    """One event as filters see it. Results of conditions are cached, since many targets have the same ones."""

    def __init__(self, event: ChatEvent, people: People | None, searches: Searches) -> None:
        self._event = event
        self._people = people
        self._searches = searches
        self._found: dict[int, bool | None] = {}

    def skip(
        self, filters: Sequence[Filter], origin: RouteEnd, target: RouteEnd, tell_slow: Callable[[str], None]
    ) -> SkipRule | None:
        """The rule by which one list of lines skips the event; None: the event passes. `tell_slow` is called with the name of each
        line whose pattern took too long."""
        is_message = isinstance(self._event, MessageCreated)
        has_keep = False
        for rule in filters:
            if not is_message and not self._names_this_kind(rule.condition):
                continue
            if not _is_there(rule.condition.targets, target) or not _is_there(rule.condition.origins, origin):
                continue
            has_keep = has_keep or rule.keep
            holds = self._holds(rule.condition)
            if holds is None:
                tell_slow(rule.name)
                holds = rule.keep
            if holds:
                return None if rule.keep else NamedSkip(Skip.FILTER, rule.name)
        return Skip.NOT_KEPT if has_keep and is_message else None

    def _names_this_kind(self, condition: Condition) -> bool:
        return any(isinstance(self._event, EVENT_KINDS[kind]) for kind in condition.kind if kind in EVENT_KINDS)

    def _holds(self, condition: Condition) -> bool | None:
        if id(condition) not in self._found:
            self._found[id(condition)] = self._look(condition)
        return self._found[id(condition)]

    def _look(self, condition: Condition) -> bool | None:
        """Whether the condition holds; None: a pattern took too long. Parts without patterns are checked first."""
        if not self._is_plainly(condition):
            return False
        found: list[bool | None] = []
        if condition.text is not None:
            found.append(self._searches.search(condition.text, self._text()))
        if condition.author is not None and False not in found:
            names = [self._searches.search(condition.author, name) for name in self._names()]
            found.append(True if True in names else None if None in names else False)
        return False if False in found else None if None in found else True

    def _is_plainly(self, condition: Condition) -> bool:
        event, author = self._event, self._event.meta.author
        content = event.content if isinstance(event, MessageCreated | MessageEdited) else None
        return not (
            (condition.bot is not None and condition.bot != bool(author and author.is_bot))
            or (condition.files is not None and condition.files != bool(content and content.attachments))
            or (condition.kind and not any(map(self._is_of_kind, condition.kind)))
            or (condition.thread is not None and condition.thread != (event.meta.thread_id is not None))
            or (condition.thread_id is not None and condition.thread_id != event.meta.thread_id)
            or (condition.role and not {role.casefold() for role in condition.role} & self._roles())
        )

    def _is_of_kind(self, kind: str) -> bool:
        event = self._event
        if kind in EVENT_KINDS:
            return isinstance(event, EVENT_KINDS[kind])
        if not isinstance(event, MessageCreated):
            return False
        content = event.content
        parts = {
            "reply": content.reply_to,
            "forward": content.forwarded_from,
            "poll": content.poll,
            "location": content.location,
            "contact": content.contact,
        }
        if kind == "text":
            others = (content.attachments, content.poll, content.location, content.contact)
            return bool(content.text) and not any(others)
        return parts[kind] is not None if kind in parts else any(one.kind == kind for one in content.attachments)

    def _text(self) -> str:
        event = self._event
        return text_of(event.content.text) if isinstance(event, MessageCreated | MessageEdited) else ""

    def _names(self) -> list[str]:
        """All names of the author: shown name, username, name in `people`."""
        author, person = self._event.meta.author, self._person()
        known = person.name if person else ""
        return [name for name in (author.name, author.username, known) if name] if author else []

    def _roles(self) -> set[str]:
        author, person = self._event.meta.author, self._person()
        roles: Iterable[str] = (*(author.roles if author else ()), *(person.roles if person else ()))
        return {role.casefold() for role in roles}

    def _person(self) -> Person | None:
        return self._people.person_of(self._event.meta.origin.account, self._event.meta.author) if self._people else None


def _is_there(places: Sequence[Place], end: RouteEnd) -> bool:
    return not places or any(place.has(end) for place in places)
