"""Who holds which emoji on a message."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable
from typing import NamedTuple, TypeVar

from bridge.journal.contract import ReactedWith
from bridge.model.events import ReactionsChanged

K = TypeVar("K")


class Reacting(NamedTuple):
    """A person's change: first `removed` is removed, then `added` is added, each at its position in this event."""

    person: str
    """Native user id; empty if the platform does not say who."""
    removed: tuple[str, ...]
    added: tuple[str, ...]


def of_people(event: ReactionsChanged) -> Reacting | None:
    """None for our own reactions: they are not people's, and would keep an emoji alive that everybody else took back."""
    if event.meta.sent_by_us:
        return None
    person = event.meta.author.user_id if event.meta.author is not None else ""
    return Reacting(person, event.removed, event.added)


def held(reactions: Iterable[tuple[str, K]], left_out: Container[K]) -> list[str]:
    """Distinct emoji in the order given, but for those on the messages that are left out."""
    return list(dict.fromkeys(emoji for emoji, message in reactions if message not in left_out))


def tally(reactions: Iterable[tuple[str, Hashable, K]], left_out: Container[K]) -> list[ReactedWith]:
    """The same from (emoji, who, message), counted: those that most hold come first, then in the order given."""
    people: dict[str, set[Hashable]] = {}
    for emoji, who, message in reactions:
        if message not in left_out:
            people.setdefault(emoji, set()).add(who)
    found = [ReactedWith(emoji=emoji, people=len(them)) for emoji, them in people.items()]
    return sorted(found, key=lambda one: -one.people)
