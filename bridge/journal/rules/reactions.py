"""Who holds which emoji on a message."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable
from typing import NamedTuple, TypeVar

from bridge.journal.contract import ReactedWith, Reactor
from bridge.model.events import ReactionsChanged

K = TypeVar("K")
_NAME_LENGTH = 200
_MOST_NAMED = 20


class Reacting(NamedTuple):
    """A person's change: first `removed` is removed, then `added` is added, each at its position in this event."""

    person: str
    """Native user id; empty if the platform does not say who."""
    removed: tuple[str, ...]
    added: tuple[str, ...]
    name: str = ""
    """As people see it; empty if that is not told."""


def of_people(event: ReactionsChanged) -> Reacting | None:
    """None for our own reactions: they are not people's, and would keep an emoji alive that everybody else took back."""
    if event.meta.sent_by_us:
        return None
    author = event.meta.author
    if author is None:
        return Reacting("", event.removed, event.added)
    return Reacting(author.user_id, event.removed, event.added, (author.name or author.username)[:_NAME_LENGTH])


def held(reactions: Iterable[tuple[str, K]], left_out: Container[K]) -> list[str]:
    """Distinct emoji in the order given, but for those on the messages that are left out."""
    return list(dict.fromkeys(emoji for emoji, message in reactions if message not in left_out))


def tally(reactions: Iterable[tuple[str, Hashable, K, Reactor | None]], left_out: Container[K]) -> list[ReactedWith]:
    """The same from (emoji, who, message, who with a name), counted: those that most hold come first, then in the order given."""
    people: dict[str, dict[Hashable, Reactor | None]] = {}
    for emoji, who, message, reactor in reactions:
        if message not in left_out:
            people.setdefault(emoji, {}).setdefault(who, reactor)
    found = [
        ReactedWith(emoji=emoji, people=len(them), named=tuple(one for one in them.values() if one is not None)[:_MOST_NAMED])
        for emoji, them in people.items()
    ]
    return sorted(found, key=lambda one: -one.people)
