"""Private chats of people with the bot: what may be a command is handed on, once, and what nobody should hear is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.inbound import direct_chats
from bridge.model.adapter import Adapter
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, running
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options, outbound
from tests.adapters.teamspirit.pachca_server import PachcaServer
from tests.adapters.teamspirit.test_adapter_pachca import options as pachca_options
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually


@pytest.fixture
def listening() -> RecordingIntake:
    intake = RecordingIntake()
    intake.hears = True
    return intake


async def begun(intake: RecordingIntake) -> None:
    await intake.until(lambda: intake.cursors.get("direct"))


async def reopened(adapter: Adapter, options: dict[str, Any]) -> Adapter:
    await adapter.close()
    return make_adapter(options)


async def test_what_is_said_in_private_is_heard_once_also_what_was_said_while_the_bridge_was_away(
    emulator: TeamSpiritEmulator, listening: RecordingIntake
) -> None:
    options = options_of(emulator)
    private, group = emulator.add_private_chat("Clara").chat_id, emulator.add_chat("elsewhere").chat_id
    await emulator.say(private, "Clara", "from before anybody listened")
    adapter = make_adapter(options)
    async with running(adapter, listening):
        await begun(listening)
        await emulator.say(group, "Boris", "not in private")
        await emulator.say(private, "Clara", "!bridge link")
        await listening.wait(1)
        await adapter.send(outbound(private, "Your code is 123"))
        await emulator.say(private, "Clara", "!bridge optout")
        await listening.wait(2)
    await emulator.say(private, "Clara", "while away")
    late = emulator.add_private_chat("Dora").chat_id
    await emulator.say(late, "Dora", "a first word while away")
    again = await reopened(adapter, options)
    async with running(again, listening):
        await listening.wait(4)
    await again.close()
    assert sorted(listening.texts()) == sorted(["!bridge link", "!bridge optout", "while away", "a first word while away"])
    assert all(event.meta.is_private for event in listening.events)
    assert not listening.own(), "answers of the bot are no news"
    assert {event.meta.origin.chat_id for event in listening.foreign()} == {private, late}


@pytest.mark.parametrize("kind", ["private", "dialog", "group", "channel", ""])
async def test_a_chat_of_a_kind_that_may_be_a_group_is_not_private(
    emulator: TeamSpiritEmulator, listening: RecordingIntake, kind: str
) -> None:
    group, private = emulator.add_private_chat("Boris").chat_id, emulator.add_private_chat("Clara").chat_id
    emulator.world.state.chats[group].kind = kind
    adapter = make_adapter(options_of(emulator))
    async with running(adapter, listening):
        await begun(listening)
        await emulator.say(group, "Boris", "!bridge status")
        await emulator.say(private, "Clara", "!bridge help")
        await listening.wait(1)
    await adapter.close()
    assert listening.texts() == ["!bridge help"]


async def test_nobody_is_asked_for_private_chats_where_no_commands_are_heard(
    emulator: TeamSpiritEmulator, intake: RecordingIntake
) -> None:
    """Also not later for what was said meanwhile."""
    private, group = emulator.add_private_chat("Clara").chat_id, emulator.add_chat("duty").chat_id
    intake.chats.add(group)
    options = options_of(emulator)
    adapter = make_adapter(options)
    async with running(adapter, intake):
        await emulator.say(private, "Clara", "!bridge optout")
        await emulator.say(group, "Clara", "in the group")
        await intake.wait(1)
        assert "direct" not in intake.cursors
        intake.hears = True
        await begun(intake)
        await emulator.say(private, "Clara", "now")
        await intake.wait(2)
        intake.hears = False
        await intake.until(lambda: intake.cursors["direct"] == "")
    await adapter.close()
    assert intake.texts() == ["in the group", "now"]


async def test_strangers_fill_neither_the_cursor_nor_the_store(
    emulator: TeamSpiritEmulator, listening: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_chats, "MOST_CHATS", 3)
    chats = [emulator.add_private_chat(f"Person {number}").chat_id for number in range(5)]
    adapter = make_adapter(options_of(emulator))
    async with running(adapter, listening):
        await begun(listening)
        emulator.world.last_chat = emulator.world.state.chats[chats[0]]
        emulator.world.poison()
        await emulator.say(chats[1], "Person 1", "long " * 300)
        for chat in chats:
            await emulator.say(chat, "Person 0", "short")
        await listening.wait(3)
        assert any("more than" in reason for reason in listening.noticed())
        await listening.until(lambda: len(json.loads(listening.cursors["direct"])["chats"]) == 3)
    await adapter.close()
    assert listening.texts() == ["short"] * 3
    assert not listening.undecoded
    assert listening.ignored_reasons["not understood, in a private chat"]


async def test_an_old_chat_that_is_too_long_for_one_look_is_no_news(
    emulator: TeamSpiritEmulator, listening: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is reached only after some looks: what was said there long ago is still no command."""
    monkeypatch.setattr(direct_chats, "_MOST_PAGES", 1)
    private = emulator.add_private_chat("Clara").chat_id
    for _ in range(350):
        await emulator.say(private, "Clara", "!bridge optout")
    adapter = make_adapter(options_of(emulator))
    async with running(adapter, listening):
        await begun(listening)
        await emulator.say(private, "Clara", "now")
        await listening.wait(1)
    await adapter.close()
    assert listening.texts() == ["now"]


