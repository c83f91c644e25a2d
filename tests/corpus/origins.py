"""How each platform's payloads get onto the wire of its stand-in server, so that the real adapter receives them.

What is written in a case stands for something of the running server: the ids of the chat and of people, and times around
2026-11-26 05:07 UTC, which become now. Files that a payload tells of are put on the server, with the size it tells.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiohttp

from adapters.discord.emulator.gateway import GUILD_MESSAGE_REACTIONS, GUILD_MESSAGES, RECONNECT
from adapters.discord.emulator.records import Author, Message, StoredAttachment
from adapters.slack.emulator.blobs import Blob
from adapters.slack.emulator.records import SlackFile
from adapters.telegram.emulator.records import StoredFile
from bridge.model.refs import AccountName, ChatAddress
from bridge.model.web_mount import KeyDirection
from bridge.web.new_keys import make_key
from tests.corpus.case import Case
from tests.flows.world import World
from tests.support.patience import eventually

Json = dict[str, Any]

MOMENT = datetime(2026, 11, 26, 5, 7, 23, tzinfo=UTC)
"""When everything in the corpus happens."""
PEOPLE = {"U0PERSON01": "Kim Lee", "U0PERSON02": "Anna Petrova"}
"""Slack tells ids alone; these are known to the workspace."""
ENDS = "Zoe"
"""Who says that a step is over."""
_CURL = "application/x-www-form-urlencoded"
"""What `curl -d` calls whatever it sends."""
_UNIX = re.compile(r"\b(179[56]\d{6})(?=(\d{3})?\b)")
_ISO = re.compile(r"2026-11-26T\d\d:\d\d:\d\d")
_TEAMSPIRIT_IDS = re.compile(r'("[em]-)(\d{4})')
_PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000400000003008020000007d0d2a5b")
_MOST_BYTES = 2_000_000
_DEFAULT_BYTES = 64


def sender_of(case: Case) -> str:
    """The end that a case's webhooks are posted to; what `ENDS` says comes by another."""
    return f"sender-{case.path.stem}"


class Origin(Protocol):
    """`deliver` puts one payload on the wire. `is_change`: it concerns an earlier one, which must have arrived everywhere."""

    async def deliver(self, payload: Json) -> None: ...

    def is_change(self, payload: Json) -> bool: ...

    async def say(self, text: str) -> None: ...


def origin_of(case: Case, world: World, now: datetime) -> Origin:
    """`now`: what the moment of the payloads stands for; the same for all cases of a world, so that times that differ still do."""
    kinds: dict[str, Callable[[Case, World, datetime], Origin]] = {
        "telegram": Telegram,
        "slack": Slack,
        "discord": Discord,
        "teamspirit": TeamSpirit,
        "webhook": Webhook,
    }
    return kinds[case.origin](case, world, now)


# -- what stands for what ---------------------------------------------------------------------------------------------------


def fresh(payload: Json, ids: Mapping[str, str], now: datetime) -> Json:
    """The payload with the ids of the running server and with times of now."""
    shift = timedelta(seconds=int((now - MOMENT).total_seconds()))
    text = json.dumps(payload, ensure_ascii=False)
    text = _UNIX.sub(lambda found: str(int(found[1]) + int(shift.total_seconds())), text)
    text = _ISO.sub(lambda found: (datetime.fromisoformat(found[0]) + shift).isoformat(), text)
    for written, real in ids.items():
        text = text.replace(written, real)
    made: Json = json.loads(text)
    return made


def own_ids(payload: Json, ids: re.Pattern[str], case: Case) -> Json:
    """The payload with ids that no other case has, where several cases use the same: the pattern's last group is their end."""
    text = json.dumps(payload, ensure_ascii=False)
    made: Json = json.loads(ids.sub(lambda found: f"{found[1]}{own_part(case)}{found[2]}", text))
    return made


def own_part(case: Case) -> str:
    """What `own_ids` puts into ids."""
    return f"{case.path.stem}-"


def objects(payload: Any) -> Iterator[Json]:
    """Every object of a payload, outer ones first."""
    if isinstance(payload, dict):
        yield payload
    for inner in payload.values() if isinstance(payload, dict) else payload if isinstance(payload, list) else ():
        yield from objects(inner)


def content(mime: str, size_bytes: Any) -> bytes:
    """Some bytes of that size; of a picture with its header."""
    size = size_bytes if isinstance(size_bytes, int) and 0 <= size_bytes <= _MOST_BYTES else _DEFAULT_BYTES
    return (_PICTURE if mime.startswith("image/") else b"").ljust(size, b".")[:size]


