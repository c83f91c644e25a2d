"""One reading of a history against the earlier ones: new, edited and deleted messages, and what is no news."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.inbound.compare import START, Compare, Found, State
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.decodings import Decodings
from adapters.teamspirit.inbound.readings import Reading
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import AccountName

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def compare(by: str = "after", page_size: int = 5) -> Compare:
    query = {"after": "{{ after }}"} if by == "after" else {"since": "{{ since_ms }}"}
    history = {"query": query, "by": by, "page_size": page_size, "deletes": "missing" if by == "after" else "flagged"}
    fields = {"updated_at": "updated_at", "deleted": "deleted"} if by == "since" else {}
    dialect = load_dialect("teamspirit", {"operations": {"history": history}, "message_fields": fields}).dialect
    assert dialect is not None
    assert dialect.operations.history is not None
    decoder = Decoder(dialect, AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native)
    return Compare(Decodings(decoder), dialect.operations.history, "c", window=4)


def item(number: int, text: str = "x", *, minute: int | None = None, **more: Any) -> dict[str, Any]:
    at = f"2026-11-01T12:{number if minute is None else minute:02}:00Z"
    return {
        "id": f"m{number}",
        "text": text,
        "user": {"id": "u", "name": "anna"},
        "sent_at": f"2026-11-01T12:{number:02}:00Z",
        "updated_at": at,
        **more,
    }


def page(one: Compare, items: Sequence[Any]) -> list[Reading]:
    return asyncio.run(one.decodings.readings(items, "c"))


def after(one: Compare, state: State, items: Sequence[Any], missing_before: frozenset[str] = frozenset()) -> Found:
    """What the page behind the first place says."""
    readings = page(one, items)
    return one.after(state, readings, 0, NOW, missing=one.missing(state, 0, readings), missing_before=missing_before)


def test_what_was_said_before_is_no_news() -> None:
    state = compare().first(page(compare(), [item(1), item(2)]), whole=True)
    assert [one for one, _ in state.seen] == [START, "m1", "m2"]
    assert after(compare(), state, [item(1), item(2)]).events == []


def test_what_is_said_after_the_chat_became_known_is_left_to_be_read() -> None:
    since = datetime(2026, 11, 1, 12, 2, tzinfo=UTC)
    state = compare().first(page(compare(), [item(1), item(2), item(3)]), whole=True, since=since)
    assert [one for one, _ in state.seen] == [START, "m1"]


def test_new_and_edited_messages_are_found_by_their_version() -> None:
    one = compare()
    state = one.first(page(one, [item(1), item(2)]), whole=True)
    found = after(one, state, [item(1), item(2, "y"), item(3)])
    assert [type(event) for event in found.events] == [MessageEdited, MessageCreated]


def test_a_message_counts_as_deleted_when_it_is_missing_for_the_second_time() -> None:
    one = compare()
    state = one.first(page(one, [item(1), item(2)]), whole=True)
    first = after(one, state, [item(1)])
    assert first.events == []
    assert first.missing == {"m2"}
    second = after(one, first.state, [item(1)], first.missing)
    assert [type(event) for event in second.events] == [MessageDeleted]
    assert "m2" not in dict(second.state.seen)


def test_what_cannot_be_read_is_kept_once() -> None:
    one = compare()
    odd = {"id": None}
    found = after(one, State(seen=((START, ""),)), [odd])
    assert len(found.unknown) == 1
    assert after(one, found.state, [odd]).unknown == []


def test_changes_since_a_moment_are_told_once() -> None:
    one = compare("since")
    state = one.first(page(one, [item(1)]), whole=True)
    changes = [item(1, "y", minute=5, edited_at="2026-11-01T12:05:00Z"), item(6)]
    found = one.since(state, page(one, changes), NOW)
    assert [type(event) for event in found.events] == [MessageEdited, MessageCreated]
    assert one.since(found.state, page(one, changes), NOW).events == []
    gone = one.since(found.state, page(one, [item(6, minute=7, deleted=True)]), NOW)
    assert [type(event) for event in gone.events] == [MessageDeleted]


def test_a_time_far_ahead_hides_nothing_that_follows() -> None:
    one = compare("since")
    one.horizon_ms = int(NOW.timestamp() * 1000) + 3_600_000
    state = one.first(page(one, [item(1)]), whole=True)
    ahead = {**item(2), "updated_at": "2099-01-01T00:00:00Z"}
    assert one.since(state, page(one, [ahead]), NOW).state.at_ms == state.at_ms
