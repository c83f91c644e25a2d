"""The moment between "configured" and "up": what is said in it is relayed, once, in order, however the bridge learns of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.common.platform_time import PlatformTime
from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.inbound.beginnings import Beginnings
from bridge.model.adapter import Adapter
from bridge.model.errors import ConnectionLost
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, running, summary
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually


class Slow:
    """Says something after every call that the bridge makes while it connects."""

    def __init__(self, emulator: TeamSpiritEmulator, chat: str) -> None:
        self.emulator = emulator
        self.chat = chat
        self.said: list[str] = []

    async def speak(self, intake: RecordingIntake) -> None:
        seen = 0
        while not intake.up.is_set():
            calls = len(self.emulator.calls())
            if calls > seen:
                seen = calls
                await self.say()
            await asyncio.sleep(0)

    async def say(self) -> None:
        self.said.append(f"{len(self.said)}")
        await self.emulator.say(self.chat, "Anna", self.said[-1])


@pytest.fixture
def chat(emulator: TeamSpiritEmulator, intake: RecordingIntake) -> str:
    chat_id = emulator.add_chat("team").chat_id
    intake.chats.add(chat_id)
    return chat_id


@pytest.fixture(params=["history", "registered webhook", "webhook by hand"])
async def account(
    request: pytest.FixtureRequest, emulator: TeamSpiritEmulator, web: PublicWeb, chat: str
) -> AsyncIterator[Adapter]:
    options = options_of(emulator)
    if request.param == "webhook by hand":
        hook = emulator.outgoing_webhook(f"{web.public_url}/hooks/spirit/a-path-hard-to-guess", [chat])
        options["webhook"] = {"path": "a-path-hard-to-guess", "key": hook.key, "secret": hook.secret}
    made = make_adapter(options, None if request.param == "history" else web)
    yield made
    await made.close()


@pytest.mark.parametrize("latency_s", [0.0, 0.05])
async def test_what_is_said_while_an_account_connects_for_the_first_time(
    emulator: TeamSpiritEmulator, account: Adapter, intake: RecordingIntake, chat: str, latency_s: float
) -> None:
    for number in range(3):
        await emulator.say(chat, "Anna", f"before {number}")
    if latency_s:
        emulator.inject(Fault(kind=FaultKind.LATENCY, operation="*", delay_s=latency_s, times=20))
    talk = Slow(emulator, chat)
    intake.up.clear()
    speaking = asyncio.create_task(talk.speak(intake))
    async with running(account, intake):
        await speaking
        for _ in range(5):
            await talk.say()
        await intake.wait(len(talk.said))
        await eventually(lambda: emulator.world.outgoing.undelivered == 0)
    assert summary(intake) == [f"+{text}" for text in talk.said]


async def test_a_server_that_is_away_at_the_first_start(
    emulator: TeamSpiritEmulator, account: Adapter, intake: RecordingIntake, chat: str
) -> None:
    """The account is tried again later; what was said since its first try belongs to it."""
    await emulator.say(chat, "Anna", "before")
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET /me", status=503, times=1))
    with pytest.raises(ConnectionLost):
        await account.run(intake)
    await emulator.say(chat, "Anna", "one")
    async with running(account, intake):
        await emulator.say(chat, "Anna", "two")
        await intake.wait(2)
        await eventually(lambda: emulator.world.outgoing.undelivered == 0)
    assert summary(intake) == ["+one", "+two"]


async def test_a_history_that_cannot_be_read_at_first(
    emulator: TeamSpiritEmulator, account: Adapter, intake: RecordingIntake, chat: str
) -> None:
    """Calls about what is not read yet do not go first: they hold less, and overtake what was said before."""
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="GET /chats/{chat}/messages", status=503, times=3))
    async with running(account, intake):
        for number in range(6):
            await emulator.say(chat, "Anna", f"{number}")
        await intake.wait(6)
        await eventually(lambda: emulator.world.outgoing.undelivered == 0)
    assert summary(intake) == [f"+{number}" for number in range(6)]


async def test_a_new_route_of_an_account_that_is_up(
    emulator: TeamSpiritEmulator, account: Adapter, intake: RecordingIntake, chat: str
) -> None:
    other = emulator.add_chat("other").chat_id
    async with running(account, intake):
        await emulator.say(chat, "Anna", "up")
        await intake.wait(1)
        await emulator.say(other, "Anna", "before anybody wanted it")
        await asyncio.sleep(1)
        intake.chats.add(other)
        for number in range(5):
            await emulator.say(other, "Bert", f"{number}")
        await intake.wait(6)
        await eventually(lambda: emulator.world.outgoing.undelivered == 0)
    assert summary(intake) == ["+up", *(f"+{number}" for number in range(5))]


async def test_the_first_moments_of_mattermost(server: MattermostServer, channel: str, intake: RecordingIntake) -> None:
    anna = server.add_user("anna")
    server.post(channel, anna, "before")
    adapter = make_adapter(account_options(server))
    server.failing["GET /users/me"] = 503
    with pytest.raises(ConnectionLost):
        await adapter.run(intake)
    server.failing.clear()
    for number in range(90):  # more than a page of the newest
        server.post(channel, anna, f"{number}")
    async with running(adapter, intake):
        await intake.wait(90)
    await adapter.close()
    assert summary(intake) == [f"+{number}" for number in range(90)]


def clock_of(moments: dict[str, float]) -> PlatformTime:
    time = PlatformTime(local_s=lambda: moments["local"], steady_s=lambda: moments["steady"])
    time.learn({"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
    return time


def test_the_local_clock_decides_nothing() -> None:
    """It is a year ahead, and then a year behind."""
    for off_s in (31e6, -31e6):
        moments: dict[str, float] = {"local": 1767225600.0 + off_s, "steady": 100.0}
        time = clock_of(moments)
        beginnings = Beginnings(time)
        beginnings.look(frozenset({"a"}))
        begun = beginnings.since("a")
        assert begun is not None
        assert abs(begun.timestamp() - 1767225600) < 2
        moments["steady"], moments["local"] = 101.0, 0.0
        beginnings.look(frozenset({"a", "b"}))
        assert beginnings.since("a") == begun
        assert beginnings.since("b") == begun, "nothing was said between two looks that nobody heard"
        moments["steady"] = 500.0
        beginnings.look(frozenset({"b", "c"}))
        assert beginnings.since("a") is None
        later = beginnings.since("c")
        assert later is not None
        assert timedelta(seconds=399) < later - begun < timedelta(seconds=401)


def test_a_chat_that_refuses_us_has_not_begun() -> None:
    moments: dict[str, float] = {"local": 1767225600.0, "steady": 100.0}
    beginnings = Beginnings(clock_of(moments))
    beginnings.look(frozenset({"a"}))
    moments.update(local=1767225630.0, steady=130.0)
    beginnings.put_off("a")
    begun: Any = beginnings.since("a")
    assert abs(begun.timestamp() - 1767225630) < 2
