"""Programs written for matterbridge's API speak with a chat: as mods of game servers, a bot of a mail messenger and a websocket
client do. The shapes are those of elytra/MatterLink (core/.../api), Programie/MatterBukkit (APIClient), deltachat-bot/matterdelta
(api.py), NikkyAI/vs-matterbridge (WebsocketHandler.cs) and UnkwUsr/matterbridge-simplex (main.js), read 2026-11-27."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect

from adapters.common.emulation.contract import Upload
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection
from bridge.policy.access_keys import DEFAULT_API_PER_MINUTE
from bridge.web.new_keys import make_key
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S, eventually, eventually_asked

PROGRAMS = AccountName("programs")


class Joined(World):
    """A chat in Discord, and one in Telegram, each joined with a gateway of the programs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, platforms=("discord", "telegram"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings["web"] = {"public": {"listen": f"127.0.0.1:{self.port}", "url": self.url}}
        self.token = ""

    def document(self) -> dict[str, Any]:
        document = super().document()
        ends = {"gateway1": {}, "second": {"gateway": "the second room"}}
        document["accounts"]["programs"] = {"platform": "webhook", "style": "matterbridge", "ends": ends}
        chats = {name: f"{name}/{chat.address}" for name, chat in self.chats.items()}
        document["routes"] = [
            {"name": "one", "between": ["programs/gateway1", chats["discord"]]},
            {"name": "two", "between": ["programs/second", chats["telegram"]]},
        ]
        return document

    async def key(self, end: str) -> str:
        assert self.app is not None
        stored, secret = make_key(
            ChatAddress(PROGRAMS, end),
            KeyDirection.API,
            now=datetime.now(UTC),
            label="Mod",
            per_minute=DEFAULT_API_PER_MINUTE,
        )
        await self.app.journal.add_key(stored)
        return secret

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Joined]:
    made = Joined(tmp_path)
    await made.start_platforms()
    await made.start_bridge(wait_up=False)
    await made.all_up("discord", "telegram", "programs")
    made.token = await made.key("gateway1")
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as made:
        yield made


@asynccontextmanager
async def stream(world: Joined, client: aiohttp.ClientSession) -> AsyncIterator[aiohttp.StreamReader]:
    async with client.get(f"{world.url}/api/stream", headers=world.headers()) as answer:
        assert answer.status == 200
        yield answer.content


async def line(content: aiohttp.StreamReader) -> dict[str, Any]:
    """The next line, as readers of lines read it."""
    text = await content.readline()
    assert text, "the stream ended"
    return dict(json.loads(text))


async def poll(world: Joined, client: aiohttp.ClientSession) -> list[dict[str, Any]]:
    async with client.get(f"{world.url}/api/messages", headers=world.headers()) as answer:
        assert answer.status == 200, await answer.text()
        return list(await answer.json())


async def polled(world: Joined, client: aiohttp.ClientSession, *wanted: str) -> list[dict[str, Any]]:
    """All that comes until these texts have come."""
    found: list[dict[str, Any]] = []

    async def have_come() -> bool:
        found.extend(await poll(world, client))
        return set(wanted) <= {one["text"] for one in found}

    await eventually_asked(have_come, f"{wanted} of {found}")
    return found


async def post(world: Joined, client: aiohttp.ClientSession, **message: Any) -> dict[str, Any]:
    async with client.post(f"{world.url}/api/message", json=message, headers=world.headers()) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def test_the_mod_of_a_game_server_streams_and_posts(world: Joined, client: aiohttp.ClientSession) -> None:
    await world.say("discord", "before the server ran")
    async with client.get(f"{world.url}/api/health", headers=world.headers()) as answer:
        assert (answer.status, await answer.text()) == (200, "OK")
    await polled(world, client, "before the server ran")  # it clears what was said meanwhile
    async with stream(world, client) as content:
        hello = await line(content)
        assert (hello["event"], hello["gateway"], hello["Extra"]) == ("api_connected", "", None)
        await world.say("discord", "hello, miners")
        told = await line(content)
        account = told.pop("account"), told.pop("protocol")
        assert account == ("discord.discord", "discord")
        assert datetime.fromisoformat(told.pop("timestamp")).tzinfo is not None
        assert told.pop("id")
        assert told.pop("avatar").startswith("http")
        assert told == {
            **{"text": "hello, miners", "channel": "api", "username": "Anna", "userid": "", "event": ""},
            **{"gateway": "gateway1", "parent_id": "", "Extra": {}},
        }
        answer_to_it = await post(
            world, client, username="Steve", text="digging *deep*", gateway="gateway1", timestamp="", userid="u1"
        )
        assert answer_to_it["id"]
        assert {name: answer_to_it[name] for name in ("text", "account", "protocol", "channel", "userid")} == {
            **{"text": "digging *deep*", "account": "api.programs", "protocol": "api", "channel": "api", "userid": "u1"}
        }
        copy = await world.copy("discord", "digging")
        assert copy.author_name == "Steve"
        assert "<em>" not in copy.html
        assert "<i>" not in copy.html
        await post(world, client, username="Steve", text="waves", gateway="gateway1", event="user_action")
        assert (await world.copy("discord", "waves")).html == "<i>waves</i>"
    assert await poll(world, client) == [], "what was streamed is not given twice"


