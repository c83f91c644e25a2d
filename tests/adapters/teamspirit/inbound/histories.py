"""Servers that have a history in memory, good ones and odd ones, and a reader of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.teamspirit.dialect.calls import History
from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.dialect.model import Dialect
from adapters.teamspirit.errors import Gone
from adapters.teamspirit.inbound.catch_up import ChatReader
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.decodings import Decodings
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.errors import RetryLater
from bridge.model.events import Author
from bridge.model.refs import AccountName
from tests.support.intake import RecordingIntake

PAGE, WINDOW = 5, 4
START = datetime(2026, 1, 1, tzinfo=UTC)


class Server:
    """A chat's history in memory. `forgets`: reading on from a deleted message is an error."""

    def __init__(self, history: History, *, forgets: bool) -> None:
        self.history = history
        self.forgets = forgets
        self.messages: list[dict[str, Any]] = []
        self.tick = 0
        self.fail = False

    def now(self) -> str:
        self.tick += 5
        return (START + timedelta(seconds=self.tick)).isoformat()

    def post(self) -> None:
        number = len(self.messages)
        at = self.now()
        self.messages.append(
            {"id": f"m{number}", "text": f"{number}", "user": {"id": "u1", "name": "anna"}, "sent_at": at, "updated_at": at}
        )

    def post_odd(self, *, with_id: bool) -> None:
        """An item that is no message; by its id, if it has one, the server can be asked on."""
        number, at = len(self.messages), self.now()
        self.messages.append({"id": f"m{number}" if with_id else {"n": number}, "text": 17, "user": "?", "updated_at": at})

    def edit(self, back: int) -> None:
        if back < len(self.messages) and "deleted" not in self.messages[-1 - back] and not is_odd(self.messages[-1 - back]):
            message = self.messages[-1 - back]
            at = self.now()
            message.update(text=message["text"] + "!", edited_at=at, updated_at=at)

    def delete(self, back: int) -> None:
        if back < len(self.messages):
            self.messages[-1 - back].update(deleted=True, updated_at=self.now())

    async def page(self, chat_id: str, after: str, since_ms: int | None) -> list[Any]:
        if self.fail:
            self.fail = False
            raise RetryLater("not now")
        if self.history.by == "since":
            return self._changes(since_ms)
        place = int(after[1:]) if after else -1
        if self.forgets and after and "deleted" in self.messages[place]:
            raise Gone("no such message")
        return [dict(message) for message in self.messages[place + 1 :] if "deleted" not in message][:PAGE]

    def _changes(self, since_ms: int | None) -> list[Any]:
        if not since_ms:
            return [dict(message) for message in self.messages if "deleted" not in message][-PAGE:]
        since = datetime.fromtimestamp(since_ms / 1000, UTC).isoformat()
        return [dict(message) for message in self.messages if message["updated_at"] > since]


def is_odd(message: dict[str, Any]) -> bool:
    return bool(message["user"] == "?")


def dialect_by(by: str) -> Dialect:
    fields = {"updated_at": "updated_at", "deleted": "deleted"} if by == "since" else {}
    query = {"after": "{{ after }}"} if by == "after" else {"since": "{{ since_ms }}"}
    history = {
        "query": query,
        "by": by,
        "page_size": PAGE if by == "after" else 1000,
        "deletes": "missing" if by == "after" else "flagged",
    }
    loaded = load_dialect("teamspirit", {"operations": {"history": history}, "message_fields": fields})
    assert loaded.dialect is not None
    return loaded.dialect


DIALECTS = {by: dialect_by(by) for by in ("after", "since")}


def reader_of(server: Server, intake: RecordingIntake, dialect: Dialect) -> ChatReader:
    decoder = Decoder(dialect, AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native)

    async def fill(author: Author) -> Author:
        return author

    assert dialect.operations.history is not None
    return ChatReader(
        "c",
        history=dialect.operations.history,
        decodings=Decodings(decoder, most=10),
        intake=intake,
        read_page=server.page,
        fill_author=fill,
        window=WINDOW,
        now=SYSTEM_CLOCK.now,
        clock=SYSTEM_CLOCK,
    )


class Odd:
    """A server that does not do what its dialect says."""

    def __init__(self, pages: Callable[[str], list[Any]]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def page(self, chat_id: str, after: str, since_ms: int | None) -> list[Any]:
        self.asked.append(after)
        assert len(self.asked) < 200, "it is asked for ever"
        return self.pages(after)


def item_of(message_id: Any, text: str = "x", **more: Any) -> dict[str, Any]:
    at = "2026-01-01T00:00:00Z"  # all at the same time
    return {"id": message_id, "text": text, "user": {"id": 5, "name": "anna"}, "sent_at": at, **more}


def listed(posted: list[dict[str, Any]]) -> Callable[[str], list[Any]]:
    """Pages of these items, as a server gives them that knows each id."""

    def pages(after: str) -> list[Any]:
        place = next((at + 1 for at, one in enumerate(posted) if after and str(one.get("id")) == after), 0)
        return posted[place : place + PAGE]

    return pages
