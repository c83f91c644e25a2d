"""One person's accounts on several platforms: lookups in the `people` of bridge.yaml. Pure.

`names` and `render` ask it; the configuration builds it. What a person may do is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bridge.model.events import Author
from bridge.model.refs import AccountName

_ANY_ID = r"[\d-]+"
"""What a user's id looks like where the platform says nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One person on several platforms; `ids` maps an account to the native user id or username there."""

    name: str
    ids: Mapping[AccountName, str]
    roles: tuple[str, ...] = ()
    """What filters and commands know the person by: `moderator` may moderate."""
    usernames: Mapping[AccountName, str] = field(default_factory=dict)
    """Besides: what accounts that the person linked are called, at the time of the link."""
    relay: bool = True
    """Otherwise nothing of the person is relayed, and the person is named nowhere."""


class People:
    """The people of the configuration, found by what a platform reports about a user. Immutable.

    An entry that has the form of a user id is never compared with usernames: on several platforms anybody may choose a username
    that looks like somebody else's id. `user_ids` says what that form is on each account (`Manifest.user_id`).
    """

    def __init__(
        self,
        persons: Iterable[Person] = (),
        user_ids: Mapping[AccountName, str] = MappingProxyType({}),
        by_username: Collection[AccountName] = (),
    ) -> None:
        """`by_username`: accounts where a mention names the username."""
        self._mentions_by_username = frozenset(by_username)
        self.persons = tuple(persons)
        forms = {account: re.compile(f"(?:{_ANY_ID})|(?:{form})") for account, form in user_ids.items()}
        usual = re.compile(_ANY_ID)
        self._by_id: dict[tuple[AccountName, str], Person] = {}
        self._by_username: dict[tuple[AccountName, str], Person] = {}
        for person in self.persons:
            for account, entry in person.ids.items():
                self._by_id.setdefault((account, _bare(entry)), person)
                if not forms.get(account, usual).fullmatch(_bare(entry)):
                    self._by_username.setdefault((account, _bare(entry).casefold()), person)
        for person in self.persons:
            for account, username in person.usernames.items():
                if username and not forms.get(account, usual).fullmatch(_bare(username)):
                    self._by_username.setdefault((account, _bare(username).casefold()), person)

    def find(self, account: AccountName, *, user_id: str = "", username: str = "") -> Person | None:
        """Found by the native user id, otherwise by the username (a leading @ and case do not matter)."""
        if user_id and (account, user_id) in self._by_id:
            return self._by_id[account, user_id]
        return self._by_username.get((account, _bare(username).casefold())) if username else None

    def has_role(self, account: AccountName, user_id: str, role: str) -> bool:
        """Whether that very user has the role: a right is never given by a username, which somebody else may take over."""
        person = self._by_id.get((account, user_id)) if user_id else None
        return person is not None and role.casefold() in {one.casefold() for one in person.roles}

    def person_of(self, account: AccountName, author: Author | None) -> Person | None:
        return self.find(account, user_id=author.user_id, username=author.username) if author else None

    def mentioned(self, account: AccountName, mention_id: str) -> Person | None:
        """The person that a mention's id, a user id or a username, refers to."""
        return self.find(account, user_id=mention_id, username=mention_id)

    def translate(self, origin: AccountName, mention_id: str, target: AccountName) -> str | None:
        """The id or username at the target of the user mentioned at the origin, without a leading @."""
        person = self.mentioned(origin, mention_id)
        entry = person.ids.get(target) if person else None
        if entry and person and target in self._mentions_by_username:
            entry = person.usernames.get(target) or entry
        return _bare(entry) if entry else None


def with_links(persons: Iterable[Person], groups: Iterable[Mapping[AccountName, tuple[str, str]]]) -> tuple[Person, ...]:
    """The people of the configuration, and accounts that their owners linked: `groups` maps the accounts of each person to user
    id and username there. What the configuration says of an account goes before; a person whom it does not know has no name but the
    account's own."""
    found = list(persons)
    places = {(account, _bare(entry)): number for number, person in enumerate(found) for account, entry in person.ids.items()}
    for named in groups:
        group = {account: user_id for account, (user_id, _) in named.items()}
        usernames = {account: username for account, (_, username) in named.items() if username}
        known = sorted({places[key] for key in group.items() if key in places})
        if len(known) > 1:
            continue  # two people of the configuration are not one, whatever somebody claims
        if not known:
            found.append(Person(name="", ids=group, usernames=usernames))
            continue
        person = found[known[0]]
        found[known[0]] = replace(person, ids={**group, **person.ids}, usernames=usernames)
    return tuple(found)


def _bare(entry: str) -> str:
    return entry.strip().removeprefix("@")
