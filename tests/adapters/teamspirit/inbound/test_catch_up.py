"""Reading a history, for any course of events: each message once, in order, changes of the latest ones found, nothing invented."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.teamspirit.client import Client, _is_before
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.dialect.calls import History
from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.dialect.model import Dialect
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.errors import Gone, TooFar
from adapters.teamspirit.inbound.catch_up import ChatReader
from adapters.teamspirit.inbound.compare import State
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.decodings import Decodings
from adapters.teamspirit.inbound.history import HistoryOnRequest
from adapters.teamspirit.outbound.encode import Encoder
from bridge.model.adapter import Cursor
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.errors import RetryLater
from bridge.model.events import Author, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import AccountName
from bridge.model.rich_text import text_of
from tests.support.budget import examples
from tests.support.intake import RecordingIntake

PAGE, WINDOW = 5, 4
PACHCA = TeamSpiritOptions.model_validate({"dialect": "pachca", "api_key": "key"})
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


NOTICES: list[dict[str, Any]] = [{"user": None}, {"user": None, "sent_at": None}, {"user": "anna", "text": ["?"]}]


@pytest.mark.parametrize("odd", NOTICES)
async def test_pages_full_of_what_cannot_be_read_stop_no_chat(odd: dict[str, Any]) -> None:
    """Each is kept once, what follows is read, nothing looks deleted, and what is deleted later is found."""
    posted = [item_of("m0")]
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(listed(posted))), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        posted += [item_of(f"m{number}", "said") for number in (1, 2)]
        await reader.read(again=True)
        posted += [item_of(f"m{number}", **odd) for number in range(3, 3 + 3 * PAGE)]
        posted += [item_of("last-1", "behind"), item_of("last", "behind too")]
        for again in (False, True, True, True):
            await reader.read(again=again)
    assert intake.texts() == ["said", "said", "behind", "behind too"]
    assert len(intake.undecoded) == 3 * PAGE
    assert not intake.of(MessageDeleted)
    del posted[-2]
    again_after_restart = reader_of(cast(Server, Odd(listed(posted))), intake, DIALECTS["after"])
    async with again_after_restart.lock:
        for _ in range(3):
            await again_after_restart.read(again=True)
    assert [event.message_id for event in intake.of(MessageDeleted)] == ["last-1"]
    assert len(intake.undecoded) == 3 * PAGE
    assert not intake.notices


async def test_a_page_whose_last_items_cannot_be_read_deletes_nothing_behind_it() -> None:
    """The page ends before what was seen. Items of the cursor of an earlier version are not among what was seen, either."""
    posted = [item_of("m0"), *(item_of(f"m{number}") for number in range(1, PAGE)), item_of(None, user=None)]
    posted += [item_of(f"late-{number}", user=None) for number in range(PAGE)]
    posted += [item_of("last-1"), item_of("last")]
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(listed(posted))), intake, DIALECTS["after"])
    (read,) = await Decodings(reader._compare.decoder, most=1).readings([posted[1]], "c")
    assert read.message is not None
    names = ("m0", "m1", "m2", "m3", "m4", "last-1", "last")
    state = State(seen=tuple((one, read.message.version) for one in names), at_ms=1_767_225_600_000)
    cursor = msgspec.json.encode(state).decode()
    await intake.accept([], cursors=[Cursor(name="history:c", value=cursor)])
    async with reader.lock:
        for _ in range(4):
            await reader.read(again=True)
    assert not intake.foreign()
    assert len(intake.undecoded) == PAGE + 1


async def test_items_without_an_id_hold_up_nothing_but_what_is_behind_a_page_of_them_and_that_is_told() -> None:
    posted = [item_of("m0"), *(item_of(None, user=None, n=number) for number in range(PAGE - 1)), item_of("m1", "read")]
    server = Odd(listed(posted))
    intake = RecordingIntake()
    reader = reader_of(cast(Server, server), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        posted += [item_of("m2", "more")]
        await reader.read(again=True)
        assert intake.texts() == ["more"]
        posted += [item_of(None, user=None, n=number + PAGE) for number in range(PAGE)]
        for _ in range(5):
            await reader.read(again=False)
            await reader.read(again=True)
        assert len(intake.notices) == 1
        assert "cannot be read on" in str(intake.notices[0])
        assert len(intake.undecoded) == PAGE
        posted[-1]["id"] = "m3"
        posted.append(item_of("m4", "goes on"))
        await reader.read(again=False)
    assert intake.texts() == ["more", "goes on"]


async def test_pages_full_of_tombstones_stop_no_chat() -> None:
    """A dialect of the admin's: read by `after`, and what was deleted stays in the list, marked so."""
    overrides = {"operations": {"history": {"page_size": PAGE, "deletes": "flagged"}}, "message_fields": {"deleted": "deleted"}}
    dialect = load_dialect("teamspirit", overrides).dialect
    assert dialect is not None
    posted = [item_of("m0")]
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(listed(posted))), intake, dialect)
    async with reader.lock:
        await reader.begin()
        posted.append(item_of("m1", "said"))
        await reader.read(again=True)
        posted[-1].update(deleted=True, user=None)
        posted += [item_of(f"gone-{number}", deleted=True) for number in range(2 * PAGE)]
        posted.append(item_of("last", "behind"))
        for again in (True, False, True):
            await reader.read(again=again)
    assert intake.texts() == ["said", "behind"]
    assert [event.message_id for event in intake.of(MessageDeleted)] == ["m1"]
    assert not intake.undecoded


