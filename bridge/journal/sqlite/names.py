"""Numbers for repeated names: chats, lanes, ends in threads, routes. One instance per connection, used by its thread only."""

from __future__ import annotations

import sqlite3
from typing import Any

from bridge.journal.sqlite.codec import Packed, pack_optional, unpack_optional
from bridge.model.refs import AccountName, ChatAddress, ChatRef

_LIMIT = 50_000
"""Names kept in memory, per table."""


class MissingName(LookupError):
    """A row refers to an unknown number. It costs that row, not the rest of the file."""


class _Table:
    def __init__(self, connection: sqlite3.Connection, table: str, *columns: str) -> None:
        self._connection = connection
        self._cache: dict[tuple[Packed | None, ...], int] = {}
        matches = " AND ".join(f"{column} IS ?" for column in columns)
        self._select = f"SELECT id FROM {table} WHERE {matches}"
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
        self._reverse_cache: dict[int, tuple[Any, ...]] = {}
        self._reverse = f"SELECT {', '.join(columns)} FROM {table} WHERE id = ?"

    def clear(self) -> None:
        self._cache.clear()
        self._reverse_cache.clear()

    def find(self, *name: Packed | None) -> int | None:
        number = self._cache.get(name)
        if number is None:
            row = self._connection.execute(self._select, name).fetchone()
            if row is None:
                return None
            number = self._keep(name, row[0])
        return number

    def number(self, *name: Packed | None) -> int:
        """The name's number, a new one if it has none yet. For the writer only."""
        number = self.find(*name)
        if number is None:
            inserted = self._connection.execute(self._insert, name).lastrowid
            assert inserted is not None
            number = self._keep(name, inserted)
        return number

    def name(self, number: int) -> tuple[Any, ...]:
        name = self._reverse_cache.get(number)
        if name is None:
            name = self._connection.execute(self._reverse, (number,)).fetchone()
            if name is None:
                raise MissingName(f"a row refers to name {number}, which is missing: the file is damaged")
            if len(self._reverse_cache) >= _LIMIT:
                self._reverse_cache.clear()
            self._reverse_cache[number] = name
        return name

    def _keep(self, name: tuple[Packed | None, ...], number: int) -> int:
        if len(self._cache) >= _LIMIT:
            self._cache.clear()
        self._cache[name] = number
        return number


class Names:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._chats = _Table(connection, "chat", "account", "chat_id")
        self._lanes = _Table(connection, "lane", "account", "address")
        self._ends = _Table(connection, "lane_end", "lane", "thread")
        self._routes = _Table(connection, "route", "name")

    def clear(self) -> None:
        """After a rollback, or when another process wrote: what is remembered may not be on disk."""
        for table in (self._chats, self._lanes, self._ends, self._routes):
            table.clear()

    def chat(self, chat: ChatRef) -> int:
        return self._chats.number(chat.account, chat.chat_id)

    def lane(self, lane: ChatAddress) -> int:
        return self._lanes.number(lane.account, lane.address)

    def end(self, lane: ChatAddress, thread_id: str | None) -> int:
        """The number of an end: a thread of the lane's chat, or the chat itself."""
        return self._ends.number(self.lane(lane), pack_optional(thread_id))

    def route(self, name: str) -> int:
        return self._routes.number(name)

    def find_chat(self, chat: ChatRef) -> int | None:
        return self._chats.find(chat.account, chat.chat_id)

    def find_lane(self, lane: ChatAddress) -> int | None:
        return self._lanes.find(lane.account, lane.address)

    def find_route(self, name: str) -> int | None:
        return self._routes.find(name)

    def find_end(self, lane: ChatAddress, thread_id: str | None) -> int | None:
        number = self.find_lane(lane)
        return None if number is None else self._ends.find(number, pack_optional(thread_id))

    def thread_of(self, end: int) -> str | None:
        """The thread of an end; None for the chat itself."""
        return unpack_optional(self._ends.name(end)[1])

    def chat_of(self, number: int) -> ChatRef:
        account, chat_id = self._chats.name(number)
        return ChatRef(AccountName(account), chat_id)

    def lane_of(self, number: int) -> ChatAddress:
        account, address = self._lanes.name(number)
        return ChatAddress(AccountName(account), address)

    def route_of(self, number: int) -> str:
        name: str = self._routes.name(number)[0]
        return name

    def lane_if_known(self, lane: int) -> ChatAddress:
        """A lane whose name is missing, in a harmed file, is shown by its number. Nothing can be sent there."""
        try:
            return self.lane_of(lane)
        except MissingName:
            return ChatAddress(AccountName(""), f"({lane})")

    def route_if_known(self, route: int) -> str:
        try:
            return self.route_of(route)
        except MissingName:
            return f"({route})"
