"""The journal as one account's adapter sees it: notes and mailboxes under the account's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.journal.contract import LeaseStore, MailStore, NoteStore
from bridge.model.account_store import MailPage
from bridge.model.clock import Clock
from bridge.model.refs import AccountName


class _Store(LeaseStore, NoteStore, MailStore, Protocol):
    """What it needs of the journal."""


class JournalAccountStore:
    """See `bridge.model.account_store.AccountStore`."""

    def __init__(self, journal: _Store, account: AccountName, clock: Clock) -> None:
        self._journal = journal
        self._account = account
        self._clock = clock
        self._lease = journal.lease(account)

    async def note(self, name: str) -> str:
        return await self._journal.note(account_note(self._account, name)) or ""

    async def set_note(self, name: str, value: str) -> None:
        await self._journal.set_note(account_note(self._account, name), value)

    async def put_mail(self, chat_id: str, name: str, content: bytes) -> None:
        await self._journal.put_mail(self._lease, chat_id, name, content, at=self._clock.now())

    async def mail(self, chat_id: str, *, after: int, limit: int, mark: str = "") -> MailPage:
        return await self._journal.mail(self._account, chat_id, after=after, limit=limit, mark=mark)

    async def rewrite_mail(self, chat_id: str, holding: bytes, rewrite: Callable[[bytes], bytes]) -> None:
        await self._journal.rewrite_mail(self._lease, chat_id, holding, rewrite)


def account_note(account: AccountName, name: str) -> str:
    """The name of an account's note in the journal."""
    return f"account:{account}:{name}"
