"""A second program on the same app takes its share of the events: it is noticed, and our own connections are no alarm."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from adapters.common.emulation.contract import StreamFault
from adapters.slack.emulator import SlackEmulator
from adapters.slack.inbound.connections import LOOK_AGAIN_S, LOOK_EVERY_S, Connections, Readers
from tests.support.patience import eventually


class FakeSocket:
    closed = False


class OtherProgram:
    """Somebody else's connection with the same app-level token."""

    def __init__(self, emulator: SlackEmulator) -> None:
        self._emulator = emulator
        self._session = aiohttp.ClientSession()

    async def __aenter__(self) -> OtherProgram:
        self.ws = await self._session.ws_connect(self._emulator.sockets.issue_url())
        assert (await self.ws.receive_json())["type"] == "hello"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ws.close()
        await self._session.close()


async def test_a_second_program_is_noticed_and_its_end_too(
    account: Any, emulator: SlackEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.inbound.connections.LOOK_AGAIN_S", 0.05)
    account.chat()
    async with OtherProgram(emulator):
        await account.start()
        await eventually(lambda: account.intake.notices)
        reason, action, chat_id = account.intake.notices[0]
        assert "2 connections, 1 ours" in reason
        assert "own Slack app" in action
        assert chat_id == ""
    await eventually(lambda: "" in account.intake.restorations)
    assert not account.task.done()


async def test_a_program_that_comes_later_is_noticed(
    account: Any, emulator: SlackEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.inbound.connections.LOOK_EVERY_S", 0.2)
    account.chat()
    await account.start()
    assert account.intake.notices == []
    async with OtherProgram(emulator):
        await eventually(lambda: account.intake.notices)
    assert "ours" in account.intake.notices[0][0]


async def test_our_own_renewals_are_no_alarm(account: Any, emulator: SlackEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.inbound.connections.LOOK_EVERY_S", 0.02)
    chat = account.chat()
    await account.start()
    before = emulator.sockets.connections_total
    await eventually(lambda: emulator.sockets.connections_total > before + 3)
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    await emulator.say(chat, "Anna", "meanwhile")
    await eventually(lambda: account.intake.texts() == ["meanwhile"])
    assert account.intake.notices == []
    assert not account.task.done()


async def test_nor_are_connections_that_slack_has_not_given_up(account: Any, emulator: SlackEmulator) -> None:
    """Ours that broke is counted for a while."""
    account.chat()
    adapter = await account.start()
    ghost = emulator.sockets._sockets[0]
    await account.stop()
    emulator.sockets._sockets.append(ghost)
    await account.start(adapter)
    assert account.intake.notices == []
    emulator.sockets._sockets.remove(ghost)


async def test_check_online_tells_the_readers(account: Any, emulator: SlackEmulator) -> None:
    adapter = account.build()

    async def item() -> Any:
        return next(item for item in await adapter.probe([]) if item.name == "readers of the app")

    alone = await item()
    assert (alone.ok, alone.detail) == (True, "1 connection, 1 ours")
    await eventually(lambda: emulator.sockets.open_count == 0)
    async with OtherProgram(emulator):
        one = await item()
        assert one.ok
        assert one.detail.startswith("2 connections, 1 ours; ")
        await eventually(lambda: emulator.sockets.open_count == 1)
        async with OtherProgram(emulator):
            two = await item()
            assert (two.ok, two.detail) == (False, "3 connections, 1 ours")
            assert two.action


async def test_a_check_takes_no_event_away(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    adapter = await account.start()
    for number in range(6):
        await asyncio.gather(adapter.probe([]), emulator.say(chat, "Anna", str(number)))
    await eventually(lambda: len(account.intake.texts()) == 6 and emulator.deliveries.unsettled == 0)
    assert account.intake.notices == []


def test_what_is_counted() -> None:
    now_s = 0.0
    connections = Connections(lambda: now_s)
    first, second = FakeSocket(), FakeSocket()
    assert connections.opened(first, 1) == Readers(1, 1)
    assert connections.look_after_s == LOOK_EVERY_S
    assert connections.opened(second, 2).strangers == 0
    first.closed = True
    connections.over()
    assert connections.opened(FakeSocket(), 3).strangers == 0
    assert connections.look_after_s == LOOK_AGAIN_S, "one of them may be a stranger's"
    now_s = 1000.0
    assert connections.opened(FakeSocket(), 4).strangers == 1
    assert str(connections.readers) == "4 connections, 3 ours"