class _Emulated:
    def __init__(self, case: Case, world: World, now: datetime) -> None:
        self.case = case
        self.world = world
        self.emulator: Any = world.emulators[case.origin]
        self.chat = world.chats[case.origin].chat_id
        self.now = now

    async def say(self, text: str) -> None:
        await self.world.say(self.case.origin, text, person=ENDS)


# -- the platforms ----------------------------------------------------------------------------------------------------------


class Telegram(_Emulated):
    """A payload is an Update without its `update_id`. The chat is -1001234567890."""

    def is_change(self, payload: Json) -> bool:
        return "message" not in payload or any("forum_topic" in field for field in payload["message"])

    async def deliver(self, payload: Json) -> None:
        made = fresh(payload, {"-1001234567890": self.chat}, self.now)
        for each in objects(made):
            if "file_id" in each and each["file_id"] not in self.case.missing:
                each["file_id"] = f"{self.case.path.stem}-{each['file_id']}"
                self._keep(each)
        (queue,) = self.emulator.world.queues.values()
        queue.push_raw(made)

    def _keep(self, told: Json) -> None:
        mime = str(told.get("mime_type") or ("image/jpeg" if "width" in told and "duration" not in told else ""))
        body = content(mime, told.get("file_size"))
        self.emulator.world.files.register(
            StoredFile(
                file_id=str(told["file_id"]),
                unique_id=str(told.get("file_unique_id", "")),
                name=str(told.get("file_name") or "file"),
                mime=mime,
                size_bytes=len(body),
                sha256=hashlib.sha256(body).hexdigest(),
                content=body,
            )
        )


class Slack(_Emulated):
    """A payload is the `event` of an Events API envelope. The channel is C0000000001."""

    told_of_the_app = False
    """Whether the payload before was of the app itself: the account may have to connect again."""

    def is_change(self, payload: Json) -> bool:
        is_message = payload["type"] == "message"
        return self.told_of_the_app or not is_message or payload.get("subtype") in ("message_changed", "message_deleted")

    async def deliver(self, payload: Json) -> None:
        people = {written: self.emulator.add_person(name) for written, name in PEOPLE.items()}
        files = {"https://files.slack.com/files-pri/T0TEAM001-": f"{self.emulator.base_url}/files-pri/T0TEAM001-"}
        made = fresh(payload, {"C0000000001": self.chat, **people, **files}, self.now)
        for each in objects(made):
            if "url_private" in each and "mimetype" in each and each["id"] not in self.case.missing:
                self._keep(each)
        self.told_of_the_app = made["type"] in ("tokens_revoked", "app_uninstalled")
        if self.told_of_the_app:
            self.emulator.deliveries.retry_delays_s = (0.0, 1.0, 1.0, 1.0)  # of what was said while nobody was connected
        self.emulator.deliveries.emit(made)
        # Slack promises no order for events that arrive together
        await eventually(lambda: not self.emulator.deliveries.unsettled, what="the event is acknowledged")

    def _keep(self, told: Json) -> None:
        """Canvases and posts are pages of Slack's own, whatever type it tells."""
        mime = "text/html" if told.get("mode") in ("quip", "docs", "canvas", "list", "space") else str(told["mimetype"])
        body = content(mime, told.get("size"))
        self.emulator.workspace.files[told["id"]] = SlackFile(
            file_id=told["id"],
            name=str(told.get("name") or "file"),
            size_bytes=len(body),
            mime=mime,
            owner=str(told.get("user", "")),
            created=int(time.time()),
            blob=Blob.of(body),
        )


