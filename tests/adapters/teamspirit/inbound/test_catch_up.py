"""Reading a history, for any course of events: each message once, in order, changes of the latest ones found, nothing invented."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.dialect.model import Dialect
from adapters.teamspirit.inbound.catch_up import ChatReader
from adapters.teamspirit.inbound.decode import Decoder
from bridge.model.errors import RetryLater
from bridge.model.events import MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from tests.adapters.teamspirit.inbound.histories import (
    DIALECTS,
    START,
    WINDOW,
    Odd,
    Server,
    is_odd,
    item_of,
    listed,
    reader_of,
)
from tests.support.budget import examples
from tests.support.intake import RecordingIntake


@pytest.mark.parametrize(
    ("files", "known"), [({"files": [{"id": "f"}]}, True), ({"files": []}, True), ({"files": None}, False), ({}, False)]
)
def test_a_list_of_files_that_is_missing_is_not_an_empty_one(files: dict[str, Any], known: bool) -> None:
    decoder = Decoder(DIALECTS["after"], AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native)
    item = {"id": "m1", "text": "x", "user": {"id": "u1", "name": "anna"}, "sent_at": "2026-11-01T12:00:00Z", **files}
    message = decoder.message(item, "c")
    assert decoder.edited(message, datetime.now(UTC)).attachments_known is known


steps = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(1, 8)),
        st.tuples(st.just("odd"), st.integers(0, 1)),
        st.tuples(st.just("edit"), st.integers(0, WINDOW + 2)),
        st.tuples(st.just("delete"), st.integers(0, WINDOW + 2)),
        st.tuples(st.just("look"), st.integers(0, 1)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("rest"), st.just(0)),
        st.tuples(st.just("fail"), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=examples(100), deadline=None)
@given(before=st.integers(0, 13), course=steps, forgets=st.booleans())
@example(before=0, course=[("post", 2), ("look", 0), ("post", 1), ("odd", 0), ("look", 0)], forgets=False)
@pytest.mark.parametrize("by", ["after", "since"])
def test_any_course_of_events(by: str, before: int, course: list[tuple[str, int]], forgets: bool) -> None:
    asyncio.run(play(DIALECTS[by], before, course, forgets))


async def play(dialect: Dialect, before: int, course: list[tuple[str, int]], forgets: bool) -> None:
    assert dialect.operations.history is not None
    server, intake = Server(dialect.operations.history, forgets=forgets), RecordingIntake()
    for _ in range(before):
        server.post()
    reader = reader_of(server, intake, dialect)
    await reader.begin()
    for what, number in course:
        match what:
            case "post":
                for _ in range(number):
                    server.post()
            case "odd":
                server.post_odd(with_id=bool(number))
                server.post()  # a page in which nothing has an id could not be read on from
            case "edit":
                server.edit(number)
            case "delete":
                server.delete(number)
            case "look":
                await look(reader, again=bool(number))
            case "restart":
                reader = reader_of(server, intake, dialect)
            case "rest":
                reader.rest()
            case "fail":
                server.fail = True
    server.fail = False
    for _ in range(3):
        await look(reader, again=True)
    check(server, intake, before)
    known = len(intake.foreign())
    for _ in range(2):
        await look(reader_of(server, intake, dialect), again=True)
    assert len(intake.foreign()) == known, "looking again finds nothing new"


async def look(reader: ChatReader, *, again: bool) -> None:
    try:
        await reader.read(again=again)
    except RetryLater:
        pass


def check(server: Server, intake: RecordingIntake, before: int) -> None:
    created = [int(event.message_id[1:]) for event in intake.of(MessageCreated)]
    assert created == sorted(set(created)), "each once, in order"
    assert all(number >= before for number in created), "nothing from before the bridge"
    alive = [number for number, message in enumerate(server.messages) if "deleted" not in message and not is_odd(message)]
    assert set(alive) - set(created) <= set(range(before)), "nothing is lost"
    deleted = [int(event.message_id[1:]) for event in intake.of(MessageDeleted)]
    assert all("deleted" in server.messages[number] for number in deleted), "nothing is invented"
    assert len(deleted) == len(set(deleted))
    shown: dict[int, str] = {}
    for event in intake.foreign():
        if isinstance(event, MessageCreated | MessageEdited):
            shown[int(event.message_id[1:])] = text_of(event.content.text)
    for number in alive:
        if number in created and number >= len(server.messages) - WINDOW and not server.forgets:
            assert shown[number] == server.messages[number]["text"], "the latest are shown as they are"


async def test_what_is_missing_once_may_be_a_mistake() -> None:
    """A server that answers an empty list for a moment deletes nothing."""
    dialect = DIALECTS["after"]
    assert dialect.operations.history is not None
    server, intake = Server(dialect.operations.history, forgets=False), RecordingIntake()
    reader = reader_of(server, intake, dialect)
    await reader.begin()
    for _ in range(4):
        server.post()
    await reader.read(again=True)
    kept, server.messages = server.messages, []
    await reader.read(again=True)
    server.messages = kept
    await reader.read(again=True)
    await reader.read(again=True)
    assert not intake.of(MessageDeleted)
    server.delete(1)
    await reader.read(again=True)
    assert reader.in_doubt
    await reader.read(again=True)
    assert [event.message_id for event in intake.of(MessageDeleted)] == ["m2"]


async def test_an_edit_back_to_earlier_words_is_an_edit_also_without_a_time() -> None:
    posted = [item_of("m0"), item_of("m1", "first")]
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(listed(posted))), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        for words in ("second", "first", "second", "first"):
            posted[1]["text"] = words
            await reader.read(again=True)
    edits = intake.of(MessageEdited)
    assert [text_of(edit.content.text) for edit in edits] == ["second", "first", "second", "first"]
    assert len({edit.meta.event_key for edit in edits}) == 4, "none is taken for another one that came again"


def test_calls_about_edits_without_a_time_are_told_apart_by_their_id() -> None:
    dialect = load_dialect("teamspirit", {}).dialect
    assert dialect is not None
    decoder = Decoder(dialect, AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native)

    def key(event_id: str, **more: Any) -> str:
        item = item_of("m1", "first", **more)
        call = {"event": "message.edited", "event_id": event_id, "chat": {"id": "c"}, "user": item["user"], "message": item}
        event = decoder.event(call, START)
        assert isinstance(event, MessageEdited)
        return event.meta.event_key

    assert key("e1") != key("e2")
    assert key("e1") == key("e1")
    at = "2026-01-01T00:00:05Z"
    assert key("e1", edited_at=at) == key("e2", edited_at=at), "the same edit, told twice"
