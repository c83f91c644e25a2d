"""Reading a chat back gives what live delivery gave."""

from __future__ import annotations

from typing import Any, cast

import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.inbound.decode_context import Context
from adapters.discord.inbound.history import PAGE, History
from adapters.discord.transport import Route, Transport
from bridge.model.errors import RetryLater
from bridge.model.events import MessageCreated, MessageDeleted
from tests.adapters.discord.conftest import Bench
from tests.adapters.discord.payloads import context_of


async def test_history_gives_the_events_of_live_delivery(bench: Bench, adapter: DiscordAdapter) -> None:
    ids = [await bench.emulator.say(bench.chat, "Anna", f"{n}") for n in range(3)]
    found = [event async for event in adapter.history(bench.chat, ids[0])]
    assert [e.message_id for e in found if isinstance(e, MessageCreated)] == ids[1:]
    assert [e.meta.event_key for e in found] == [f"created:guild:{bench.chat}:{i}" for i in ids[1:]]


class Pages:
    """Discord's answers about one channel, oldest first within; `call` is the transport's one way to the network."""

    def __init__(self, *messages: Any) -> None:
        self.messages = messages
        self.asked = 0

    async def call(self, route: Route, *, query: dict[str, str]) -> list[Any]:
        self.asked += 1
        assert self.asked < 50, "it is asked for ever"
        after = int(query["after"])
        ids = [int(one["id"]) if isinstance(one, dict) and str(one.get("id")).isdecimal() else 0 for one in self.messages]
        start = next((at for at, one in enumerate(ids) if one > after), len(ids))
        return list(self.messages[start : start + PAGE])[::-1]


async def read_back(pages: Pages) -> tuple[list[str], History]:
    history = History(cast(Transport, pages), cast(Context, None))
    return [str(message["id"]) async for page in history.pages("1", "10") for message in page], history


async def test_a_message_without_an_id_ends_no_reading_back() -> None:
    """A full page with one such is a full page: what comes behind it is read."""
    pages = Pages(
        *({"id": str(number)} for number in range(11, 60)), {"id": None}, "odd", *({"id": str(n)} for n in range(60, 300))
    )
    found, history = await read_back(pages)
    assert found == [str(number) for number in range(11, 300)]
    assert [message for message, _ in history.take_unreadable()] == [{"id": None}]


async def test_a_history_that_does_not_go_on_is_left_with_an_error() -> None:
    class Same(Pages):
        async def call(self, route: Route, *, query: dict[str, str]) -> list[Any]:
            await super().call(route, query=query)
            return [{"id": "11"}] * PAGE

    with pytest.raises(RetryLater, match="does not go on"):
        await read_back(Same())


def answering(answer: Any) -> History:
    class One:
        async def call(self, route: Route, *, query: dict[str, str]) -> Any:
            return answer

    return History(cast(Transport, One()), context_of())


@pytest.mark.parametrize("odd", [{"id": None}, {"id": "x"}, {}, "odd", None])
async def test_a_message_without_an_id_makes_no_other_look_deleted(odd: Any) -> None:
    """It may be the one that is missing."""
    latest = [{"id": "13"}, odd, {"id": "11"}]
    assert await answering(latest).changes("10", ["11", "12", "13"], knows_all_threads=True) == []
    (gone,) = await answering([{"id": "13"}, {"id": 11}]).changes("10", ["11", "12", "13"], knows_all_threads=True)
    assert isinstance(gone, MessageDeleted)
    assert gone.message_id == "12"


@pytest.mark.parametrize("answer", [None, {}, {"message": "internal"}, "error", 5])
async def test_an_answer_that_is_no_list_is_not_an_empty_channel(answer: Any) -> None:
    with pytest.raises(RetryLater, match="no list"):
        await answering(answer).changes("10", ["11"], knows_all_threads=True)
    with pytest.raises(RetryLater, match="no list"):
        await anext(answering(answer).events("10", "5"))


THREAD = {"id": "20", "type": 11, "parent_id": "10"}


@pytest.mark.parametrize(
    ("answer", "are_all"),
    [
        ({"threads": [THREAD], "has_more": False}, True),
        ({"threads": [THREAD]}, True),
        ({"threads": []}, True),
        ({"threads": [THREAD], "has_more": True}, False),
        ({"threads": [THREAD, {"id": None}]}, False),
        ({"threads": [THREAD, "odd"]}, False),
        ({"threads": None}, False),
        ({"threads": {}}, False),
        ({}, False),
        (None, False),
        ("error", False),
        ([], False),
    ],
)
async def test_threads_that_are_not_understood_are_not_known(answer: Any, are_all: bool) -> None:
    """Else what was said in them would look deleted: it is known as the channel's."""
    assert await answering(answer).learn_archived("10") is are_all
