"""Errors that the storage raises."""

from __future__ import annotations


class JournalError(Exception):
    """The storage failed (disk full, file corrupt, written by a newer version). The text says what to do."""