async def test_a_list_that_is_refused_is_told_and_the_routes_go_on(
    emulator: TeamSpiritEmulator, listening: RecordingIntake
) -> None:
    group = emulator.add_chat("duty").chat_id
    listening.chats.add(group)
    wrong = {"operations": {"direct_chats": {"path": "/dialogs"}}}
    adapter = make_adapter(options_of(emulator, overrides=wrong))
    async with running(adapter, listening):
        await listening.until(lambda: any("does not list these chats" in reason for reason in listening.noticed()))
        await emulator.say(group, "Boris", "hello")
        await listening.wait(1)
    await adapter.close()


async def test_a_server_clock_that_was_ahead_for_a_while_does_not_deafen_the_bot(
    emulator: TeamSpiritEmulator, listening: RecordingIntake
) -> None:
    private = emulator.add_private_chat("Clara").chat_id
    listening.cursors["direct"] = json.dumps(
        {"looked_ms": 4_000_000_000_000, "chats": [{"chat_id": private, "since_ms": 4_000_000_000_000}]}
    )
    adapter = make_adapter(options_of(emulator))
    async with running(adapter, listening):
        await listening.until(lambda: json.loads(listening.cursors["direct"])["looked_ms"] < 4_000_000_000_000)
        await emulator.say(private, "Clara", "!bridge help")
        await listening.wait(1)
    await adapter.close()


async def test_mattermost_s_websocket_tells_of_private_chats_and_the_list_of_what_it_missed(
    server: MattermostServer, listening: RecordingIntake
) -> None:
    clara = server.add_user("clara", "Clara")
    private, elsewhere = server.add_channel("clara__bridge", "D"), server.add_channel("off-topic")
    group = server.add_channel("three", "G")
    rarely = {"poll_interval_s": 3600.0, "poll_idle_interval_s": 3600.0}
    adapter = make_adapter(account_options(server, **rarely))
    async with running(adapter, listening):
        await begun(listening)
        await eventually(lambda: server.sockets)
        server.post(elsewhere, clara, "!bridge in an open channel")
        server.post(group, clara, "!bridge in a group")
        server.post(private, clara, "long " * 5000)
        server.post(private, clara, "!bridge link")
        await listening.wait(1)
        server.post(private, server.bot, "Your code")
        await listening.until(listening.own)
    server.post(private, clara, "while away")
    again = await reopened(adapter, account_options(server, **rarely))
    async with running(again, listening):
        await listening.wait(2)
    await again.close()
    assert listening.texts() == ["!bridge link", "while away"]
    assert {event.meta.origin.chat_id for event in listening.events} == {private}


