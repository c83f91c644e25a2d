"""Servers of other messengers that a dialect of TeamSpirit's adapter speaks to: how their payloads get onto the wire.

Each stands for one messenger with one chat. `account` is its account in bridge.yaml, `chat` the end's address, `origin` what plays
a case. Used by `playing`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from datetime import datetime
from typing import Any, Protocol

import aiohttp

from tests.adapters.teamspirit.mattermost_server import TOKEN as MATTERMOST_TOKEN
from tests.adapters.teamspirit.mattermost_server import MattermostServer
from tests.adapters.teamspirit.pachca_server import TOKEN as PACHCA_TOKEN
from tests.adapters.teamspirit.pachca_server import PachcaServer
from tests.adapters.teamspirit.test_adapter_rocketchat import TOKEN as ROCKETCHAT_TOKEN
from tests.adapters.teamspirit.test_adapter_rocketchat import USER as ROCKETCHAT_USER
from tests.adapters.teamspirit.test_adapter_rocketchat import RocketChatServer
from tests.corpus.case import Case
from tests.corpus.origins import Json, Origin, content, fresh, own_ids
from tests.flows.world import World
from tests.support.patience import eventually

PATH, KEY, SECRET = "a-path-hard-to-guess", "outgoing-token", "signing-secret"
_POST_IDS = re.compile(r"(\bpost-?)(\d{4,})")
_FAST = {"poll_interval_s": 0.05, "poll_idle_interval_s": 0.05}
_RARELY = {"poll_interval_s": 3600.0, "poll_idle_interval_s": 3600.0}
_IN_A_STRING = ("post", "reaction")
"""What a frame of Mattermost's has as JSON within a string."""


class DialectServer(Protocol):
    @property
    def url(self) -> str: ...

    @property
    def chat(self) -> str: ...

    def account(self) -> Json: ...

    def origin(self, case: Case, world: World, now: datetime) -> Origin: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def server_of(origin: str) -> DialectServer | None:
    kinds: dict[str, type[DialectServer]] = {"mattermost": Mattermost, "pachca": Pachca, "rocketchat": RocketChat}
    return kinds[origin]() if origin in kinds else None


class Mattermost:
    """A payload is a post as the REST API tells it, or a frame of the websocket. The channel is `channel-0001`, the author
    `user-0001` (Kim Lee)."""

    def __init__(self) -> None:
        self.server = MattermostServer()

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def chat(self) -> str:
        (channel,) = self.server.channels
        return channel

    def account(self) -> Json:
        return {"dialect": "mattermost", "server": self.url, "api_key": MATTERMOST_TOKEN, **_FAST}

    async def start(self) -> None:
        await self.server.start()
        self.server.add_channel("lobby")
        self.kim = self.server.add_user("kim", "Kim", "Lee")
        self.zoe = self.server.add_user("zoe", "Zoe")

    async def stop(self) -> None:
        await self.server.stop()

    def origin(self, case: Case, world: World, now: datetime) -> Origin:
        return _MattermostPosts(case, self, now)


class _MattermostPosts:
    def __init__(self, case: Case, stand_in: Mattermost, now: datetime) -> None:
        self.case = case
        self.server = stand_in.server
        self.zoe = stand_in.zoe
        self.ids = {"channel-0001": stand_in.chat, "user-0001": stand_in.kim}
        self.chat = stand_in.chat
        self.now = now

    def is_change(self, payload: Json) -> bool:
        return bool("event" in payload or payload.get("edit_at") or payload.get("delete_at"))

    async def deliver(self, payload: Json) -> None:
        made = fresh(own_ids(payload, _POST_IDS, self.case), self.ids, self.now)
        if "event" in made:
            data = {name: json.dumps(told) if name in _IN_A_STRING else told for name, told in made["data"].items()}
            self.server.tell(made["event"], self.chat, **data)
            return
        # what is older than what was read last is no news
        made["update_at"] = now_ms = self.server.now_ms()
        before = self.server.posts.get(made["id"])
        made["create_at"] = before["create_at"] if before else now_ms
        made |= {"edit_at": now_ms} if made.get("edit_at") else {}
        for told in (made.get("metadata") or {}).get("files") or ():
            if told["id"] not in self.case.missing:
                self.server.files[told["id"]] = (told, content(told["mime_type"], told["size"]))
        self.server.posts[made["id"]] = made

    async def say(self, text: str) -> None:
        self.server.post(self.chat, self.zoe, text)


class _Calls:
    """Payloads are bodies of an outgoing webhook's calls."""

    def __init__(self, case: Case, world: World, now: datetime) -> None:
        self.case = case
        self.world = world
        self.now = now

    async def _call(self, body: bytes, headers: dict[str, str]) -> None:
        assert self.world.app is not None
        url = f"http://127.0.0.1:{self.world.app.public_port}/hooks/{self.case.origin}/{PATH}"
        async with (
            aiohttp.ClientSession() as client,
            client.post(url, data=body, headers={"Content-Type": "application/json", **headers}) as answer,
        ):
            assert answer.status < 300, f"{self.case.name}: answered {answer.status}: {await answer.text()}"


