"""What calls tell beside messages: a person's status that names no chat, and in which chats it is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import web

from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.adapter import Adapter
from bridge.model.events import Status, StatusChanged
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, options_of, running
from tests.adapters.teamspirit.receiver import sign
from tests.support.intake import RecordingIntake

ANNA = {"id": "u-anna", "name": "anna", "display_name": "Anna"}

NOBODY = {"error": {"code": "chat_not_found", "message": "no such member of the chat"}}
"""That a code of it would mean a lost chat elsewhere says nothing here."""


async def call(emulator: TeamSpiritEmulator, event_id: str, *, event: str = "status.changed", **fields: Any) -> int:
    """The server's call, with the key and secret of the registration."""
    (webhook,) = emulator.world.outgoing.webhooks.values()
    said = {"event": event, "time": "2026-11-26T12:00:00Z", "user": ANNA, "event_id": event_id, **fields}
    body = json.dumps(said).encode()
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.post(webhook.url, content=body, headers=sign(body, webhook.key, webhook.secret))).status_code


def told(intake: RecordingIntake) -> list[tuple[str, Status, str]]:
    return [(one.meta.origin.chat_id, one.status, one.text) for one in intake.of(StatusChanged)]


async def test_a_status_without_a_chat_is_told_in_all_relayed_chats(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake
) -> None:
    """The default dialect cannot tell who is in a chat."""
    one, two = emulator.add_chat("one").chat_id, emulator.add_chat("two").chat_id
    emulator.add_chat("not relayed")
    intake.chats.update((one, two))
    async with running(hooked, intake):
        assert await call(emulator, "e1", status={"status": "busy", "text": "in a meeting"}) == 200
        assert sorted(told(intake)) == sorted((chat, Status.BUSY, "in a meeting") for chat in (one, two))
        assert await call(emulator, "e1", status={"status": "busy", "text": "in a meeting"}) == 200
        assert len(intake.events) == 2, "a redelivery is known"
        assert await call(emulator, "e2", chat={"id": two}, status={"status": "away"}) == 200
        assert told(intake)[2:] == [(two, Status.AWAY, "")]
        assert await call(
            emulator, "e3", chat=None, user={**ANNA, "id": emulator.world.state.bot.user_id}, status={"status": "away"}
        )
    assert len(told(intake)) == 3, "our own is no news"
    assert not intake.undecoded


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        ({"status": "online"}, Status.ONLINE, ""),
        ({"status": "DND", "text": "till five"}, Status.BUSY, "till five"),
        ({"status": "do_not_disturb"}, Status.BUSY, ""),
        ({"status": "в отпуске"}, Status.OTHER, "в отпуске"),
        ({"status": "vacation", "text": "till Monday"}, Status.OTHER, "vacation: till Monday"),
        ({"text": "at lunch"}, Status.OTHER, "at lunch"),
        ({"status": 7}, Status.OTHER, "7"),
    ],
)
async def test_a_status_of_any_word_is_told(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, status: dict[str, Any], kind: Status, text: str
) -> None:
    chat = emulator.add_chat("one").chat_id
    intake.chats.add(chat)
    async with running(hooked, intake):
        assert await call(emulator, "e1", status=status) == 200
    assert told(intake) == [(chat, kind, text)]
    assert not intake.undecoded


@pytest.mark.parametrize(
    "fields", [{"status": {}}, {"status": None}, {"status": {"status": "away"}, "user": None}, {"status": [1]}]
)
async def test_a_status_that_says_nothing_is_passed_over(
    emulator: TeamSpiritEmulator, hooked: Adapter, intake: RecordingIntake, fields: dict[str, Any]
) -> None:
    intake.chats.add(emulator.add_chat("one").chat_id)
    async with running(hooked, intake):
        assert await call(emulator, "e1", **fields) == 200
    assert intake.ignored_reasons == {"a status that says nothing, or of nobody": 1}
    assert not intake.undecoded
    assert not intake.events


class Members:
    """Tells who is in which chat, as a dialect may know it. `status`: how it answers instead."""

    def __init__(self) -> None:
        self.url = ""
        self.inside: set[tuple[str, str]] = set()
        self.asked: list[tuple[str, str]] = []
        self.status = 0

    async def answer(self, request: web.Request) -> web.Response:
        one = (request.match_info["chat"], request.match_info["user"])
        self.asked.append(one)
        if self.status:
            return web.Response(status=self.status)
        return web.json_response({"user_id": one[1]}) if one in self.inside else web.json_response(NOBODY, status=404)


@pytest.fixture
async def members() -> AsyncIterator[Members]:
    made = Members()
    app = web.Application()
    app.router.add_get("/members/{chat}/{user}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def knowing(emulator: TeamSpiritEmulator, web: PublicWeb, members: Members) -> AsyncIterator[Adapter]:
    """Its dialect tells who is in a chat."""
    url = members.url + "/members/{{ chat.id }}/{{ user.id }}"
    made = make_adapter(options_of(emulator, overrides={"operations": {"member": {"method": "GET", "url": url}}}), web)
    yield made
    await made.close()


async def test_a_status_without_a_chat_is_told_where_the_person_is(
    emulator: TeamSpiritEmulator, knowing: Adapter, members: Members, intake: RecordingIntake
) -> None:
    one, two = emulator.add_chat("one").chat_id, emulator.add_chat("two").chat_id
    intake.chats.update((one, two))
    members.inside = {(two, "u-anna")}
    async with running(knowing, intake):
        await call(emulator, "e1", status={"status": "busy"})
        assert told(intake) == [(two, Status.BUSY, "")]
        await call(emulator, "e2", status={"status": "away"})
        assert told(intake)[1:] == [(two, Status.AWAY, "")]
        assert len(members.asked) == 2, "what was told is remembered"
        # what the server says of comings and goings counts at once
        await call(emulator, "e3", event="member.joined", chat={"id": one})
        await call(emulator, "e4", event="member.left", chat={"id": two})
        await call(emulator, "e5", status={"status": "online"})
        assert told(intake)[2:] == [(one, Status.ONLINE, "")]
        assert len(members.asked) == 2


async def test_where_nobody_knows_who_is_in_a_chat_a_status_is_not_told_there(
    emulator: TeamSpiritEmulator, knowing: Adapter, members: Members, intake: RecordingIntake
) -> None:
    """Nor is a server in trouble asked about each chat."""
    intake.chats.update(emulator.add_chat(f"chat-{number}").chat_id for number in range(20))
    members.status = 503
    async with running(knowing, intake):
        assert await call(emulator, "e1", status={"status": "busy"}) == 200
        assert await call(emulator, "e2", status={"status": "away"}) == 200
    assert not told(intake)
    assert len(members.asked) == 1
