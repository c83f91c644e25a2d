"""The rocketchat dialect against a small Rocket.Chat, which rocketchat-api takes for one too."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web as http
from rocketchat_API.rocketchat import RocketChat  # type: ignore[import-untyped]

from bridge.model.adapter import Outbound, Reply, Sender
from bridge.model.capabilities import Feature
from bridge.model.dialects import StepState
from bridge.model.errors import AccountDown, RetryLater
from bridge.model.events import MessageCreated
from bridge.model.rich_text import plain, text_of
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import make_adapter, running, summary
from tests.adapters.teamspirit.trial.conftest import context_of, steps_of
from tests.support.intake import RecordingIntake
from tests.support.patience import eventually

TOKEN, USER = "rc-personal-access-token", "rocketbot17chars0"
Json = dict[str, Any]


class RocketChatServer:
    """Shapes of developer.rocket.chat: what is refused is `{"success": false, "error", "errorType"}`."""

    def __init__(self) -> None:
        self.url = ""
        self.messages: dict[str, Json] = {}
        self.reactions: list[tuple[str, str, bool]] = []
        self.status: Json = {}
        self.limited_for_s = 0.0
        """Calls are refused, as by enforceRateLimit of apps/meteor/app/api/server/ApiClass.ts."""
        self.rooms: dict[str, Json] = {"GENERAL": {"_id": "GENERAL", "t": "c", "name": "general", "fname": "General"}}
        self.histories: list[tuple[str, str]] = []
        """(path, room)"""
        self._ids = itertools.count(1)
        self._runner: http.AppRunner | None = None

    async def start(self) -> None:
        app = http.Application()
        table: list[tuple[str, str, Callable[[http.Request], Awaitable[Json]]]] = [
            ("GET", "me", self._me),
            ("GET", "rooms.get", self._rooms),
            ("GET", "users.info", self._user),
            ("GET", "users.autocomplete", self._autocomplete),
            ("POST", "chat.postMessage", self._post),
            ("POST", "chat.update", self._update),
            ("POST", "chat.delete", self._delete),
            ("POST", "chat.react", self._react),
            ("POST", "users.setStatus", self._set_status),
            ("POST", "channels.rename", self._rename),
            ("POST", "groups.rename", self._rename),
            ("GET", "channels.history", self._history),
            ("GET", "groups.history", self._history),
            ("GET", "im.history", self._history),
        ]
        for method, name, handler in table:
            app.router.add_route(method, f"/api/v1/{name}", self._wrapped(handler))
        self._runner = http.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await http.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _wrapped(self, handler: Callable[[http.Request], Awaitable[Json]]) -> Any:
        async def wrapped(request: http.Request) -> http.StreamResponse:
            if (request.headers.get("X-Auth-Token"), request.headers.get("X-User-Id")) != (TOKEN, USER):
                return http.json_response({"status": "error", "message": "You must be logged in to do this."}, status=401)
            if self.limited_for_s:
                moment_ms = round((datetime.now(UTC).timestamp() + self.limited_for_s) * 1000)
                headers = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(moment_ms)}
                error = {"success": False, "error": "Error, too many requests. Please slow down. [error-too-many-requests]"}
                return http.json_response(error, status=429, headers=headers)
            try:
                return http.json_response({**await handler(request), "success": True})
            except KeyError:
                error = {"success": False, "error": "Invalid message [error-invalid-message]", "errorType": "error-invalid-message"}
                return http.json_response(error, status=400)

        return wrapped

    async def _me(self, _: http.Request) -> Json:
        return {"_id": USER, "username": "mostik", "name": "Mostik", "status": "online", "roles": ["bot"]}

    async def _rooms(self, _: http.Request) -> Json:
        """With the kind of each room (`t`: c, p, d) and when its latest message was sent (`lm`): apps/meteor/app/api/server/v1/
        rooms.ts, packages/core-typings/src/IRoom.ts."""
        return {"update": list(self.rooms.values()), "remove": []}

    def add_room(self, room: str, kind: str) -> str:
        named = {} if kind == "d" else {"name": room, "fname": room.title()}
        self.rooms[room] = {"_id": room, "t": kind, "usersCount": 2, **named}
        return room

    async def _user(self, request: http.Request) -> Json:
        assert request.query["userId"]
        return {"user": {"_id": request.query["userId"], "username": "anna", "name": "Anna Petrova", "roles": ["user"]}}

    async def _autocomplete(self, request: http.Request) -> Json:
        """`selector` is JSON within the query: apps/meteor/app/api/server/v1/users.ts."""
        term = json.loads(request.query["selector"])["term"].lower()
        people = [("u-anna", "anna", "Anna Petrova"), (USER, "mostik", "Mostik")]
        found = [one for one in people if one[1].startswith(term) or one[2].lower().startswith(term)]
        return {"items": [{"_id": one[0], "username": one[1], "name": one[2], "status": "online"} for one in found]}

    async def _post(self, request: http.Request) -> Json:
        body = await request.json()
        room = body.get("roomId") or {"general": "GENERAL"}[body["channel"]]
        assert room in self.rooms
        message: Json = {"_id": f"m{next(self._ids)}", "rid": room, "msg": body["text"], "ts": iso(datetime.now(UTC))}
        message["u"] = {"_id": USER, "username": "mostik"}
        self.messages[str(message["_id"])] = {
            **message,
            **{name: body[name] for name in ("alias", "avatar", "tmid") if name in body},
        }
        return {"ts": 1481748965123, "channel": "general", "message": self.messages[str(message["_id"])]}

    async def _rename(self, request: http.Request) -> Json:
        """Names of letters, figures, `-`, `_` and `.`, unless the admin allows others: UTF8_Channel_Names_Validation."""
        body, kind = await request.json(), request.path.rpartition("/")[2].partition(".")[0]
        room = self.rooms[body["roomId"]]
        assert kind == {"c": "channels", "p": "groups"}[room["t"]]
        if not re.fullmatch(r"[0-9a-zA-Z\-_.]+", body["name"]):
            raise KeyError("error-invalid-room-name")
        room["name"] = body["name"]
        return {kind.removesuffix("s"): room}

    async def _history(self, request: http.Request) -> Json:
        """Newest first; those before `latest`, without it. Of rooms of another kind there is none: channels.ts and groups.ts of
        apps/meteor/app/api/server/v1."""
        path, room = request.path.rpartition("/")[2], request.query["roomId"]
        self.histories.append((path, room))
        if path != {"c": "channels", "p": "groups", "d": "im"}[self.rooms[room]["t"]] + ".history":
            raise KeyError("error-room-not-found")
        latest = request.query.get("latest", "9")
        found = [one for one in self.messages.values() if str(one["ts"]) < latest and one["rid"] == room]
        return {"messages": sorted(found, key=lambda one: str(one["ts"]), reverse=True)[: int(request.query.get("count", 20))]}

    def say(self, text: str, room: str = "GENERAL", **more: Any) -> str:
        """As a person does."""
        moment = datetime.now(UTC) + timedelta(seconds=1, milliseconds=next(self._ids))
        message_id = f"p{next(self._ids)}"
        self.messages[message_id] = {
            **{"_id": message_id, "rid": room, "msg": text, "ts": iso(moment), "_updatedAt": iso(moment)},
            **{"u": {"_id": "u-anna", "username": "anna", "name": "Anna Petrova"}, "urls": [], "mentions": [], "channels": []},
            **more,
        }
        self.rooms[room]["lm"] = iso(moment)
        return message_id

    async def _update(self, request: http.Request) -> Json:
        body = await request.json()
        self.messages[body["msgId"]] |= {"msg": body["text"], "editedAt": iso(datetime.now(UTC))}
        return {"message": self.messages[body["msgId"]]}

    async def _delete(self, request: http.Request) -> Json:
        body = await request.json()
        del self.messages[body["msgId"]]
        return {"_id": body["msgId"], "ts": 1481748965123}

    async def _react(self, request: http.Request) -> Json:
        body = await request.json()
        assert body["messageId"] in self.messages
        self.reactions.append((body["messageId"], body["emoji"], body.get("shouldReact", True)))
        return {}

    async def _set_status(self, request: http.Request) -> Json:
        self.status = await request.json()
        assert self.status["status"] in ("online", "away", "busy", "offline")
        return {}


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@pytest.fixture
async def rocket() -> AsyncIterator[RocketChatServer]:
    server = RocketChatServer()
    await server.start()
    yield server
    await server.stop()


def options(server: RocketChatServer, **more: Any) -> Json:
    webhook = {"path": "a-path-hard-to-guess", "key": "outgoing-token"}
    return {
        "dialect": "rocketchat",
        "server": server.url,
        "api_key": TOKEN,
        "variables": {"user_id": USER},
        "webhook": webhook,
        **more,
    }


async def test_rocketchat_api_takes_the_server_for_rocket_chat(rocket: RocketChatServer) -> None:
    def use() -> None:
        client = RocketChat(auth_token=TOKEN, user_id=USER, server_url=rocket.url)
        assert client.me()["username"] == "mostik"
        posted = client.chat_post_message("hello", channel="general", alias="Anna")["message"]
        assert (posted["msg"], posted["alias"]) == ("hello", "Anna")
        client.chat_update(room_id="GENERAL", msg_id=posted["_id"], text="edited")
        client.chat_react(msg_id=posted["_id"], emoji=":tada:")
        client.chat_delete(room_id="GENERAL", msg_id=posted["_id"])

    await asyncio.to_thread(use)
    assert not rocket.messages


async def test_rocketchat_api_reads_the_history_of_the_server(rocket: RocketChatServer) -> None:
    rocket.say("first")
    rocket.say("second")
    rocket.say("in the group", rocket.add_room("G1", "p"))
    rocket.say("in private", rocket.add_room("D1", "d"))

    def use() -> None:
        client = RocketChat(auth_token=TOKEN, user_id=USER, server_url=rocket.url)
        newest, oldest = client.channels_history("GENERAL", count=10)
        assert (newest["msg"], oldest["msg"]) == ("second", "first")
        (older,) = client.channels_history("GENERAL", count=10, latest=newest["ts"])
        assert older["_id"] == oldest["_id"]
        kinds = {room["_id"]: room["t"] for room in client.rooms_get()["update"]}
        assert kinds == {"GENERAL": "c", "G1": "p", "D1": "d"}
        assert [one["msg"] for one in client.groups_history("G1")] == ["in the group"]
        assert [one["msg"] for one in client.call_api_get("im.history", roomId="D1")["messages"]] == ["in private"]

    await asyncio.to_thread(use)


QUICK = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05, "webhook": None}


async def test_the_history_of_rooms_of_all_kinds_is_read_page_by_page(rocket: RocketChatServer, intake: RecordingIntake) -> None:
    group, direct = rocket.add_room("G1", "p"), rocket.add_room("D1", "d")
    intake.chats |= {"GENERAL", group, direct}
    given = options(rocket, **QUICK)
    adapter = make_adapter(given)
    async with running(adapter, intake):
        message = rocket.say("hello :tada:")
        await eventually(lambda: summary(intake) == ["+hello 🎉"])
        (created,) = intake.of(MessageCreated)
        assert created.meta.author is not None
        assert (created.meta.author.name, created.meta.author.username) == ("Anna Petrova", "anna")
        rocket.say("below", tmid=message)
        rocket.say("anna", t="uj")
        rocket.say("", attachments=[{"title": "Build 7", "text": "passed"}], alias="CI", bot={"i": "hook"})
        rocket.say("", file={"_id": "f", "name": "plan.pdf"}, attachments=[{"title": "plan.pdf", "title_link_download": True}])
        await eventually(lambda: len(intake.of(MessageCreated)) == 4)
        _, below, card, file = intake.of(MessageCreated)
        assert below.meta.thread_id == message
        assert "Build 7" in text_of(card.content.text)
        assert "plan.pdf" in text_of(file.content.text)
        rocket.messages[message] |= {"msg": "changed", "editedAt": iso(datetime.now(UTC))}
        await eventually(lambda: summary(intake)[-1] == "~changed")
        del rocket.messages[message]
        await eventually(lambda: summary(intake)[-1] == "-")
        rocket.say("in the group", group)
        rocket.say("in private", direct)
        await eventually(lambda: {"+in the group", "+in private"} <= set(summary(intake)))
    await adapter.close()
    before = len(summary(intake))
    for number in range(120):
        rocket.say(f"while away {number}", group)
    again = make_adapter(given)
    async with running(again, intake):
        await eventually(lambda: len(summary(intake)) == before + 120)
    assert summary(intake)[before:] == [f"+while away {number}" for number in range(120)]
    assert not intake.gaps
    assert set(rocket.histories) == {("channels.history", "GENERAL"), ("groups.history", group), ("im.history", direct)}
    await again.close()


async def test_a_room_that_the_server_does_not_list_is_told(rocket: RocketChatServer, intake: RecordingIntake) -> None:
    """Its kind is not known, so nobody knows how its history is asked for."""
    intake.chats.add("GONE")
    adapter = make_adapter(options(rocket, **QUICK))
    async with running(adapter, intake):
        await intake.until(lambda: "does not list the chat GONE" in " ".join(intake.noticed()))
        rocket.add_room("GONE", "p")
    await adapter.close()
    assert not rocket.histories


async def test_commands_in_private_are_heard(rocket: RocketChatServer, intake: RecordingIntake) -> None:
    """Of one person and the bot: a direct message room of three is none."""
    direct, three = rocket.add_room("D1", "d"), rocket.add_room("D3", "d")
    rocket.rooms[three]["usersCount"] = 3
    intake.hears = True
    adapter = make_adapter(options(rocket, **QUICK))
    async with running(adapter, intake):
        await intake.until(lambda: "direct" in intake.cursors)
        rocket.say("!bridge help", three)
        rocket.say("!bridge help", direct)
        await intake.wait(1)
    await adapter.close()
    assert [event.meta.origin.chat_id for event in intake.foreign()] == [direct]


async def test_every_operation_of_the_dialect_works(rocket: RocketChatServer) -> None:
    steps = await steps_of(context_of(options(rocket)), "general")
    assert [steps.pop(name).state for name in ("webhook_send", "rename_chat")] == [StepState.SKIPPED] * 2
    assert {step.state for step in steps.values()} == {StepState.OK}, [step for step in steps.values() if step.complaints]
    reading = {"me", "chats", "direct_chats", "users", "find_users", "history"}
    assert set(steps) == reading | {"send", "edit", "react", "unreact", "set_status", "delete"}
    assert not rocket.messages
    assert [(emoji, wanted) for _, emoji, wanted in rocket.reactions] == [(":+1:", True), (":+1:", False)]


async def test_sending_under_another_name_into_a_thread(rocket: RocketChatServer) -> None:
    adapter = make_adapter(options(rocket))
    outbound = Outbound(
        token="t-1",
        attempt=1,
        chat_id="GENERAL",
        text=plain("me"),
        sender=Sender(name="Пётр", avatar_url="https://example.com/p.png"),
        reply=Reply(message_id="m0", author_name="anna", excerpt="who"),
    )
    receipt = await adapter.send(outbound)
    posted = rocket.messages[receipt.message_ids[0]]
    assert (posted["msg"], posted["alias"], posted["avatar"], posted["tmid"]) == ("me", "Пётр", "https://example.com/p.png", "m0")
    assert adapter.capabilities.native(Feature.SENDER_NAME)
    assert not adapter.capabilities.native(Feature.PHOTO)
    await adapter.close()


async def test_a_rate_limit_says_how_long_by_a_moment_in_milliseconds(rocket: RocketChatServer) -> None:
    adapter = make_adapter(options(rocket))
    rocket.limited_for_s = 40.0
    with pytest.raises(RetryLater) as caught:
        await adapter.send(Outbound(token="t-1", attempt=1, chat_id="GENERAL", text=plain("me")))
    assert caught.value.rate_limited
    assert caught.value.after_s == pytest.approx(40, abs=2)
    assert not rocket.messages
    await adapter.close()


async def test_calls_of_the_outgoing_webhook(rocket: RocketChatServer, web: PublicWeb, intake: RecordingIntake) -> None:
    intake.chats.add("GENERAL")
    adapter = make_adapter(options(rocket), web)
    async with running(adapter, intake), aiohttp.ClientSession() as session:
        url = f"{web.public_url}/hooks/spirit/a-path-hard-to-guess"
        call = {
            **{"token": "outgoing-token", "bot": False, "channel_id": "GENERAL", "channel_name": "general", "message_id": "p1"},
            **{"timestamp": "2026-11-26T10:00:00.000Z", "user_id": "u1", "user_name": "anna", "text": "hello :tada:"},
            **{"siteUrl": "https://chat.example.com"},
        }
        async with session.post(url, json={**call, "token": "another"}) as answer:
            assert answer.status == 401
        for one in (
            call,
            {**call, "text": "edited", "isEdited": True},
            {**call, "message_id": "p2", "text": "below", "tmid": "p1"},
        ):
            async with session.post(url, json=one) as answer:
                assert answer.status == 200, await answer.text()
        await eventually(lambda: summary(intake) == ["+hello 🎉", "~edited", "+below"])
        assert [event.meta.thread_id for event in intake.foreign()] == [None, None, "p1"]
    await adapter.close()


async def test_a_wrong_user_id_is_the_account_s_trouble(rocket: RocketChatServer, web: PublicWeb, intake: RecordingIntake) -> None:
    adapter = make_adapter(options(rocket, variables={"user_id": "another"}), web)
    async with running(adapter, intake) as run:
        assert isinstance(await run.error(), AccountDown)
    await adapter.close()
