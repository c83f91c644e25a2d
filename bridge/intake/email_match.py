"""Links accounts with the same e-mail address, if the admin allows it (`people_match: email`). Addresses are looked up when a
person writes, and never stored. The app runs it."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable

import structlog

from bridge.accounts.supervisor import AccountSupervisor
from bridge.identity.people import People
from bridge.intake.community import Community
from bridge.journal.contract import Audited, JournalError, LinkedUser, PersonStore, UserKey
from bridge.model.clock import Clock
from bridge.model.emails import FindsByEmail, TellsEmails
from bridge.model.errors import BridgeError
from bridge.model.events import Author
from bridge.model.refs import AccountName

log = structlog.get_logger("people")

BY_MATCH = "e-mail match"
ASK_AGAIN_S = 86_400.0
_MOST_REMEMBERED = 20_000
_MOST_WAITING = 1000
_AUDIT_LOOKED_AT = 10_000


class EmailMatch:
    def __init__(
        self,
        journal: PersonStore,
        community: Community,
        clock: Clock,
        *,
        is_on: Callable[[], bool],
        people: Callable[[], People],
        accounts: Callable[[], Iterable[AccountName]],
        supervisor_of: Callable[[AccountName], AccountSupervisor | None],
    ) -> None:
        self._journal = journal
        self._community = community
        self._clock = clock
        self._is_on = is_on
        self._people = people
        self._accounts = accounts
        self._supervisor_of = supervisor_of
        self._asked: OrderedDict[tuple[AccountName, str], float] = OrderedDict()
        self._waiting: asyncio.Queue[tuple[AccountName, Author]] = asyncio.Queue(_MOST_WAITING)

    def seen(self, account: AccountName, author: Author | None) -> None:
        """Call when a person writes. Never waits; if too many lookups wait, this one is left for a later message."""
        if author is None or author.is_bot or not author.user_id or not self._is_on() or self._waiting.full():
            return
        key, now_s = (account, author.user_id), self._clock.monotonic_s()
        if self._asked.get(key, -ASK_AGAIN_S) > now_s - ASK_AGAIN_S:
            return
        self._asked[key] = now_s
        self._asked.move_to_end(key)
        if len(self._asked) > _MOST_REMEMBERED:
            self._asked.popitem(last=False)
        self._waiting.put_nowait((account, author))

    async def run(self) -> None:
        while True:
            account, author = await self._waiting.get()
            try:
                await self.match(account, author)
            except (BridgeError, JournalError, TimeoutError, OSError) as error:
                log.info("no e-mail match now", account=account, reason=str(error))
            except Exception:  # whatever a server's answer led to: it is this person's match alone
                log.exception("e-mail match failed unexpectedly", account=account)

    async def match(self, account: AccountName, author: Author) -> None:
        """Raises what the adapters and the journal raise."""
        supervisor, user = self._supervisor_of(account), UserKey(account=account, user_id=author.user_id)
        if supervisor is None or not supervisor.is_open or not isinstance(adapter := supervisor.adapter, TellsEmails):
            return
        email = await supervisor.call(adapter.email_of(author.user_id))
        if "@" not in email or await self._was_unlinked(user):
            return
        for other in self._accounts():
            there = self._supervisor_of(other)
            if other == account or there is None or not there.is_open or not isinstance(finder := there.adapter, FindsByEmail):
                continue
            person = self._people().find(account, user_id=author.user_id)
            if person is not None and other in person.ids:
                continue  # the configuration or an earlier link decides already
            found = await there.call(finder.person_by_email(email))
            if found is not None and not found.is_bot:
                await self._link(user, author, UserKey(account=other, user_id=found.user_id), found)

    async def _link(self, user: UserKey, author: Author, other: UserKey, found: Author) -> None:
        known = self._people().find(other.account, user_id=other.user_id)
        if (known is not None and user.account in known.ids) or await self._was_unlinked(other):
            return
        now, person = self._clock.now(), secrets.token_hex(8)
        one, two = (
            LinkedUser(user=key, person=person, name=who.name, username=who.username, at=now)
            for key, who in ((user, author), (other, found))
        )
        await self._journal.link_users(one, two)
        await self._journal.audit(Audited(at=now, actor=BY_MATCH, action="link", subject=f"{user} = {other}"))
        await self._community.load()
        log.info("linked by e-mail", one=str(user), other=str(other))

    async def _was_unlinked(self, user: UserKey) -> bool:
        """An account that its user unlinked is not matched again."""
        entries = await self._journal.audited(limit=_AUDIT_LOOKED_AT)
        return any(one.action == "unlink" and one.subject == str(user) for one in entries)
