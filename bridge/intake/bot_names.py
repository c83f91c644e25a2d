"""The names of the bridge's own bots, as their platforms report them: nobody else is shown under these names. Kept in the journal,
so that they are protected from the first message after a restart. The intake reports them, and `app` passes them to `names`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from bridge.identity.names import clean_name
from bridge.journal.contract import NoteStore
from bridge.model.refs import AccountName

USUAL_NAMES = ("Bridge", "Messenger Bridge")
"""Of bridge bots: nobody else is shown under these. `reserved_names` adds to them."""


class OwnNames:
    """Per account; `on_change` is called after each change."""

    def __init__(self, journal: NoteStore, on_change: Callable[[], None]) -> None:
        self._journal = journal
        self._on_change = on_change
        self._names: dict[AccountName, tuple[str, ...]] = {}

    def of(self, accounts: Iterable[AccountName]) -> tuple[str, ...]:
        return tuple(name for account in accounts for name in self._names.get(account, ()))

    async def load(self, account: AccountName) -> None:
        """The names last reported, also to an earlier process. Raises JournalError."""
        stored = await self._journal.note(_note_name(account))
        if stored is not None and account not in self._names:
            self._names[account] = msgspec.json.decode(stored, type=tuple[str, ...])
            self._on_change()

    async def set(self, account: AccountName, names: Iterable[str]) -> None:
        """Replaces the earlier names. Takes effect at once, and is on disk when this returns. Raises JournalError."""
        cleaned = tuple(sorted({name for name in map(clean_name, names) if name}))
        if cleaned == self._names.get(account, ()):
            return
        self._names[account] = cleaned
        self._on_change()
        await self._journal.set_note(_note_name(account), msgspec.json.encode(cleaned).decode())


def _note_name(account: AccountName) -> str:
    return f"names of {account}"
