"""The journal in one SQLite file; `journal.open_journal` is the entry point.

journal     the contract's methods; runs on the event loop, never touches the file
threads     the writer (group commit), the reader and the checkpointer, each with its own connection
database    opening: lock, creation, migration, pragmas; what an SQLite error means for a human
accepting   one group of accepted events        recording   one group of changes to deliveries
keys, invites, arrivals  keys of the public listener, and what arrived by them
copying     backups         checking    what is wrong with a file         exporting   the file as JSON lines
upkeep      all other writes                    reading     all reads, by role: delivering, linking, people, tracing
"""

from bridge.journal.sqlite.journal import SqliteJournal

__all__ = ["SqliteJournal"]