async def test_a_websocket_of_a_bot_that_does_not_listen_hands_on_nothing_private(
    server: MattermostServer, mattermost: Adapter, channel: str, intake: RecordingIntake
) -> None:
    clara = server.add_user("clara", "Clara")
    private = server.add_channel("clara__bridge", "D")
    async with running(mattermost, intake):
        await eventually(lambda: server.sockets)
        server.post(private, clara, "!bridge link")
        server.post(channel, clara, "hello")
        await intake.wait(1)
    assert intake.texts() == ["hello"]


async def test_only_chats_with_something_new_are_read_where_the_server_says_when(listening: RecordingIntake) -> None:
    pachca = PachcaServer()
    await pachca.start()
    clara = pachca.add_user("clara", first="Clara")
    quiet, private, group = pachca.add_chat("q", personal=True), pachca.add_chat("c", personal=True), pachca.add_chat("duty")
    adapter = make_adapter(pachca_options(pachca))
    async with running(adapter, listening):
        await begun(listening)
        pachca.chats[quiet]["last_message_at"] = "2020-01-01T00:00:00.000Z"
        pachca.say(group, clara, "in the group")
        pachca.say(private, clara, "!bridge help")
        await listening.wait(1)
        reads = [call for call in pachca.calls if call == "GET /messages"]
        listed = pachca.calls.count("GET /chats")
        await eventually(lambda: pachca.calls.count("GET /chats") > listed + 3, "further looks")
        later = [call for call in pachca.calls if call == "GET /messages"]
    await adapter.close()
    await pachca.stop()
    assert listening.texts() == ["!bridge help"]
    assert len(later) - len(reads) <= 2, "the quiet chats are not read again"


async def test_a_chat_that_the_server_fails_to_show_costs_the_others_nothing_and_is_heard_later(listening: RecordingIntake) -> None:
    pachca = PachcaServer()
    await pachca.start()
    clara, dora = pachca.add_user("clara", first="Clara"), pachca.add_user("dora", first="Dora")
    broken, private = pachca.add_chat("b", personal=True), pachca.add_chat("c", personal=True)
    pachca.broken.add(broken)
    adapter = make_adapter(pachca_options(pachca))
    async with running(adapter, listening):
        await begun(listening)
        pachca.say(broken, clara, "!bridge optout")
        for number in (1, 2):
            reads = pachca.calls.count("GET /messages")
            await eventually(lambda reads=reads: pachca.calls.count("GET /messages") > reads, "an attempt to read the broken chat")
            pachca.say(private, dora, f"!bridge link {number}")
            await listening.wait(number)
        pachca.broken.clear()
        await listening.wait(3)
    await adapter.close()
    await pachca.stop()
    assert listening.texts() == ["!bridge link 1", "!bridge link 2", "!bridge optout"]


async def test_calls_of_a_webhook_tell_of_private_chats_where_none_can_be_listed(
    emulator: TeamSpiritEmulator, web: PublicWeb, listening: RecordingIntake
) -> None:
    """A webhook that was set up by hand calls about every chat."""
    private = emulator.add_private_chat("Clara").chat_id
    path = "a-path-hard-to-guess"
    webhook = emulator.outgoing_webhook(f"{web.public_url}/hooks/spirit/{path}")
    by_hand = {"path": path, "key": webhook.key, "secret": webhook.secret}
    adapter = make_adapter(options_of(emulator, webhook=by_hand, overrides={"operations": {"direct_chats": None}}), web)
    async with running(adapter, listening):
        await emulator.say(private, "Clara", "!bridge link")
        await listening.wait(1)
    await adapter.close()
    assert listening.texts() == ["!bridge link"]
