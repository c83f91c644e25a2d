"""Generations of deliveries: which run of the bridge accepted them."""

from __future__ import annotations

import sqlite3

from bridge.journal.contract import Generation
from bridge.journal.sqlite.ledger import Ledger


def begin(ledger: Ledger, mark: str) -> list[Generation]:
    """On the writer's thread. Those are forgotten of which no delivery is left."""
    connection = ledger.connection
    connection.execute(
        "DELETE FROM generation WHERE first_delivery < (SELECT max(later.first_delivery) FROM generation AS later"
        " WHERE later.first_delivery <= coalesce((SELECT min(id) FROM delivery), ?))",
        (ledger.next_delivery,),
    )
    connection.execute(
        "INSERT INTO generation (first_delivery, mark) VALUES (?, ?) ON CONFLICT DO UPDATE SET mark = excluded.mark",
        (ledger.next_delivery, mark),
    )
    return known(connection)


def known(connection: sqlite3.Connection) -> list[Generation]:
    """In order."""
    rows = connection.execute("SELECT first_delivery, mark FROM generation ORDER BY first_delivery")
    return [Generation(first_delivery=first, mark=found) for first, found in rows]
