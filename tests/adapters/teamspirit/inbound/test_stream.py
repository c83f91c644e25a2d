"""Mattermost's websocket: events come at once, and what it loses comes from the history. Polling is an hour apart here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from mattermostdriver import Driver  # type: ignore[import-untyped]

from adapters.teamspirit.dialect.load import load_dialect
from adapters.teamspirit.inbound.decode import Decoder
from bridge.model.adapter import Adapter
from bridge.model.clock import SystemClock
from bridge.model.errors import ConnectionLost
from bridge.model.events import (
    ChatRenamed,
    Ignored,
    MembershipChanged,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReactionsChanged,
    TypingStarted,
)
from bridge.model.rich_text import text_of
from tests.adapters.teamspirit.harness import ACCOUNT, make_adapter, running, summary
from tests.adapters.teamspirit.mattermost_server import TOKEN, MattermostServer, account_options, outbound
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

RARELY = {"poll_interval_s": 3600.0, "poll_idle_interval_s": 3600.0}


@pytest.fixture
async def by_socket(server: MattermostServer) -> AsyncIterator[Adapter]:
    made = make_adapter(account_options(server, **RARELY))
    yield made
    await made.close()


async def connected(server: MattermostServer, times: int = 1) -> None:
    await eventually(lambda: server.sockets and server.calls.count("socket authentication_challenge") >= times, "the websocket")
    await eventually(lambda: server.calls[-1] == "GET /channels/{channel}/posts", "the history after it")


async def test_mattermostdriver_takes_the_server_s_websocket_for_mattermost_s(server: MattermostServer, channel: str) -> None:
    scheme, _, rest = server.url.partition("://")
    host, _, port = rest.partition(":")
    driver = Driver({"scheme": scheme, "url": host, "port": int(port), "token": TOKEN, "verify": False})
    frames: list[Any] = []

    async def take(frame: str) -> None:
        frames.append(json.loads(frame))

    await asyncio.to_thread(driver.login)
    from mattermostdriver.websocket import Websocket  # type: ignore[import-untyped]

    socket = Websocket({**driver.options, "port": str(driver.options["port"])}, TOKEN)
    task = asyncio.create_task(socket.connect(take))
    await eventually(lambda: any(one.get("event") == "hello" for one in frames), "let in")
    anna = server.add_user("anna")
    server.post(channel, anna, "hello")
    await eventually(lambda: any(one.get("event") == "posted" for one in frames), "the post")
    task.cancel()
    (posted,) = [one for one in frames if one.get("event") == "posted"]
    assert json.loads(posted["data"]["post"])["message"] == "hello"
    assert posted["broadcast"]["channel_id"] == channel


async def test_everything_comes_over_the_websocket(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    anna = server.add_user("anna", "Anna", "Petrova")
    async with running(by_socket, intake):
        await connected(server)
        reads = server.calls.count("GET /channels/{channel}/posts")
        post = server.post(channel, anna, "hello **all**")
        await eventually(lambda: summary(intake) == ["+hello all"])
        server.react(post, anna, "tada")
        server.edit(post, "edited")
        server.react(post, anna, "tada", remove=True)
        server.react(post, anna, "tada")
        reply = server.post(channel, anna, "an answer", root_id=post)
        await eventually(lambda: summary(intake)[-1] == "+an answer")
        server.tell("typing", channel, user_id=anna, parent_id="")
        server.tell("user_added", channel, user_id=anna, team_id="t")
        server.delete(reply)
        await eventually(lambda: len(intake.foreign()) == 9)
        found = intake.foreign()
        assert [type(one) for one in found] == [
            *(MessageCreated, ReactionsChanged, MessageEdited, ReactionsChanged, ReactionsChanged, MessageCreated, TypingStarted),
            *(MembershipChanged, MessageDeleted),
        ]
        assert summary(intake)[1:6] == ["🎉|", "~edited", "|🎉", "🎉|", "+an answer"]
        created = found[0]
        assert isinstance(created, MessageCreated)
        assert created.meta.author is not None
        assert created.meta.author.name == "Anna Petrova"
        assert found[5].meta.thread_id == post
        assert len({one.meta.event_key for one in found}) == 9
        # what comes first is read in its place; nothing else is polled
        assert server.calls.count("GET /channels/{channel}/posts") <= reads + 3


async def test_a_pin_is_no_edit_and_a_new_name_of_a_channel_is_told(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    """The server tells of a pin as of an edit."""
    anna = server.add_user("anna", "Anna")
    async with running(by_socket, intake):
        await connected(server)
        post = server.post(channel, anna, "the plan")
        await intake.wait(1)
        server.pin(post)
        server.rename(channel, anna, "Plaza")
        await intake.wait(2)
        server.edit(post, "the other plan")
        await intake.wait(3)
        server.post(channel, anna, "next")
        await intake.until(lambda: "+next" in summary(intake))
    assert summary(intake) == ["+the plan", "ChatRenamed", "~the other plan", "+next"], "the server's notice of it is no more news"
    (renamed,) = intake.of(ChatRenamed)
    assert (renamed.name, renamed.meta.author and renamed.meta.author.name) == ("Plaza", "Anna")
    assert intake.ignored_reasons["an edit that changes nothing that is shown"] == 1


async def test_what_is_said_while_it_is_broken_comes_from_the_history(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    anna = server.add_user("anna")
    async with running(by_socket, intake):
        await connected(server)
        await server.cut_sockets()
        server.post(channel, anna, "while away")
        await eventually(lambda: summary(intake) == ["+while away"])
        await eventually(lambda: server.sockets, "connected again")
        server.post(channel, anna, "back again")
        await eventually(lambda: summary(intake) == ["+while away", "+back again"])
    assert not intake.notices


async def test_a_frame_that_is_lost_shows_by_its_number(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    anna, other = server.add_user("anna"), server.add_channel("elsewhere")
    async with running(by_socket, intake):
        await connected(server)
        server.dropped_frames = 1
        server.post(channel, anna, "lost on the way")
        server.post(other, anna, "not relayed")
        await eventually(lambda: summary(intake) == ["+lost on the way"])


async def test_what_happens_while_the_socket_begins_is_not_lost(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    """Posts are in the history as well. A reaction, somebody who types, a member: only a frame tells of them."""
    anna, boris = server.add_user("anna"), server.add_user("boris")
    first = server.post(channel, anna, "before all")
    moments: list[str] = []

    def at(moment: str) -> None:
        moments.append(moment)
        if len(moments) > 3:
            return
        server.react(first, anna, {"challenged": "tada", "let in": "eyes", "greeted": "heart"}[moment])
        server.post(channel, anna, moment)
        server.tell("user_added", channel, user_id=boris, team_id="t")

    server.at = at
    async with running(by_socket, intake):
        await eventually(lambda: len(moments) == 3, "the websocket")
        server.post(channel, anna, "afterwards")
        # the post may be read from the history before the frames are
        await eventually(lambda: "+afterwards" in summary(intake) and len(summary(intake)) >= 10)
    assert moments == ["challenged", "let in", "greeted"]
    told = summary(intake)
    assert sorted(one for one in told if "|" in one) == sorted(["🎉|", "👀|", "❤️|"])
    assert [one for one in told if one.startswith("+")] == ["+challenged", "+let in", "+greeted", "+afterwards"]
    assert told.count("MembershipChanged") == 3
    assert len({one.meta.event_key for one in intake.foreign()}) == len(told)


async def test_another_hello_is_another_connection(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    """Its numbers begin anew: what they tell is no repetition, and what was lost between both comes from the history."""
    anna = server.add_user("anna")
    async with running(by_socket, intake):
        await connected(server)
        (socket,) = server.sockets
        post = server.post(channel, anna, "hello")
        server.react(post, anna, "tada")
        await eventually(lambda: summary(intake) == ["+hello", "🎉|"])
        server.dropped_frames = 1
        server.post(channel, anna, "lost on the way")
        server.sockets[socket] = 0
        server.hello(socket)
        server.post(channel, anna, "again")
        server.react(post, anna, "eyes")
        await eventually(lambda: summary(intake)[-1:] == ["👀|"])
    assert summary(intake) == ["+hello", "🎉|", "+lost on the way", "+again", "👀|"]


async def test_a_server_that_talks_and_never_lets_us_in_is_left(
    server: MattermostServer, channel: str, intake: RecordingIntake
) -> None:
    anna = server.add_user("anna")

    def at(moment: str) -> None:
        if moment == "challenged":
            for number in range(300):
                server.tell("typing", channel, user_id=anna, parent_id=str(number))

    server.at = at
    adapter = make_adapter(account_options(server))
    async with running(adapter, intake):
        await eventually(lambda: server.calls.count("socket authentication_challenge") >= 2, "another connection")
        server.post(channel, anna, "read meanwhile")
        await eventually(lambda: "+read meanwhile" in summary(intake))
        assert "TypingStarted" not in summary(intake)
    await adapter.close()


async def test_a_frame_that_is_told_again_is_nothing(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    anna = server.add_user("anna")
    async with running(by_socket, intake):
        await connected(server)
        reads = server.calls.count("GET /channels/{channel}/posts")
        (socket,) = server.sockets
        for _ in range(20):
            server.sockets[socket] = 1
            server.tell("typing", channel, user_id=anna, parent_id="")
        server.post(channel, anna, "after it")
        await eventually(lambda: summary(intake)[-1:] == ["+after it"])
        assert server.calls.count("GET /channels/{channel}/posts") <= reads + 3
    assert len({one.meta.event_key for one in intake.foreign()}) == 2


async def test_a_server_that_throws_us_out_each_time_is_asked_more_and_more_seldom(
    server: MattermostServer, channel: str, intake: RecordingIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Clock(SystemClock):
        """The websocket's waits are none, but for the last."""

        async def sleep(self, seconds: float) -> None:
            task = asyncio.current_task()
            if task is not None and task.get_name().endswith(" websocket"):
                waits.append(seconds)
                seconds = 0.0 if len(waits) < 6 else 3600.0
            await super().sleep(seconds)

    async def thrown_out(*_: object) -> None:
        raise ConnectionLost("websocket: closed (1001)")

    monkeypatch.setattr("adapters.teamspirit.inbound.stream.Stream._follow", thrown_out)
    adapter = make_adapter(account_options(server, **RARELY), clock=Clock())
    async with running(adapter, intake):
        await eventually(lambda: len(waits) == 6, "six connections")
    await adapter.close()
    assert waits == [1, 2, 4, 8, 16, 32]
    assert server.calls.count("socket authentication_challenge") == 6
    assert not intake.notices


