"""Notes in a receipt's `adapter_data`: the ids of a message's files, and whether its words begin with the sender's name. Pure.

Written by `sender` and `reconcile`; read for edits and deletions. Words separated by blanks, as journals of earlier versions have
them.
"""

from __future__ import annotations

from collections.abc import Iterable

_NAMED = "named"


def pack(file_ids: Iterable[str], *, is_named: bool) -> str:
    """`is_named`: the sender's name is part of the text, so it must be in edits as well."""
    return " ".join((*((_NAMED,) if is_named else ()), *file_ids))


def file_ids(adapter_data: str) -> list[str]:
    """In the order of the message's files."""
    return [note for note in adapter_data.split() if note != _NAMED]


def is_named(adapter_data: str) -> bool:
    return _NAMED in adapter_data.split()
