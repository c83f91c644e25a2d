"""Who may act for an account. A storage that one process owns gives the same lease for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.journal.contract import Journal, JournalError, Lease, LeaseLost
from bridge.model.refs import AccountName
from tests.bridge.journal.journal_makers import ACCOUNT, A, at

Reopen = Callable[[Journal], Awaitable[Journal]]


async def test_a_lease_names_its_account_and_stays_while_it_is_held(journal: Journal) -> None:
    lease = journal.lease(ACCOUNT)
    assert (lease.account, journal.lease(ACCOUNT)) == (ACCOUNT, lease)
    assert journal.lease(A.account).account == A.account
    await journal.set_wait(lease, "w", at(5), at=at(1))
    assert set(await journal.waits()) == {"w"}


async def test_the_epoch_never_goes_back(journal: Journal, reopen: Reopen) -> None:
    before = journal.lease(ACCOUNT).epoch
    assert (await reopen(journal)).lease(ACCOUNT).epoch >= before


def test_a_lost_lease_says_whose_and_is_nothing_to_wait_out() -> None:
    lost = LeaseLost(Lease(account=AccountName("tg"), epoch=3))
    assert str(lost) == "another process acts for account tg (epoch 3 is over)"
    assert not isinstance(lost, JournalError)