@pytest.mark.parametrize("odd", [{}, {"user": None}])
async def test_more_changes_within_a_moment_than_a_page_holds_stop_no_chat(odd: dict[str, Any]) -> None:
    """Read by `since`, whose overlap the page would fill for ever. The gap is told, and not at every look."""
    history = {"query": {"since": "{{ since_ms }}"}, "by": "since", "page_size": PAGE, "deletes": "flagged"}
    overrides = {"operations": {"history": history}, "message_fields": {"updated_at": "updated_at", "deleted": "deleted"}}
    dialect = load_dialect("teamspirit", overrides).dialect
    assert dialect is not None
    posted: list[dict[str, Any]] = [{**item_of("m0"), "updated_at": "2026-01-01T00:00:00Z"}]

    class Since:
        async def page(self, chat_id: str, after: str, since_ms: int | None) -> list[Any]:
            since = datetime.fromtimestamp((since_ms or 0) / 1000, UTC)
            return [one for one in posted if datetime.fromisoformat(one["updated_at"]) >= since][:PAGE]

    intake = RecordingIntake()
    reader = reader_of(cast(Server, Since()), intake, dialect)
    async with reader.lock:
        await reader.begin()
        for number in range(2 * PAGE):
            posted.append({**item_of(f"x{number}", **odd), "sent_at": "2026-01-01T00:01:00Z", "updated_at": "2026-01-01T00:01:00Z"})
        posted.append({**item_of("last", "behind"), "sent_at": "2026-01-01T00:01:01Z", "updated_at": "2026-01-01T00:01:01Z"})
        for _ in range(6):
            await reader.read(again=False)
    assert intake.texts()[-1:] == ["behind"]
    assert intake.texts().count("behind") == 1
    assert 1 <= len(intake.gaps) <= 3


async def test_history_on_request_goes_on_behind_what_cannot_be_read() -> None:
    posted = [item_of("m0"), *(item_of(f"m{number}", user=None) for number in range(1, 2 * PAGE)), item_of("last", "behind")]
    dialect = DIALECTS["after"]
    decoder = Decoder(dialect, AccountName("a"), is_own=lambda *_: False, chat_id=lambda native, _: native)
    on_request = HistoryOnRequest(dialect.operations, cast(Directory, Odd(listed(posted))), decoder, SYSTEM_CLOCK)
    found = [event async for event in on_request.history("c", "m0")]
    assert [event.message_id for event in found if isinstance(event, MessageCreated)] == ["last"]


async def test_a_server_that_gives_the_same_page_for_ever_is_left() -> None:
    odd = Odd(lambda _: [item_of(f"m{number}") for number in range(PAGE)])
    intake = RecordingIntake()
    reader = reader_of(cast(Server, odd), intake, DIALECTS["after"])
    for again in (False, True, False, True):
        async with reader.lock:
            await reader.read(again=again)
    assert len(odd.asked) < 20
    assert not intake.foreign()
    assert len(intake.notices) == 1, "told once, and not at every look"


@pytest.mark.parametrize(
    "ids", [lambda n: n, lambda n: 10**30 + n, lambda n: f"{n:0>5000}", lambda n: f"é/{n}?&#", lambda n: n + 0.5]
)
async def test_equal_times_on_the_border_of_pages_and_ids_of_any_kind(ids: Callable[[int], Any]) -> None:
    """What counts is the place in the history, and never the time or the form of an id."""
    posted = [item_of(ids(number), str(number)) for number in range(1, 3)]

    def pages(after: str) -> list[Any]:
        place = next((at + 1 for at, one in enumerate(posted) if str(one["id"]) == after), 0)
        return posted[place : place + PAGE]

    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(pages)), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        posted += [item_of(ids(number), str(number)) for number in range(3, 23)]
        for again in (False, True, True):
            await reader.read(again=again)
    assert intake.texts() == [str(number) for number in range(3, 23)]


def test_ids_that_are_numbers_are_compared_by_size() -> None:
    assert _is_before("9", "10")
    assert _is_before("007", "8")
    assert _is_before("1" * 6000, "2" * 6000)
    assert not _is_before("2" * 6000, "1" * 6000)
    for one, two in (("10", "9"), ("5", "5"), ("a", "b"), ("", "1"), ("٣", "4"), ("-1", "2"), ("1.5", "2")):
        assert not _is_before(one, two)


async def test_the_way_back_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that pages backwards: pages that come round, and pages that never end. Neither is walked for each known message."""
    monkeypatch.setattr("adapters.teamspirit.client._MOST_PAGES_BACK", 10)
    dialect = PACHCA.read_dialect
    asked: list[str] = []

    class Walked(Client):
        def __init__(self, pages: int) -> None:
            self._operations, self._encoder, self._pages = dialect.operations, Encoder(dialect, PACHCA), pages

        async def call(self, operation: str, call: Any, values: Any, effect: Any = None) -> Any:
            page = int(values.get("cursor") or 0)
            asked.append(str(page))
            return {"data": [{"id": f"x{page}"}], "meta": {"paginate": {"next_page": str((page + 1) % self._pages or 1)}}}

    with pytest.raises(Gone) as round_trip:
        await Walked(4).page("1", "m1", None)
    assert not isinstance(round_trip.value, TooFar)
    assert len(asked) <= 5
    asked.clear()
    with pytest.raises(TooFar):
        await Walked(10**9).page("1", "m1", None)
    assert len(asked) == 10
    asked.clear()
    server = Odd(lambda after: [] if not after else too_far())
    reader = reader_of(cast(Server, server), RecordingIntake(), dialect)
    state = State(seen=tuple((f"m{number}", "v") for number in range(50)), at_ms=5)
    await reader._page(state, 20)
    assert server.asked == ["m20", "m49", ""]


def too_far() -> list[Any]:
    raise TooFar("history: not met")
