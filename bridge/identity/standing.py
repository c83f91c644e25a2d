"""The people who are not relayed, or not even named, by their own or a moderator's decision, at one moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from bridge.identity.lookalikes import skeleton
from bridge.identity.people import People, Person
from bridge.model.events import Author, ChatEvent, MembershipChanged, MessageDeleted, ThreadDeleted
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName

SOMEBODY = "somebody"
"""The name shown for a person who opted out, in replies and quotes of others."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """One decision about a person, made on one account, valid on all linked ones."""

    account: AccountName
    user_id: str
    hides: bool
    """Opted out: not relayed, and not named. Otherwise muted."""
    until: datetime | None = None


class Standing:
    """All decisions. Immutable. `people` knows which accounts belong to one person."""

    def __init__(self, people: People | None = None, rulings: Iterable[Ruling] = ()) -> None:
        self._people = people or People()
        self._hidden: set[tuple[AccountName, str]] = set()
        self._muted: dict[tuple[AccountName, str], datetime | None] = {}
        self._hidden_people = {id(person) for person in self._people.persons if not person.relay}
        self._muted_people: dict[int, datetime | None] = {}
        for ruling in rulings:
            key, person = (ruling.account, ruling.user_id), self._people.find(ruling.account, user_id=ruling.user_id)
            if ruling.hides:
                self._hidden.add(key)
                self._hidden_people |= {id(person)} if person else set()
            else:
                self._muted[key] = ruling.until
                if person is not None:
                    self._muted_people[id(person)] = ruling.until
        names = (person.name for person in self._people.persons if id(person) in self._hidden_people)
        self._hidden_names = {skeleton(name) for name in names} - {""}

    def hides(self, account: AccountName, author: Author | None) -> bool:
        """Whether the person wants to be neither relayed nor named."""
        if author is None or not (self._hidden or self._hidden_people):
            return False
        return (account, author.user_id) in self._hidden or self._is(self._hidden_people, account, author)

    def hides_name(self, name: str) -> bool:
        """The same for a person of whom only the name in `people` is known."""
        return bool(self._hidden_names) and skeleton(name) in self._hidden_names

    def is_set_in_file(self, account: AccountName, author: Author) -> bool:
        """Whether bridge.yaml decides it, not the person."""
        person = self._people.person_of(account, author)
        return person is not None and not person.relay

    def mutes(self, account: AccountName, author: Author | None, now: datetime) -> bool:
        if author is None or not self._muted:
            return False
        person = self._people.person_of(account, author)
        found = [self._muted[account, author.user_id]] if (account, author.user_id) in self._muted else []
        found += [self._muted_people[id(person)]] if person is not None and id(person) in self._muted_people else []
        return any(until is None or until > now for until in found)

    def rule_of(self, event: ChatEvent, now: datetime) -> Skip | None:
        """By which the event is not relayed. What a person deletes is deleted all the same."""
        if isinstance(event, MessageDeleted | ThreadDeleted):
            return None
        account = event.meta.origin.account
        for author in (event.meta.author, event.member if isinstance(event, MembershipChanged) else None):
            if author is not None and self.hides(account, author):
                return Skip.NOT_RELAYED if self.is_set_in_file(account, author) else Skip.OPTED_OUT
        return Skip.MUTED if self.mutes(account, event.meta.author, now) else None

    def _is(self, people: set[int], account: AccountName, author: Author) -> bool:
        person: Person | None = self._people.person_of(account, author)
        return person is not None and id(person) in people
