"""Errors that the storage raises."""

from __future__ import annotations

from bridge.model.account_store import StoreDown


class JournalError(StoreDown):
    """The storage failed (disk full, file corrupt, written by a newer version). The text says what to do."""