class Discord(_Emulated):
    """A payload is a dispatch of the gateway, {"t": ..., "d": ...}, or a frame of the session, {"op": ...}. The channel is
    100000000000000001, the server ...3, which comes back whole. A message of the id 0 gets the next one."""

    is_reconnecting = False

    def is_change(self, payload: Json) -> bool:
        return self.is_reconnecting or payload.get("t") != "MESSAGE_CREATE"

    async def deliver(self, payload: Json) -> None:
        gateway = self.emulator.gateway
        self.is_reconnecting = "op" in payload
        if self.is_reconnecting:
            (gateway.ask_to_reconnect if payload["op"] == RECONNECT else gateway.invalidate_sessions)()
            return
        if payload["t"] == "GUILD_CREATE":
            gateway.introduce()
            return
        ids = {"100000000000000001": self.chat, "100000000000000003": str(self.emulator.world.guild_id)}
        made = fresh(payload, ids, self.now)
        told = [each for each in objects(made) if "filename" in each and "url" in each and each["id"] not in self.case.missing]
        if made["d"].get("id") == "0":  # in the history, too, which is read after a new session
            made["d"]["id"] = str(self.emulator.world.ids.next())
            self.emulator.world.channels[int(self.chat)].order.append(int(made["d"]["id"]))
        if "author" in made["d"]:
            self._post(made["d"], [self._keep(each) for each in told])
        intent = GUILD_MESSAGE_REACTIONS if "REACTION" in made["t"] else GUILD_MESSAGES
        gateway.dispatch(made["t"], made["d"], intent=intent)

    def _keep(self, told: Json) -> StoredAttachment:
        mime = str(told.get("content_type") or "application/octet-stream")
        stored = self.emulator._store.put(int(told["id"]), content(mime, told.get("size")))
        attachment = StoredAttachment(
            id=int(told["id"]), filename=told["filename"], mime=mime, size_bytes=stored.size_bytes, sha256=stored.sha256
        )
        told["url"] = self.emulator.cdn.sign(int(self.chat), attachment)
        return attachment

    def _post(self, told: Json, attachments: Sequence[StoredAttachment]) -> None:
        """Addresses of attachments are asked for anew by their message: the API has it too."""
        author = told.get("author") or {}
        message = Message(
            id=int(told["id"]),
            channel_id=int(self.chat),
            author=Author(id=int(author.get("id") or 1), username=str(author.get("username")), display_name=""),
            sent_at=self.now,
            attachments=tuple(attachments),
        )
        self.emulator.world.channels[int(self.chat)].messages[message.id] = message


class TeamSpirit(_Emulated):
    """A payload is the body of an outgoing webhook's call. The chat is chat-0001."""

    def is_change(self, payload: Json) -> bool:
        return payload.get("event") != "message.created"

    async def deliver(self, payload: Json) -> None:
        made = fresh(own_ids(payload, _TEAMSPIRIT_IDS, self.case), {"chat-0001": self.chat}, self.now)
        for each in objects(made):
            if {"id", "name", "mime", "size"} <= set(each) and each["id"] not in self.case.missing:
                stored = self.emulator.world.store.keep(each["name"], each["mime"], content(each["mime"], each["size"]))
                each["id"] = stored.file_id
        self.emulator.world.outgoing.emit(made, self.chat)
        # what is said next may be read from the history at once: that must not overtake this call
        await eventually(lambda: not self.emulator.world.outgoing.undelivered, what="the call is answered")


class Webhook(_Emulated):
    """A payload is a request of a sender that has a key: `method`, `query`, `headers`, and one of `json`, `text` and `form`."""

    def __init__(self, case: Case, world: World, now: datetime) -> None:
        super().__init__(case, world, now)
        self._url = ""

    def is_change(self, payload: Json) -> bool:
        """It may be: that is in the payload's words."""
        return True

    async def deliver(self, payload: Json) -> None:
        url = f"{await self._key()}?{payload.get('query', '')}"
        body, kind = request_body(payload)
        headers = {**({"Content-Type": kind} if kind else {}), **payload.get("headers", {})}
        async with (
            aiohttp.ClientSession() as client,
            client.request(payload.get("method", "POST"), url, data=body, headers=headers) as answer,
        ):
            assert answer.status < 300, f"{self.case.name}: answered {answer.status}: {await answer.text()}"

    async def _key(self) -> str:
        """The URL of a key. It is for people where the end has a form."""
        if not self._url:
            assert self.world.app is not None
            address, is_form = ChatAddress(AccountName("webhook"), sender_of(self.case)), "form" in self.case.account
            stored, secret = make_key(address, KeyDirection.IN, now=self.now, label="a sender", is_form=is_form)
            await self.world.app.journal.add_key(stored)
            self._url = f"http://127.0.0.1:{self.world.app.public_port}/in/{secret}"
        return self._url


def request_body(payload: Json) -> tuple[Any, str]:
    """The body of a webhook's request, and its content type if that is not to be found out by what sends it."""
    if "json" in payload:
        return json.dumps(payload["json"], ensure_ascii=False).encode(), "application/json"
    if payload.get("multipart"):
        form = aiohttp.FormData(payload["form"], default_to_multipart=True)
        for file in payload.get("files", ()):
            body = content(file["mime"], file["size"])
            form.add_field(file["field"], body, filename=file["name"], content_type=file["mime"])
        return form, ""
    if "form" in payload:
        return urllib.parse.urlencode(payload["form"]).encode(), _CURL
    charset = payload.get("headers", {}).get("Content-Type", "").partition("charset=")[2] or "utf-8"
    return (payload["text"].encode(charset), _CURL) if "text" in payload else (None, "")
