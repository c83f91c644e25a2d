"""What an edit changes about a message's files, and how each copy can follow. Pure; `operations.edit` carries it out.

The copies' receipts say which of the origin's files they hold (`Carried.marks`); the edit says which files the message has now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bridge.delivery.copies import file_mark, is_made
from bridge.journal.contract import Carried, Link
from bridge.model.adapter import Adapter, Copy, Deletes, RemovesFiles
from bridge.model.characters import is_blank
from bridge.model.events import MessageEdited
from bridge.model.rich_text import text_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A part of the copy, as it is in the target."""

    number: int
    copy: Copy
    carried: Carried


def standing(link: Link) -> list[Standing]:
    return [Standing(sent.part, sent.copy, sent.carried) for sent in link.copies]


@dataclass(frozen=True, slots=True)
class FileChanges:
    added: frozenset[int] = frozenset()
    """Indexes of the edit's attachments."""
    removed: tuple[tuple[Standing, tuple[int, ...]], ...] = ()
    """Copies with indexes among their files."""
    lost: int = 0
    """How many files were removed from copies without knowing from which one."""
    unknown: bool = False
    """The copies were sent by a version that did not store which files they hold: then no file counts as changed."""

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.lost)


def file_changes(event: MessageEdited, link: Link, copies: Sequence[Standing]) -> FileChanges:
    if any(one.carried.files and not one.carried.marks for one in copies):
        return FileChanges(unknown=True)
    now = [file_mark(attachment) for attachment in event.content.attachments]
    if not event.attachments_known:
        return _compared([mark if is_made(mark) else "" for mark in now], copies, is_made)
    if event.album_item:
        return _of_album_item(event, link, copies, now)
    return _compared(now, copies, bool)


def _compared(now: Sequence[str], copies: Sequence[Standing], counts: Callable[[str], bool]) -> FileChanges:
    """Only marks that count are compared."""
    left, held = Counter(now), Counter(mark for one in copies for mark in one.carried.marks)
    removed: list[tuple[Standing, tuple[int, ...]]] = []
    for one in copies:
        indexes = tuple(index for index, mark in enumerate(one.carried.marks) if counts(mark) and not _take(left, mark))
        if indexes:
            removed.append((one, indexes))
    added = frozenset(index for index, mark in enumerate(now) if counts(mark) and not _take(held, mark))
    return FileChanges(added=added, removed=tuple(removed))


def _take(marks: Counter[str], mark: str) -> bool:
    marks[mark] -= 1
    return marks[mark] >= 0


def _of_album_item(event: MessageEdited, link: Link, copies: Sequence[Standing], now: Sequence[str]) -> FileChanges:
    """One message of an album has one file. As long as all of them are there, the one before is at the message's own place."""
    held = [(one, index, mark) for one in copies for index, mark in enumerate(one.carried.marks)]
    added = frozenset(index for index, mark in enumerate(now) if mark not in {mark for _, _, mark in held})
    if not added:
        return FileChanges()
    ids = (link.original.message_id, *link.also_ids)
    if len(held) != len(ids) or event.message_id not in ids:
        return FileChanges(added=added, lost=len(added))
    one, index, _ = held[ids.index(event.message_id)]
    return FileChanges(added=added, removed=((one, (index,)),))


# -- how a copy follows -----------------------------------------------------------------------------------------------------


class How(Enum):
    WHOLE = auto()
    """The message is deleted."""
    SINGLE = auto()
    """It is one of several messages of the copy (an album), each with a file."""
    WITHIN = auto()
    """The platform removes a file from a message."""
    LINE = auto()
    """The file stays; a line says that it was removed."""


@dataclass(frozen=True, slots=True)
class Removal:
    standing: Standing
    indexes: tuple[int, ...]
    how: How


def is_wordless(event: MessageEdited) -> bool:
    """Whether the message has nothing but files."""
    content = event.content
    said = (content.poll, content.location, content.contact, content.forwarded_from)
    return is_blank(text_of(content.text)) and not any(said)


def removals(event: MessageEdited, changes: FileChanges, copies: Sequence[Standing], adapter: Adapter) -> list[Removal]:
    """The message's text is, or will be, in the first part with text; above other files there is only their name line."""
    holder = next((one for one in copies if one.carried.text), copies[0])
    keeps_words = event.album_item or not is_wordless(event)
    found: list[Removal] = []
    for one, indexes in changes.removed:
        found += _removals(one, indexes, adapter, has_words=one is holder and keeps_words)
    return found


def _removals(one: Standing, indexes: tuple[int, ...], adapter: Adapter, *, has_words: bool) -> list[Removal]:
    files = len(one.carried.marks)
    if isinstance(adapter, Deletes):
        if len(indexes) == files and not has_words:
            return [Removal(one, indexes, How.WHOLE)]
        if files > 1 and len(one.copy.message_ids) == files:
            has_caption = one.carried.text or has_words
            stays = indexes[:1] if has_caption and indexes[0] == 0 else ()  # the first of an album has it
            goes = indexes[len(stays) :]
            both = ((goes, How.SINGLE), (stays, How.LINE))
            return [Removal(one, some, how) for some, how in both if some]
    if isinstance(adapter, RemovesFiles):
        return [Removal(one, indexes, How.WITHIN)]
    return [Removal(one, indexes, How.LINE)]
