"""The stream from connecting to its end: renewed and cut sockets, tokens that are refused, and what the core is told of us."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault
from adapters.slack.emulator import SlackEmulator
from bridge.model.adapter import Outbound
from bridge.model.errors import AccountDown, ConnectionLost
from bridge.model.rich_text import plain
from tests.support.patience import PATIENCE_S, eventually


async def test_a_renewed_socket_leaves_no_gap(account: Any, emulator: SlackEmulator) -> None:
    chat = account.chat()
    await account.start()
    emulator.sockets.refresh_lead_s = 0.1
    wanted = [str(number) for number in range(60)]
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    for text in wanted:
        await emulator.say(chat, "Anna", text)
        await asyncio.sleep(0.005)
    await eventually(lambda: len(account.intake.texts()) == 60)
    assert sorted(account.intake.texts(), key=int) == wanted
    assert emulator.sockets.connections_total == 2
    assert account.intake.connections == 1
    await eventually(lambda: emulator.sockets.open_count == 1)
    assert not account.task.done()


async def test_a_renewal_that_comes_too_late_is_a_lost_connection(account: Any, emulator: SlackEmulator) -> None:
    """Only then does the catch-up bring what was said in between."""
    emulator.deliveries.retry_delays_s = ()
    chat = account.chat()
    adapter = await account.start()
    emulator.sockets.refresh_lead_s = 0.05
    emulator.inject(Fault(kind=FaultKind.HANG, operation="apps.connections.open", times=1))
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(account.task, PATIENCE_S)
    await emulator.say(chat, "Anna", "in between")
    await account.start(adapter)
    await eventually(lambda: account.intake.texts() == ["in between"])
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, operation="apps.connections.open", times=1))
    emulator.sockets.refresh_lead_s = 0.6
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    await eventually(lambda: emulator.sockets.connections_total == 3)
    assert not account.task.done()


async def test_a_cut_socket_ends_the_run(account: Any, emulator: SlackEmulator) -> None:
    account.chat()
    await account.start()
    await emulator.disturb(StreamFault.DISCONNECT)
    with pytest.raises(ConnectionLost):
        await asyncio.wait_for(account.task, PATIENCE_S)


async def test_a_wrong_token_parks_the_account(account: Any) -> None:
    with pytest.raises(AccountDown) as caught:
        await account.start(bot_token="xoxb-wrong")
    assert "bot_token" in caught.value.action
    assert "xoxb-wrong" not in str(caught.value)
    with pytest.raises(AccountDown):
        await account.start(app_token="xapp-wrong")


async def test_a_revoked_token_parks_the_account(account: Any, emulator: SlackEmulator) -> None:
    account.chat()
    await account.start()
    emulator.workspace.emit({"type": "tokens_revoked", "tokens": {"bot": ["U0BRIDGE001"]}})
    with pytest.raises(AccountDown):
        await asyncio.wait_for(account.task, PATIENCE_S)
    # Slack sends again for minutes what is not acknowledged: it would end the account that was mended meanwhile
    await eventually(lambda: not emulator.deliveries.unsettled)


async def test_revoked_tokens_that_cannot_be_read_end_no_account(account: Any, emulator: SlackEmulator) -> None:
    channel = account.chat()
    await account.start()
    unreadable: tuple[Any, ...] = (None, [], {}, {"bot": "U0BRIDGE001"}, {"bot": None})
    for tokens in unreadable:
        emulator.workspace.emit({"type": "tokens_revoked", "tokens": tokens})
    await emulator.say(channel, "Anna", "still here")
    await eventually(lambda: "still here" in account.intake.texts(), "the account goes on")
    assert not account.task.done()


async def test_connecting_fails_as_a_lost_connection(account: Any, emulator: SlackEmulator) -> None:
    account.chat()
    for fault in (FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.DROP):
        for operation in ("auth.test", "apps.connections.open", "socket"):
            # the handshake is a GET on a kept connection: aiohttp itself sends it again
            times = 2 if (fault, operation) == (FaultKind.DROP, "socket") else 1
            emulator.inject(Fault(kind=fault, operation=operation, times=times))
            with pytest.raises(ConnectionLost):
                await account.start()
    await emulator.refuse_connections(True)
    with pytest.raises(ConnectionLost):
        await account.start()
    await emulator.refuse_connections(False)
    await account.start()


async def test_the_core_is_told_what_the_bot_is_called(account: Any) -> None:
    account.chat()
    await account.start()
    await eventually(lambda: account.intake.names == {"Messenger Bridge", "messenger_bridge"})


async def test_without_the_right_to_look_people_up_the_user_name_is_told(account: Any, emulator: SlackEmulator) -> None:
    emulator.workspace.scopes -= {"users:read"}
    account.chat()
    await account.start()
    await eventually(lambda: "slack names team" not in {task.get_name() for task in asyncio.all_tasks()})
    assert account.intake.names == {"messenger_bridge"}


@pytest.mark.parametrize("why", ["a wrong app-level token", "Socket Mode is off"])
async def test_what_stops_receiving_stops_no_sending(account: Any, emulator: SlackEmulator, why: str) -> None:
    """Messages are sent with another token, and by another way."""
    chat = account.chat()
    adapter = account.build(**({"app_token": "xapp-wrong"} if why.startswith("a wrong") else {}))
    if why.startswith("Socket"):
        emulator.api.refusals = {"apps.connections.open": "no_permission"}
    with pytest.raises(AccountDown) as down:
        await account.start(adapter)
    assert down.value.sends
    assert "app_token" in down.value.action
    assert (account.intake.may_sends, account.intake.connections) == (1, 0)
    await adapter.send(Outbound(token="t-1", attempt=1, chat_id=chat, text=plain("goes out")))
    assert [seen.text for seen in emulator.transcript(chat)] == ["goes out"]


async def test_a_wrong_bot_token_stops_both(account: Any) -> None:
    with pytest.raises(AccountDown) as down:
        await account.start(bot_token="xoxb-wrong")
    assert not down.value.sends
    assert account.intake.may_sends == 0
