"""retry-now as a user calls it; what a running bridge makes of it is in machinery/test_retry_now.py."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import AcceptRequest, Deferred, PlannedDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.model.refs import AccountName, ChatAddress
from tests.bridge.cli.conftest import NOW, letter

TG = ChatAddress(AccountName("tg"), "@lobby")


@pytest.fixture
def waiting(folder: Path) -> Path:
    """Two deliveries that wait for one chat of Telegram, in the default journal."""

    async def make() -> None:
        journal = SqliteJournal(folder / "messenger-bridge.journal")
        await journal.open()
        entries = [
            AcceptRequest(event=letter(number, "x"), deliveries=(PlannedDelivery(route="r", target=TG),)) for number in (1, 2)
        ]
        await journal.accept(journal.lease(AccountName("spirit")), entries, [], received_at=NOW)
        await journal.record(
            journal.lease(TG.account),
            [Deferred(delivery_id=1, attempt=1, not_before=NOW + timedelta(days=5000), error="429", at=NOW)],
        )
        await journal.set_native_id(journal.lease(TG.account), TG, "-1001234567890")
        await journal.set_wait(journal.lease(TG.account), "account:tg", NOW + timedelta(days=5000), at=NOW)
        await journal.close()

    asyncio.run(make())
    return folder


def left(folder: Path) -> tuple[list[Any], dict[str, Any]]:
    async def look() -> tuple[list[Any], dict[str, Any]]:
        journal = SqliteJournal(folder / "messenger-bridge.journal")
        await journal.open()
        try:
            pending = await journal.pending(TG, 0, 10)
            hurried = await journal.take_hurried()
            return [*(getattr(one, "not_before", "?") for one in pending), *hurried], await journal.waits()
        finally:
            await journal.close()

    return asyncio.run(look())


@pytest.mark.parametrize("where", ["tg/@lobby", "tg/-1001234567890"])
def test_a_chat_by_its_address_or_its_id(cli: Any, waiting: Path, where: str) -> None:
    done = cli("retry-now", where)
    assert (done.code, done.out) == (0, "tried now: 2 in 1 chat\n")
    assert left(waiting) == ([None, None, (AccountName("tg"), TG)], {})


def test_a_whole_account(cli: Any, waiting: Path) -> None:
    assert cli("retry-now", "tg", "--json").data == {"ok": True, "chats": ["tg/@lobby"], "deliveries": 2}
    assert left(waiting) == ([None, None, (AccountName("tg"), None)], {})


def test_where_nothing_waits(cli: Any, waiting: Path) -> None:
    done = cli("retry-now", "tg/@other")
    assert (done.code, done.out) == (1, "nothing waits for tg/@other\n")
    done = cli("retry-now", "spirit")
    assert (done.code, done.out) == (0, "nothing waits for spirit; the account connects at once if it is down\n")


@pytest.mark.parametrize(
    ("where", "words"), [("nobody", "there is no account 'nobody'; the accounts are spirit, tg"), ("tg/", "neither ACCOUNT nor")]
)
def test_wrong_usage(cli: Any, waiting: Path, where: str, words: str) -> None:
    done = cli("retry-now", where)
    assert done.code == 2
    assert words in done.err


def test_without_a_journal(cli: Any, folder: Path) -> None:
    assert cli("retry-now", "tg").code == 69
