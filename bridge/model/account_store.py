"""What an adapter may keep in the journal beside its cursors: notes, and mailboxes for who fetches. Types only; the journal's
`account_store` implements it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

MAILBOX_KEPT = 10_000
"""So many messages of a mailbox are kept, the newest, and none for longer than the journal keeps things."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One message in a mailbox."""

    number: int
    """Its place there: 1 for the first, and one more for each. A reader's cursor is the number of the last that it has, and its
    mark."""
    name: str
    at: datetime
    content: bytes

    @property
    def mark(self) -> str:
        return mark_of(self.name, self.at)


def mark_of(name: str, at: datetime) -> str:
    """What tells a message from another that has its number: a journal that was restored from a backup gives numbers again, and
    names too."""
    return hashlib.blake2s(f"{name} {at.isoformat()}".encode(), digest_size=6).hexdigest()


class MailPage(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a mailbox in order."""

    mail: Sequence[Mail]
    missed: int = 0
    """So many behind the cursor, and before the last of these, are no longer kept."""
    last: int = 0
    """The number of the newest message that ever was there."""
    last_mark: str = ""
    """Its mark, where that is still known."""
    is_anew: bool = False
    """Whether the cursor is of no message of this mailbox, as after a backup was restored: this page begins at the oldest."""


class StoreDown(Exception):
    """The bridge's own storage fails just now. An adapter need not catch it: the core waits for the disk."""


class AccountStore(Protocol):
    """One account's. Each coroutine that changes something returns once the change is on disk. All raise StoreDown."""

    async def note(self, name: str) -> str:
        """Empty if there is none."""
        ...

    async def set_note(self, name: str, value: str) -> None:
        """At most some kilobytes, under a bounded number of names."""
        ...

    async def put_mail(self, chat_id: str, name: str, content: bytes) -> None:
        """Add to a chat's mailbox. A name that is there already is not added again: that is another attempt."""
        ...

    async def mail(self, chat_id: str, *, after: int, limit: int, mark: str = "") -> MailPage:
        """The oldest of those behind a cursor, at most `limit`. A cursor that never was counts as 0; so does one whose mark is
        another's. Without a mark, the number alone is looked at."""
        ...

    async def rewrite_mail(self, chat_id: str, holding: bytes, rewrite: Callable[[bytes], bytes]) -> None:
        """Change what is kept in a chat's mailbox, for readers who have not fetched it: each message whose content has the bytes
        `holding` gets the content that `rewrite` makes of it. `rewrite` is pure, and may be called on another thread."""
        ...


def off_note(chat_id: str) -> str:
    """The name of the note that says why a chat is switched off, for people to read; it is on where there is none. The adapter sets
    it, and asks for it before each attempt while it is set; `messenger-bridge hooks enable` takes it away."""
    return f"off/{chat_id}"