async def test_our_own_messages_are_known_as_ours(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    anna = server.add_user("anna")
    async with running(by_socket, intake):
        await connected(server)
        await by_socket.send(outbound(channel, "ours"))
        server.post(channel, anna, "theirs")
        await eventually(lambda: summary(intake) == ["+theirs"])
        assert summary(intake) == ["+theirs"]


async def test_without_a_websocket_chats_are_read(server: MattermostServer, channel: str, intake: RecordingIntake) -> None:
    server.has_socket = False
    anna = server.add_user("anna")
    adapter = make_adapter(account_options(server))
    async with running(adapter, intake):
        server.post(channel, anna, "all the same")
        await eventually(lambda: summary(intake) == ["+all the same"])
        await eventually(lambda: intake.notices, "people are told why")
        assert "websocket cannot be used" in str(intake.notices)
        server.has_socket = True
        await eventually(lambda: server.sockets, "tried again")
    await adapter.close()


async def test_frames_of_no_known_form_cost_themselves(
    server: MattermostServer, by_socket: Adapter, channel: str, intake: RecordingIntake
) -> None:
    anna = server.add_user("anna")
    async with running(by_socket, intake):
        await connected(server)
        (socket,) = server.sockets
        for frame in ("not json", "[1]", "5", json.dumps({"event": "posted", "data": {"post": "{"}}), json.dumps({"event": 7})):
            await socket.send_str(frame)
        server.post(channel, anna, "still here")
        await eventually(lambda: summary(intake) == ["+still here"])
    assert len(intake.undecoded) >= 3


RECORDED_POST = {
    "id": "5greg5b4w3rojmqc188znn8s7c",
    "create_at": 1682311948645,
    "update_at": 1682311952478,
    "edit_at": 1682311952478,
    "delete_at": 0,
    "is_pinned": False,
    "user_id": "cmr7sncacib4xfhd6yo3n4tf5e",
    "channel_id": "1waumyyd6jyczrxntuiopybygy",
    "root_id": "",
    "original_id": "",
    "message": "message edited",
    "type": "",
    "props": {"disable_group_highlight": True},
    "hashtags": "",
    "pending_post_id": "",
    "reply_count": 0,
    "metadata": {},
}
"""Shape and values as a server sent them: gabrc52/mattermost-to-matrix, doc/mattermost_events.md (read 2026-11-26)."""
BROADCAST = {"channel_id": "1waumyyd6jyczrxntuiopybygy", "omit_users": None, "team_id": "", "user_id": ""}
REACTION = {
    "user_id": "cmr7sncacib4xfhd6yo3n4tf5e",
    "post_id": "u4y918f9o3gotgzefgoc1zcj9h",
    "emoji_name": "eyes",
    "create_at": 0,
}


@pytest.mark.parametrize(
    ("frame", "kind", "told"),
    [
        ({"event": "post_edited", "data": {"post": RECORDED_POST}, "seq": 6}, MessageEdited, "message edited"),
        ({"event": "post_deleted", "data": {"post": RECORDED_POST}, "seq": 7}, MessageDeleted, "5greg5b4w3rojmqc188znn8s7c"),
        ({"event": "reaction_removed", "data": {"reaction": REACTION}, "seq": 9}, ReactionsChanged, "👀"),
        ({"event": "typing", "data": {"parent_id": "", "user_id": "cmr7sncacib4xfhd6yo3n4tf5e"}, "seq": 4}, TypingStarted, ""),
    ],
)
def test_recorded_frames(frame: dict[str, Any], kind: type, told: str) -> None:
    dialect = load_dialect("mattermost").dialect
    assert dialect is not None
    decoder = Decoder(dialect, ACCOUNT, is_own=lambda *_: False, chat_id=lambda chat_id, _: chat_id, told_by=dialect.websocket)
    payload = {**frame, "broadcast": BROADCAST, "connection": "c"}
    event = decoder.event(payload, datetime.now(UTC))
    assert isinstance(event, kind)
    assert not isinstance(event, Ignored)
    assert event.meta.origin.chat_id == "1waumyyd6jyczrxntuiopybygy"
    match event:
        case MessageEdited():
            assert text_of(event.content.text) == told
        case MessageDeleted():
            assert event.message_id == told
        case ReactionsChanged():
            assert event.removed == (told,)
    assert not decoder.is_event({"event": "status_change", "data": {"status": "away"}, "seq": 3})
