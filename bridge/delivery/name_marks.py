"""Distinguishes people with the same name, or names that look alike, in one chat: `Anna (2)`. The first keeps the name; the mark
stays as long as the journal keeps it. Asked before a message is rendered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from bridge.delivery.target import ResolvedTarget
from bridge.identity.lookalikes import skeleton
from bridge.identity.names import Names
from bridge.journal.contract import PersonStore
from bridge.model.clock import Clock
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.routing import Distinct

_REMEMBERED = 20_000
_MOST_MARKS = 50

_Key = tuple[ChatAddress, str, str]


class NameMarks:
    """The cache only avoids a query of the journal for each message."""

    def __init__(self, journal: PersonStore, names: Callable[[], Names], clock: Clock) -> None:
        self._journal = journal
        self._names = names
        self._clock = clock
        self._marks: OrderedDict[_Key, str] = OrderedDict()
        self._latest: tuple[object, object, Names, tuple[_Key, AccountName] | None] | None = None
        """What was asked last, and the answer: a message is looked up right before it is rendered."""

    async def look_up(self, event: MessageCreated | MessageEdited, target: ResolvedTarget) -> None:
        """Raises JournalError."""
        asked = self._asked(event, target)
        if asked is None or asked[0] in self._marks:
            return
        (chat, who, name), account = asked
        by_account = [f" ({account})"] if target.options.distinct_names is Distinct.ALL else []
        marks = ["", *by_account, *(f" ({number})" for number in range(2, _MOST_MARKS))]
        looks = [(mark, self._look(name + mark, account, target)) for mark in marks]
        mark = await self._journal.mark_of(chat, who, looks, at=self._clock.now())
        self._marks[asked[0]] = mark
        if len(self._marks) > _REMEMBERED:
            self._marks.popitem(last=False)

    def names(self, event: MessageCreated | MessageEdited, target: ResolvedTarget) -> Names:
        """As they are for this message; without a mark if it was not looked up."""
        asked = self._asked(event, target)
        return self._names().with_mark(self._marks.get(asked[0], "") if asked is not None else "")

    def _asked(self, event: MessageCreated | MessageEdited, target: ResolvedTarget) -> tuple[_Key, AccountName] | None:
        """Does nothing for authors without an id, and for people of the configuration, whose names are reserved."""
        names, latest = self._names(), self._latest
        if latest is not None and latest[0] is event and latest[1] is target.end and latest[2] is names:
            return latest[3]
        asked = self._ask(event, target, names)
        self._latest = (event, target.end, names, asked)
        return asked

    def _ask(self, event: MessageCreated | MessageEdited, target: ResolvedTarget, names: Names) -> tuple[_Key, AccountName] | None:
        author, account = event.meta.author, event.meta.origin.account
        if author is None or not author.user_id or target.options.distinct_names is Distinct.OFF:
            return None
        person = names.people.person_of(account, author)
        if person is not None and person.name:
            return None
        return (target.end.chat, f"{account}/{author.user_id}", names.plain_name(account, author)), account

    def _look(self, name: str, account: AccountName, target: ResolvedTarget) -> str:
        """Users of other accounts are compared only with `distinct_names: all`."""
        look = skeleton(name)
        return look if target.options.distinct_names is Distinct.ALL else f"{account}:{look}"
