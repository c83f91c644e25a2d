"""Mailboxes of who fetches, and an account's notes, asked of every implementation of the journal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bridge.journal.account_store import JournalAccountStore
from bridge.journal.contract import Journal
from bridge.model.account_store import MailPage
from bridge.model.refs import AccountName
from tests.bridge.journal.journal_makers import at
from tests.support.clock import ManualClock

HOOKS, OTHER = AccountName("hooks"), AccountName("other")
Reopen = Callable[[Journal], Awaitable[Journal]]


def names(page: MailPage) -> list[str]:
    return [mail.name for mail in page.mail]


async def put(journal: Journal, *put_names: str, chat: str = "alerts", account: AccountName = HOOKS, s: float = 0) -> None:
    for name in put_names:
        await journal.put_mail(journal.lease(account), chat, name, name.encode(), at=at(s))


async def test_a_cursor_finds_what_came_behind_it_after_any_restart(journal: Journal, reopen: Reopen) -> None:
    await put(journal, "a", "b", "c")
    first = await journal.mail(HOOKS, "alerts", after=0, limit=2)
    assert (names(first), [mail.number for mail in first.mail], first.last, first.missed) == (["a", "b"], [1, 2], 3, 0)
    assert first.mail[0].content == b"a"
    journal = await reopen(journal)
    assert names(await journal.mail(HOOKS, "alerts", after=2, limit=9)) == ["c"]
    await put(journal, "d")
    assert names(await journal.mail(HOOKS, "alerts", after=3, limit=9)) == ["d"]
    assert names(await journal.mail(HOOKS, "alerts", after=4, limit=9)) == []


async def test_another_attempt_puts_nothing_there_again(journal: Journal) -> None:
    await put(journal, "a", "b", "a", "b", "c")
    page = await journal.mail(HOOKS, "alerts", after=0, limit=9)
    assert names(page) == ["a", "b", "c"]
    assert [mail.number for mail in page.mail] == [1, 2, 3]


async def test_mailboxes_know_nothing_of_each_other(journal: Journal) -> None:
    await put(journal, "a", "b")
    await put(journal, "a", chat="duty")
    await put(journal, "a", account=OTHER)
    assert [mail.number for mail in (await journal.mail(HOOKS, "duty", after=0, limit=9)).mail] == [1]
    assert names(await journal.mail(OTHER, "alerts", after=0, limit=9)) == ["a"]
    assert await journal.mail(OTHER, "duty", after=0, limit=9) == MailPage(mail=())


async def test_the_newest_are_kept_and_a_slow_reader_hears_what_it_missed(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.journal.sqlite.mailboxes.MAILBOX_KEPT", 3)
    await put(journal, "a", "b", "c", "d", "e")
    page = await journal.mail(HOOKS, "alerts", after=1, limit=9)
    assert (names(page), page.missed) == (["c", "d", "e"], 1)


async def test_retention_takes_what_is_old_and_numbers_go_on(journal: Journal, reopen: Reopen) -> None:
    await put(journal, "a", "b", s=0)
    await journal.prune(before=at(1))
    page = await journal.mail(HOOKS, "alerts", after=0, limit=9)
    assert (names(page), page.missed, page.last) == ([], 2, 2)
    journal = await reopen(journal)
    await put(journal, "c", s=2)
    assert [mail.number for mail in (await journal.mail(HOOKS, "alerts", after=2, limit=9)).mail] == [3]


@pytest.mark.parametrize("cursor", [99, -1])
async def test_a_cursor_that_never_was_begins_at_the_oldest(journal: Journal, cursor: int) -> None:
    await put(journal, "a", "b")
    assert names(await journal.mail(HOOKS, "alerts", after=cursor, limit=9)) == ["a", "b"]


async def test_a_number_that_was_given_again_is_seen(journal: Journal, reopen: Reopen) -> None:
    """As after a backup was restored: what came since has the same numbers, and may have the same names."""
    await put(journal, "a", "b", "c", s=1)
    (*_, newest) = (await journal.mail(HOOKS, "alerts", after=0, limit=9)).mail
    await put(journal, "a", chat="restored", s=1)
    await put(journal, "x", "c", "y", s=2)
    await put(journal, "x", "c", "y", chat="restored", s=2)
    kept = await journal.mail(HOOKS, "alerts", after=newest.number, mark=newest.mark, limit=9)
    assert (names(kept), kept.is_anew, kept.missed) == (["x", "y"], False, 0)
    journal = await reopen(journal)
    again = await journal.mail(HOOKS, "restored", after=newest.number, mark=newest.mark, limit=9)
    assert (names(again), again.is_anew, again.missed) == (["a", "x", "c", "y"], True, 0)
    assert names(await journal.mail(HOOKS, "restored", after=newest.number, limit=9)) == ["y"], "a cursor of an earlier version"
    beyond = await journal.mail(HOOKS, "restored", after=99, mark=newest.mark, limit=9)
    assert (names(beyond), beyond.is_anew) == (["a", "x", "c", "y"], True)


@pytest.mark.parametrize("kept", [3, 10_000])
async def test_a_cursor_at_the_newest_that_is_gone_is_known(journal: Journal, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    """By number or by age: its reader missed nothing, and one of a number that was given again is told."""
    monkeypatch.setattr("bridge.journal.sqlite.mailboxes.MAILBOX_KEPT", kept)
    await put(journal, "a", "b", s=1)
    mark = (await journal.mail(HOOKS, "alerts", after=1, limit=1)).last_mark
    if kept == 3:
        await put(journal, "c", "d", "e", s=2)
    else:
        await journal.prune(before=at(2))
        await journal.prune(before=at(2))
        gone = await journal.mail(HOOKS, "alerts", after=0, limit=9)
        assert (names(gone), gone.missed, gone.last_mark) == ([], 2, mark)
        await put(journal, "b", "c", "d", "e", s=2)
    page = await journal.mail(HOOKS, "alerts", after=2, mark=mark, limit=9)
    assert (names(page), page.missed, page.is_anew) == (["c", "d", "e"], 0, False)
    other = await journal.mail(HOOKS, "alerts", after=2, mark="0" * 12, limit=9)
    assert (names(other), other.missed, other.is_anew) == (["c", "d", "e"], 2, True)
    await journal.prune(before=at(3))
    page = await journal.mail(HOOKS, "alerts", after=2, mark=mark, limit=9)
    assert (names(page), page.missed, page.is_anew) == ([], 3, False), "nothing is known of it, and it is told what it missed"


async def test_a_gap_that_a_wrong_clock_made_is_counted(journal: Journal) -> None:
    await put(journal, "a", s=9)
    await put(journal, "b", "c", s=0)
    await put(journal, "d", s=9)
    await journal.prune(before=at(1))
    page = await journal.mail(HOOKS, "alerts", after=0, limit=9)
    assert (names(page), page.missed) == (["a", "d"], 2)
    assert (await journal.mail(HOOKS, "alerts", after=0, limit=1)).missed == 0


async def test_a_page_is_bounded_in_bytes(journal: Journal) -> None:
    for number in range(4):
        await journal.put_mail(journal.lease(HOOKS), "alerts", str(number), b"x" * 600_000, at=at(0))
    assert names(await journal.mail(HOOKS, "alerts", after=0, limit=9)) == ["0", "1"]
    assert names(await journal.mail(HOOKS, "alerts", after=2, limit=9)) == ["2", "3"]


async def test_an_accounts_notes_are_its_own(journal: Journal, reopen: Reopen) -> None:
    mine, theirs = (JournalAccountStore(journal, account, ManualClock()) for account in (HOOKS, OTHER))
    await mine.set_note("off/alerts", "HTTP 410")
    assert await mine.note("off/alerts") == "HTTP 410"
    assert await theirs.note("off/alerts") == ""
    await mine.put_mail("alerts", "a", b"1")
    assert names(await mine.mail("alerts", after=0, limit=1)) == ["a"]
    assert names(await theirs.mail("alerts", after=0, limit=1)) == []