class Pachca:
    """The chat is `chat-0001`; `user-0001` is Kim Lee, `user-0002` Anna Petrova."""

    def __init__(self) -> None:
        self.server = PachcaServer()

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def chat(self) -> str:
        (chat,) = self.server.chats
        return str(chat)

    def account(self) -> Json:
        webhook = {"path": PATH, "secret": SECRET}
        return {"dialect": "pachca", "server": self.url, "api_key": PACHCA_TOKEN, "webhook": webhook, **_RARELY}

    async def start(self) -> None:
        await self.server.start()
        self.server.add_chat("lobby")
        self.kim = self.server.add_user("kim", first="Kim", last="Lee")
        self.anna = self.server.add_user("anna", first="Anna", last="Petrova")
        self.zoe = self.server.add_user("zoe", first="Zoe")

    async def stop(self) -> None:
        await self.server.stop()

    def origin(self, case: Case, world: World, now: datetime) -> Origin:
        return _PachcaCalls(case, world, now, self)


class _PachcaCalls(_Calls):
    def __init__(self, case: Case, world: World, now: datetime, stand_in: Pachca) -> None:
        super().__init__(case, world, now)
        self.stand_in = stand_in
        self.server = stand_in.server
        people = {'"user-0001"': str(stand_in.kim), '"user-0002"': str(stand_in.anna)}
        self.ids = {'"chat-0001"': stand_in.chat, **people}

    def is_change(self, payload: Json) -> bool:
        return (payload["type"], payload["event"]) != ("message", "new")

    async def deliver(self, payload: Json) -> None:
        made = fresh(payload, self.ids, self.now)
        made["webhook_timestamp"] = int(time.time())
        self._keep(made)
        body = json.dumps(made).encode()
        await self._call(body, {"Pachca-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()})

    def _keep(self, made: Json) -> None:
        """The API tells the same as the call."""
        if made["type"] != "message" or made.get("entity_type") != "discussion":
            return
        match made["event"]:
            case "new":
                number = self.server.say(int(self.stand_in.chat), made["user_id"], made["content"])
                kept = self.server.messages.pop(number)
                self.server.messages[made["id"]] = kept | {"id": made["id"], "parent_message_id": made["parent_message_id"]}
            case "update":
                self.server.edit(made["id"], made["content"])
            case "delete":
                del self.server.messages[made["id"]]

    async def say(self, text: str) -> None:
        number = self.server.say(int(self.stand_in.chat), self.stand_in.zoe, text)
        told = self.server.messages[number]
        fields = (
            "id",
            "entity_type",
            "entity_id",
            "chat_id",
            "content",
            "user_id",
            "created_at",
            "url",
            "parent_message_id",
            "thread",
        )
        await self.deliver_as_it_is({"type": "message", "event": "new", **{name: told[name] for name in fields}})

    async def deliver_as_it_is(self, call: Json) -> None:
        body = json.dumps({**call, "webhook_timestamp": int(time.time())}).encode()
        await self._call(body, {"Pachca-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()})


class RocketChat:
    """The room is `GENERAL`. A payload with an `_id` is an item of the room's history, any other a call of the outgoing webhook."""

    chat = "general"

    def __init__(self) -> None:
        self.server = RocketChatServer()

    @property
    def url(self) -> str:
        return self.server.url

    def account(self) -> Json:
        given: dict[str, Any] = {"variables": {"user_id": ROCKETCHAT_USER}, "webhook": {"path": PATH, "key": KEY}}
        return {"dialect": "rocketchat", "server": self.url, "api_key": ROCKETCHAT_TOKEN, **given, **_FAST}

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    def origin(self, case: Case, world: World, now: datetime) -> Origin:
        return _RocketChatCalls(case, world, now, self.server)


class _RocketChatCalls(_Calls):
    def __init__(self, case: Case, world: World, now: datetime, server: RocketChatServer) -> None:
        super().__init__(case, world, now)
        self.server = server

    def is_change(self, payload: Json) -> bool:
        return bool(payload.get("isEdited"))

    async def deliver(self, payload: Json) -> None:
        made = fresh(payload, {}, self.now)
        if "_id" not in made:
            await self._tell(made)
            return
        kept = self.server.messages.pop(self.server.say(made.get("msg", "")))  # its times are of now
        self.server.messages[made["_id"]] = kept | made | {name: kept[name] for name in ("ts", "_updatedAt", "rid")}
        reads = len(self.server.histories)
        await eventually(lambda: len(self.server.histories) >= reads + 2, what="a read that begins afterwards is over")

    async def _tell(self, call: Json) -> None:
        """The history does not have it: what would come twice comes of the call."""
        await self._call(json.dumps(call).encode(), {})

    async def say(self, text: str) -> None:
        zoe: Json = {"user_id": "u-zoe", "user_name": "Zoe", "message_id": f"zoe-{time.monotonic_ns()}", "text": text, "bot": False}
        place: Json = {"token": KEY, "channel_id": "GENERAL", "channel_name": "general"}
        await self._tell({**place, **zoe, "timestamp": datetime.now(self.now.tzinfo).isoformat()})
