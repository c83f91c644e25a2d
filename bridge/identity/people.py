"""One person's accounts on several platforms: lookups in the `people` of bridge.yaml. Pure.

`names` and `render` ask it; the configuration builds it. What a person may do is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


class People:
    """The people of the configuration, found by what a platform reports about a user. Immutable.

    An entry that has the form of a user id is never compared with usernames: on several platforms anybody may choose a username
    that looks like somebody else's id. `user_ids` says what that form is on each account (`Manifest.user_id`).
    """

    def __init__(self, persons: Iterable[Person] = (), user_ids: Mapping[AccountName, str] = MappingProxyType({})) -> None:
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

    def find(self, account: AccountName, *, user_id: str = "", username: str = "") -> Person | None:
        """Found by the native user id, otherwise by the username (a leading @ and case do not matter)."""
        if user_id and (account, user_id) in self._by_id:
            return self._by_id[account, user_id]
        return self._by_username.get((account, _bare(username).casefold())) if username else None

    def person_of(self, account: AccountName, author: Author | None) -> Person | None:
        return self.find(account, user_id=author.user_id, username=author.username) if author else None

    def mentioned(self, account: AccountName, mention_id: str) -> Person | None:
        """The person that a mention's id, a user id or a username, refers to."""
        return self.find(account, user_id=mention_id, username=mention_id)

    def translate(self, origin: AccountName, mention_id: str, target: AccountName) -> str | None:
        """The id or username at the target of the user mentioned at the origin, without a leading @."""
        person = self.mentioned(origin, mention_id)
        entry = person.ids.get(target) if person else None
        return _bare(entry) if entry else None


def _bare(entry: str) -> str:
    return entry.strip().removeprefix("@")
