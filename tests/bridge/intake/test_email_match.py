"""Matching by e-mail is a part of its own: what goes wrong there costs one match, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar, cast

from bridge.accounts.supervisor import AccountSupervisor
from bridge.identity.people import People
from bridge.intake.community import Community
from bridge.intake.email_match import EmailMatch
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import Author
from bridge.model.refs import AccountName
from tests.support.clock import ManualClock
from tests.support.patience import eventually_asked

ONE, TWO = AccountName("one"), AccountName("two")
T = TypeVar("T")


class Platform:
    """An open account; its server's answers lead to bugs for some people."""

    is_open = True

    def __init__(self, broken: dict[str, Exception]) -> None:
        self._broken = broken

    @property
    def adapter(self) -> Platform:
        return self

    async def call(self, work: Awaitable[T]) -> T:
        return await work

    async def email_of(self, user_id: str) -> str:
        if user_id in self._broken:
            raise self._broken[user_id]
        return f"{user_id}@example.com"

    async def person_by_email(self, email: str) -> Author | None:
        user_id = email.partition("@")[0]
        if user_id in self._broken:
            raise self._broken[user_id]
        return Author(user_id=f"there-{user_id}", name="Anna")


async def test_an_odd_answer_costs_one_match_and_stops_nothing(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    platforms: dict[str, Any] = {
        ONE: Platform({"a": KeyError("user"), "b": RecursionError("deep")}),
        TWO: Platform({"c": AttributeError("profile")}),
    }
    match = EmailMatch(
        journal.persons,
        Community(journal.persons, lambda: None),
        ManualClock(),
        is_on=lambda: True,
        people=lambda: People(()),
        accounts=lambda: [ONE, TWO],
        supervisor_of=lambda account: cast("AccountSupervisor", platforms[account]),
    )
    running = asyncio.create_task(match.run())
    try:
        for user_id in ("a", "b", "c", "d"):
            match.seen(ONE, Author(user_id=user_id, name=user_id))
        linked = await eventually_asked(journal.persons.linked, holds=bool)
        assert {one.user.user_id for one in linked} == {"d", "there-d"}
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await journal.close()
