"""Reading chat by chat: who is followed, when it is connected, and what becomes of each way to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from adapters.common import following
from adapters.common.following import follow_chats
from bridge.model.errors import AccountDown, ChatDown, ConnectionLost, RetryLater
from bridge.model.refs import AccountName
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

ACCOUNT = AccountName("acc")


class Platform:
    """Chats that can be read, or raise what they are told to; `open` are those that are being read."""

    def __init__(self, *chats: str) -> None:
        self.intake = RecordingIntake(chats)
        self.open: set[str] = set()
        self.errors: dict[str, BaseException] = {}
        self.broken = asyncio.Event()

    async def follow(self, chat_id: str, heard: Callable[[], None]) -> None:
        if error := self.errors.get(chat_id):
            raise error
        self.open.add(chat_id)
        heard()
        try:
            await self.broken.wait()
        finally:
            self.open.discard(chat_id)

    def start(self) -> asyncio.Task[None]:
        return asyncio.create_task(follow_chats(self.intake, ACCOUNT, self.follow), name="following")


async def test_routed_chats_are_followed_as_long_as_they_are_routed() -> None:
    platform = Platform("a", "b")
    running = platform.start()
    await eventually(lambda: platform.open == {"a", "b"} and platform.intake.up.is_set(), what="both")
    platform.intake.chats = {"b", "c"}
    await eventually(lambda: platform.open == {"b", "c"}, what="the new ones")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not platform.open


async def test_without_chats_it_is_connected_all_the_same() -> None:
    platform = Platform()
    running = platform.start()
    await asyncio.wait_for(platform.intake.up.wait(), 100)
    running.cancel()


async def test_a_chat_that_is_down_is_told_and_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_FIRST_WAIT_S", 0.01)
    platform = Platform("a", "b")
    platform.errors["a"] = ChatDown("not allowed", action="allow it")
    running = platform.start()
    await eventually(lambda: platform.open == {"b"} and platform.intake.up.is_set(), what="the other")
    await eventually(lambda: platform.intake.notices.count(("not allowed", "allow it", "a")) >= 2, what="that it is tried again")
    platform.errors.clear()
    await eventually(lambda: platform.open == {"a", "b"}, what="both")
    assert platform.intake.restorations == ["a"]
    running.cancel()


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (RetryLater("away"), ConnectionLost),
        (ConnectionLost("away"), ConnectionLost),
        (AccountDown("away", action="act"), AccountDown),
        (KeyError("away"), KeyError),
    ],
)
async def test_what_ends_one_ends_all_and_comes_out_bare(error: Exception, seen: type[Exception]) -> None:
    platform = Platform("a", "b")
    platform.errors["b"] = error
    with pytest.raises(seen, match="away"):
        await asyncio.wait_for(platform.start(), 100)
    assert not platform.open


async def test_a_stream_that_ends_is_a_lost_connection() -> None:
    platform = Platform("a")
    platform.broken.set()
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(platform.start(), 100)
