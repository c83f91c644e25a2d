"""Who may act for an account: its lease. Every change that an account's own tasks make carries it."""

from __future__ import annotations

import math
from typing import Protocol

import msgspec

from bridge.model.refs import AccountName


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """The right to act for an account. Whoever reads and then writes keeps the one it began with: a later lease of the same process
    is another one."""

    account: AccountName
    epoch: int
    """Grows with each new owner, and is never used again: a storage refuses what an earlier owner writes late."""
    deadline_s: float = math.inf
    """On CLOCK_BOOTTIME, which continues while the machine sleeps: after it nothing is sent any more. Infinite where a lock on the
    storage keeps others out for as long as the process lives."""


class LeaseLost(Exception):
    """Another process acts for the account now: nothing was stored, and nothing more may be sent. The account's tasks end. It is no
    JournalError, which a lane waits out and tries again."""

    def __init__(self, lease: Lease) -> None:
        super().__init__(f"another process acts for account {lease.account} (epoch {lease.epoch} is over)")
        self.lease = lease


class LeaseStore(Protocol):
    def lease(self, account: AccountName) -> Lease:
        """What this process holds now; no I/O. Raises LeaseLost if it is another's."""
        ...
