"""Reading a history whose items cannot all be read, or whose server does not do what its dialect says: it goes on, and ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from adapters.teamspirit.client import Client, _is_before
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.directory import Directory
from adapters.teamspirit.errors import Gone, TooFar
from adapters.teamspirit.inbound.compare import State
from adapters.teamspirit.inbound.decode import Decoder
from adapters.teamspirit.inbound.decodings import Decodings
from adapters.teamspirit.inbound.history import HistoryOnRequest
from adapters.teamspirit.outbound.encode import Encoder
from bridge.model.adapter import Cursor
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.events import MessageCreated, MessageDeleted
from bridge.model.refs import AccountName
from tests.adapters.teamspirit.inbound.histories import (
    DIALECTS,
    PAGE,
    Odd,
    Server,
    item_of,
    listed,
    reader_of,
)
from tests.support.intake import RecordingIntake

PACHCA = TeamSpiritOptions.model_validate({"dialect": "pachca", "api_key": "key"})
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