async def test_a_bot_that_asks_again_and_again_misses_nothing_over_a_restart(world: Joined, client: aiohttp.ClientSession) -> None:
    assert await poll(world, client) == []
    original = await world.say("discord", "one")
    (first,) = await polled(world, client, "one")
    await world.stop_bridge()
    await world.start_bridge(wait_up=False)
    await world.all_up("discord", "telegram", "programs")
    await world.say("discord", "two", reply_to=original)
    (second,) = await polled(world, client, "two (re @Anna: one)")
    assert second["parent_id"] == first["id"]
    assert await poll(world, client) == []
    file = {"Name": "map.png", "Data": base64.b64encode(b"\x89PNG\r\n\x1a\n not quite").decode(), "Comment": "the map"}
    await post(world, client, gateway="gateway1", username="Vera", text="look", Extra={"file": [file]})
    copy = await world.copy("discord", "look")
    assert copy.author_name == "Vera"
    assert "the map" in copy.text
    await eventually(lambda: [one for one in world.seen("discord") for file in one.files if file.name == "map.png"])


async def heard(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        return dict(json.loads(await socket.recv()))


async def test_a_websocket_has_every_gateway_of_its_key(world: Joined) -> None:
    world.token = await world.key("*")
    url = f"ws://127.0.0.1:{world.port}/api/websocket"
    async with connect(url, additional_headers=world.headers(), compression=None, proxy=None) as socket:
        assert (await heard(socket))["event"] == "api_connected"
        said = {"channel": "api", "avatar": "", "event": "", "account": "", "protocol": "api", "parent_id": "", "id": ""}
        now = {"timestamp": "2020-12-27T10:15:32.1910495+01:00"}
        await socket.send(json.dumps({"text": "started", "username": "system", "gateway": "the second room", **said, **now}))
        await socket.send("no JSON")
        await socket.send(json.dumps({"text": "joined", "username": "Alex", "gateway": "gateway1", "event": "join_leave"}))
        await world.copy("telegram", "started")
        await world.copy("discord", "joined")
        assert not world.copies("discord", "started")
        await world.say("telegram", "in the second")
        assert ((told := await heard(socket))["gateway"], told["text"]) == ("the second room", "in the second")
        await world.say("discord", "in the first")
        assert ((told := await heard(socket))["gateway"], told["text"]) == ("gateway1", "in the first")
        await world.stop_bridge()
        with pytest.raises(Exception, match="1013"):
            await heard(socket)


async def test_an_edit_is_the_message_once_more_and_a_deletion_an_event(world: Joined, client: aiohttp.ClientSession) -> None:
    discord, chat = world.emulators["discord"], world.chats["discord"].chat_id
    await poll(world, client)
    message = await world.say("discord", "xylophone")
    (first,) = await polled(world, client, "xylophone")
    await discord.edit(chat, message, "glockenspiel")
    (again,) = await polled(world, client, "glockenspiel")
    assert (again["id"], again["event"]) == (first["id"], "")
    await discord.delete(chat, message)
    (gone,) = await polled(world, client, "msg_delete")
    assert (gone["id"], gone["event"]) == (first["id"], "msg_delete")


async def test_who_asks_after_a_deletion_does_not_get_the_words(world: Joined, client: aiohttp.ClientSession) -> None:
    discord, chat = world.emulators["discord"], world.chats["discord"].chat_id
    await poll(world, client)
    unread = await world.say("discord", "xylophone")
    await discord.say(chat, "Boris", "an answer", reply_to=unread)
    await world.say("discord", "a mark")
    world.token, mine = await world.key("gateway1"), world.token
    await polled(world, client, "a mark")  # another program has read it all
    await discord.delete(chat, unread)
    await polled(world, client, "msg_delete")
    world.token = mine
    found = await polled(world, client, "a mark")
    assert "xylophone" not in json.dumps(found)
    assert [(one["text"], one["event"]) for one in found][1:3] == [("an answer", ""), ("a mark", "")]
    assert {one["event"] for one in found} == {"", "msg_delete"}


async def test_a_program_changes_and_takes_back_what_it_posted(world: Joined, client: aiohttp.ClientSession) -> None:
    posted = await post(world, client, text="teh map", username="Steve", gateway="gateway1")
    await world.copy("discord", "teh map")
    changed = await post(world, client, text="the map", username="Steve", gateway="gateway1", id=posted["id"])
    assert changed["id"] == posted["id"]
    await eventually(lambda: [one for one in world.copies("discord", "the map") if one.edited])
    await post(world, client, event="msg_delete", text="msg_delete", gateway="gateway1", id=posted["id"])
    await eventually(lambda: not world.copies("discord", "the map"))
    await post(world, client, text="unknown id", username="Steve", gateway="gateway1", id="42")
    await world.copy("discord", "unknown id")


async def test_a_program_without_a_token_has_the_key_in_its_address(world: Joined, client: aiohttp.ClientSession) -> None:
    base = f"{world.url}/api/{world.token}"
    said = {"text": "hidden", "username": "Sim", "gateway": "gateway1"}
    async with client.post(f"{base}/api/message", json=said) as answer:
        assert answer.status == 200
    assert (await world.copy("discord", "hidden")).author_name == "Sim"
    await world.say("discord", "back")

    async def has_come() -> bool:
        async with client.get(f"{base}/api/messages") as answer:
            return "back" in [one["text"] for one in await answer.json()]

    await eventually_asked(has_come, "back")
    async with client.post(f"{world.url}/api/message", json=said) as answer:
        assert answer.status == 401


async def test_a_program_gets_the_files_of_a_chat(world: Joined, client: aiohttp.ClientSession) -> None:
    """As deltachat-bot/matterdelta reads them: the first file of each message, its bytes in base64."""
    discord, chat = world.emulators["discord"], world.chats["discord"].chat_id
    await poll(world, client)
    files = [Upload(name=f"map{number}.png", mime="image/png", content=b"\x89PNG\r\n\x1a\n" + bytes([number])) for number in (1, 2)]
    message = await discord.say(chat, "Anna", "two maps", files=files)
    found: list[dict[str, Any]] = []

    async def have_come() -> bool:
        found.extend(await poll(world, client))
        return len(found) >= 2

    await eventually_asked(have_come, "two messages")
    first, second = found
    assert first["text"].startswith(f"two maps\n📎 {files[0].name}")
    (one,), (other,) = first["Extra"]["file"], second["Extra"]["file"]
    assert (one["Name"], base64.b64decode(one["Data"])) == (files[0].name, files[0].content)
    assert (other["Name"], base64.b64decode(other["Data"])) == (files[1].name, files[1].content)
    assert one["URL"].startswith(f"{world.url}/files/")
    async with client.get(one["URL"]) as answer:
        assert await answer.read() == files[0].content
    await discord.delete(chat, message)
    await polled(world, client, "msg_delete")
    kept = list(world.folder.rglob("*.sent"))
    await eventually(lambda: not [path for path in kept if path.exists()])


async def test_a_new_name_of_a_chat_has_matterbridges_event(world: Joined, client: aiohttp.ClientSession) -> None:
    world.settings["defaults"] = {**world.settings.get("defaults", {}), "renames": True}
    await world.stop_bridge()
    await world.start_bridge(wait_up=False)
    await world.all_up("discord", "telegram", "programs")
    world.token = await world.key("second")
    await poll(world, client)
    platform: Any = world.emulators["telegram"]
    chat = platform.world.chats[int(world.chats["telegram"].chat_id)]
    platform.world.rename(chat, platform.world.new_person("Boss"), "Miners")
    found: list[dict[str, Any]] = []

    async def has_come() -> bool:
        found.extend(await poll(world, client))
        return bool(found)

    await eventually_asked(has_come, "the new name")
    assert [(one["event"], one["username"]) for one in found] == [("topic_change", "bridge")]
    assert "Miners" in found[0]["text"]
