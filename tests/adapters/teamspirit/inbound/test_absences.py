"""Servers whose pages are not what their dialect says: nothing that is still there counts as deleted, and nothing is new twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from adapters.teamspirit.inbound.absences import EMPTIED, NOT_BEHIND
from bridge.model.events import MessageCreated, MessageDeleted
from tests.adapters.teamspirit.inbound.histories import DIALECTS, PAGE, START, Odd, Server, reader_of
from tests.support.intake import RecordingIntake

Pages = Callable[[list[dict[str, Any]], str], list[Any]]


def said(number: int) -> dict[str, Any]:
    at = (START + timedelta(seconds=number)).isoformat()
    return {"id": f"m{number}", "text": f"{number}", "user": {"id": "u", "name": "anna"}, "sent_at": at}


def behind(posted: list[dict[str, Any]], after: str) -> list[dict[str, Any]]:
    return posted[next((at + 1 for at, one in enumerate(posted) if one["id"] == after), 0) :]


def fewer_at_once(posted: list[dict[str, Any]], after: str) -> list[Any]:
    return behind(posted, after)[: PAGE - 2]


def holes_cut_before(posted: list[dict[str, Any]], after: str) -> list[Any]:
    return [one for one in behind(posted, after)[:PAGE] if int(one["id"][1:]) % 3]


def newest_whatever_is_asked(posted: list[dict[str, Any]], after: str) -> list[Any]:
    return posted[-PAGE:]


def newest_first(posted: list[dict[str, Any]], after: str) -> list[Any]:
    return behind(posted, after)[:PAGE][::-1]


def with_the_one_asked_for(posted: list[dict[str, Any]], after: str) -> list[Any]:
    return posted[max(len(posted) - len(behind(posted, after)) - 1, 0) :][:PAGE]


def each_twice(posted: list[dict[str, Any]], after: str) -> list[Any]:
    return [one for one in behind(posted, after)[: PAGE // 2] for _ in range(2)]


ODD = [fewer_at_once, holes_cut_before, newest_whatever_is_asked, newest_first, with_the_one_asked_for, each_twice]


@pytest.mark.parametrize("before", [0, 2, 9])
@pytest.mark.parametrize("pages", ODD)
async def test_no_oddity_of_pages_deletes_doubles_or_reorders(pages: Pages, before: int) -> None:
    posted = [said(number) for number in range(before)]
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(lambda after: pages(posted, after))), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        posted += [said(number) for number in range(before, before + 3)]
        for more in range(4):
            await reader.read(again=False)
            await reader.read(again=True)
            posted.append(said(before + 3 + more))
        for again in (True, False, True, True):
            await reader.read(again=again)
    created = [int(event.message_id[1:]) for event in intake.of(MessageCreated)]
    assert created == [number for number in range(before, before + 7) if pages is not holes_cut_before or number % 3]
    assert not intake.of(MessageDeleted)


@pytest.mark.parametrize("pages", [fewer_at_once, newest_first, with_the_one_asked_for, each_twice])
async def test_what_was_deleted_is_found_all_the_same(pages: Pages) -> None:
    posted = [said(number) for number in range(2)]
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(lambda after: pages(posted, after))), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        posted += [said(2), said(3), said(4)]
        for again in (False, True):
            await reader.read(again=again)
        del posted[3]
        for _ in range(3):
            await reader.read(again=True)
    assert [event.message_id for event in intake.of(MessageDeleted)] == ["m3"]


async def test_a_server_that_reads_on_from_nowhere_is_told() -> None:
    """It gives the whole of a small chat, whatever is asked for: a message missing from it may have been there just now."""
    posted = [said(number) for number in range(4)]
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(lambda after: list(posted))), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        await reader.read(again=True)
        del posted[1]
        for again in (True, True, False, True):
            await reader.read(again=again)
    assert [one[:2] for one in intake.notices] == [NOT_BEHIND]
    assert not intake.restorations
    assert not intake.of(MessageDeleted)


async def test_a_history_that_is_empty_all_of_a_sudden_deletes_nothing_however_long_it_is() -> None:
    posted = [said(number) for number in range(2)]
    shown = posted
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(lambda after: behind(shown, after)[:PAGE])), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        posted += [said(2), said(3)]
        await reader.read(again=True)
        shown = []
        for again in (True, True, False, False, True, False):  # news alone is looked for in between
            await reader.read(again=again)
        assert [one[:2] for one in intake.notices] == [EMPTIED]
        assert not intake.restorations
        assert not intake.of(MessageDeleted)
        shown = [*posted[1:], said(4)]
        for _ in range(3):
            await reader.read(again=True)
        assert intake.restorations == ["c"]
    assert [event.message_id for event in intake.of(MessageCreated)] == ["m2", "m3", "m4"]
    assert [event.message_id for event in intake.of(MessageDeleted)] == ["m0"]


async def test_the_only_messages_of_a_chat_can_be_deleted() -> None:
    posted: list[dict[str, Any]] = []
    intake = RecordingIntake()
    reader = reader_of(cast(Server, Odd(lambda after: behind(posted, after)[:PAGE])), intake, DIALECTS["after"])
    async with reader.lock:
        await reader.begin()
        posted += [said(0), said(1)]
        await reader.read(again=True)
        posted.clear()
        for _ in range(2):
            await reader.read(again=True)
    assert [event.message_id for event in intake.of(MessageDeleted)] == ["m0", "m1"]
    assert not intake.notices
