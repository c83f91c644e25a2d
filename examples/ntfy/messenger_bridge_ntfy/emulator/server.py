"""The stand-in server, and the acts and the view of people in its topics."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import secrets
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import Field

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.bodies import Body
from adapters.common.emulation.contract import EmulatedChat, EmulatedFile, Fault, FaultKind, SeenMessage, StreamFault, Upload
from adapters.common.emulation.options import EmulatorOptions
from messenger_bridge_ntfy.emulator import refusals
from messenger_bridge_ntfy.emulator.publishing import SEQUENCE_ID, Request, check_topic, from_json, from_parameters, type_of
from messenger_bridge_ntfy.emulator.refusals import Refused
from messenger_bridge_ntfy.emulator.topics import InvalidSince, Message, Topics

_JSON_LINES = "application/x-ndjson; charset=utf-8"
_KINDS = {"image": "photo", "video": "video", "audio": "audio"}


class NtfyEmulatorOptions(EmulatorOptions):
    max_message_bytes: int = Field(default=4096, ge=1, description="longest message; what is longer becomes an attachment")
    max_upload_bytes: int = Field(default=15 * 1024**2, ge=0, description="largest attachment")
    attachments: bool = Field(default=True, description="whether the server takes attachments")
    attachment_expiry_s: float = Field(default=3 * 3600.0, description="how long attachments are kept")
    cache_s: int = Field(default=12 * 3600, ge=1, description="how long messages are kept")
    keepalive_s: float = Field(default=45.0, gt=0, description="between two keepalive events")
    sequence_ids: bool = Field(default=True, description="whether it is ntfy 2.16 or newer: updates and deletions by sequence_id")


class NtfyEmulator(EmulatorBase):
    """See `adapters.common.emulation.contract.Emulator`. Topics that were not added here belong to others: nobody may use them."""

    platform = "ntfy"
    options_model = NtfyEmulatorOptions
    options: NtfyEmulatorOptions

    def __init__(self) -> None:
        super().__init__()
        self.token = f"tk_{secrets.token_hex(15)[:29]}"
        self.password = secrets.token_urlsafe(12)
        self.topics = Topics()
        self._streams: dict[web.StreamResponse, web.Request] = {}
        self._last: Message | None = None
        self._shown: dict[tuple[str, str], SeenMessage] = {}
        self._attachments: dict[str, tuple[bytes, str, float]] = {}

    def _apply(self) -> None:
        super()._apply()
        self.topics.cache_s, self.topics.kept = self.options.cache_s, self.options.messages_kept

    # -- the wire -----------------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        async def health(_: web.Request) -> web.Response:
            return web.json_response({"healthy": True})

        async def account(request: web.Request) -> web.Response:
            return web.json_response(
                {"username": self._user(request) or "*", "role": "user" if self._user(request) else "anonymous"}
            )

        async def auth(request: web.Request) -> web.Response:
            self._permit(request, request.match_info["topic"])
            return web.json_response({"success": True})

        served = [
            web.get("/v1/health", health),
            web.get("/v1/account", account),
            web.get("/file/{file}", self._file),
            web.get("/{topic}/auth", auth),
            web.get("/{topics}/json", self._subscribe),
            *(web.route(method, "/{topic}", self._publish) for method in ("PUT", "POST")),
            *(web.get(f"/{{topic}}/{word}", self._publish) for word in ("publish", "send", "trigger")),
            *(web.route(method, "/", self._publish_json) for method in ("PUT", "POST")),
            *(web.route(method, "/{topic}/{sequence_id}", self._publish) for method in ("PUT", "POST")),
            web.delete("/{topic}/{sequence_id}", self._delete),
            web.put("/{topic}/{sequence_id}/clear", self._clear),
            web.route("*", "/{any:.*}", self._missing),
        ]
        return [web.route(route.method, route.path, _refusing(route.handler)) for route in served]

    def operation(self, request: web.Request) -> str:
        resource = request.match_info.route.resource
        return f"{request.method} {resource.canonical if resource is not None else request.path}"

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        match fault.kind:
            case FaultKind.RATE_LIMIT:
                # the server itself tells no time; a proxy in front of it does
                wait = None if fault.retry_after_s is None else {"Retry-After": f"{fault.retry_after_s:g}"}
                return refusals.answer(42901, headers=wait)
            case FaultKind.UNAUTHORIZED:
                return refusals.answer(40101)
            case _:
                return refusals.answer(50001, status=fault.status)

    async def _missing(self, _: web.Request) -> web.StreamResponse:
        raise Refused(40401)

    def _user(self, request: web.Request) -> str:
        """The user of the request; empty for an anonymous one. A wrong login is refused for every request."""
        given = request.headers.get("Authorization") or _decoded(request.query.get("auth", ""))
        kind, _, secret = given.partition(" ")
        if not given:
            return ""
        login = _decoded(secret) if kind.lower() == "basic" else ""
        if (kind.lower() == "bearer" and secret == self.token) or login in (f"bridge:{self.password}", f":{self.token}"):
            return "bridge"
        raise Refused(40101)

    def _permit(self, request: web.Request, topic: str) -> None:
        check_topic(topic)
        if not self._user(request) or topic not in self._chats:
            raise Refused(40301)

    async def _publish(self, request: web.Request) -> web.StreamResponse:
        topic, sequence_id = request.match_info["topic"], request.match_info.get("sequence_id", "")
        if sequence_id and not self.options.sequence_ids:
            raise Refused(40401)
        self._permit(request, topic)
        if (request.content_length or 0) > max(self.options.max_upload_bytes, self.options.max_message_bytes):
            raise Refused(41301)
        asked = from_parameters(request, topic, await request.read(), most_bytes=self.options.max_message_bytes)
        asked.sequence_id = sequence_id or asked.sequence_id
        return web.json_response(self._put(asked, is_bot=True).wire())

    async def _publish_json(self, request: web.Request) -> web.StreamResponse:
        asked = from_json(await request.read(), most_bytes=self.options.max_message_bytes)
        self._permit(request, asked.topic)
        return web.json_response(self._put(asked, is_bot=True).wire())

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        return self._event("message_delete", request)

    async def _clear(self, request: web.Request) -> web.StreamResponse:
        return self._event("message_clear", request)

    def _event(self, event: str, request: web.Request) -> web.StreamResponse:
        topic, sequence_id = request.match_info["topic"], request.match_info["sequence_id"]
        if not self.options.sequence_ids or not SEQUENCE_ID.fullmatch(sequence_id):
            raise Refused(40401)
        self._permit(request, topic)
        return web.json_response(self._tell(event, topic, sequence_id).wire())

    async def _file(self, request: web.Request) -> web.StreamResponse:
        content, mime, expires_s = self._attachments.get(request.match_info["file"], (b"", "", 0.0))
        if expires_s <= time.time():
            raise Refused(40401)
        return Body.of_file(content, None, content_type=mime)

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        topics = frozenset(topic for topic in request.match_info["topics"].split(",") if topic)
        for topic in topics:
            self._permit(request, topic)
        is_poll = request.query.get("poll", "") in ("1", "yes", "true")
        try:
            old = self.topics.since(topics, request.query.get("since") or ("all" if is_poll else "none"))
        except InvalidSince:
            raise Refused(40008) from None
        response = web.StreamResponse(headers={"Content-Type": _JSON_LINES})
        response.enable_chunked_encoding()
        queue = self.topics.subscribe(topics)
        self._streams[response] = request
        try:
            await response.prepare(request)
            shown = request.match_info["topics"]
            for message in old if is_poll else [Message(shown, "open"), *old]:
                await response.write(_line(message))
            while not is_poll:
                try:
                    message = await asyncio.wait_for(queue.get(), self.options.keepalive_s)
                except TimeoutError:
                    message = Message(shown, "keepalive")
                await response.write(_line(message))
        finally:
            self.topics.unsubscribe(queue)
            del self._streams[response]
        return response

    # -- what is published, and how people see it ---------------------------------------------------------------------------

    def _put(self, asked: Request, *, is_bot: bool) -> Message:
        message = Message(asked.topic, sequence_id=asked.sequence_id if self.options.sequence_ids else "")
        files: tuple[EmulatedFile, ...] = ()
        attachment: dict[str, Any] = {"name": asked.filename or "attachment", "url": asked.attach} if asked.attach else {}
        if asked.content is not None:
            attachment, files = self._attach(message, asked.filename, asked.content)
        default = f"You received a file: {attachment['name']}" if attachment else "triggered"
        message.fields = {
            "title": asked.title,
            "message": asked.message or default,
            "priority": asked.priority,
            "tags": asked.tags,
            "click": asked.click,
            "icon": asked.icon,
            "actions": asked.actions,
            "attachment": attachment,
            "content_type": "text/markdown" if asked.markdown else "",
        }
        self._last = message
        self.topics.publish(message, cache=asked.cache)
        self._show(message, files, is_bot=is_bot)
        return message

    def _attach(self, message: Message, name: str, content: bytes) -> tuple[dict[str, Any], tuple[EmulatedFile, ...]]:
        if not self.options.attachments:
            raise Refused(40014)
        if len(content) > self.options.max_upload_bytes:
            raise Refused(41301)
        mime, ending = type_of(name, content)
        file, expires_s = f"{message.message_id}{ending}", time.time() + self.options.attachment_expiry_s
        name = name or f"attachment{ending}"
        self._attachments[file] = (content, mime.partition(";")[0], expires_s)
        if len(self._attachments) > self.options.files_kept:
            del self._attachments[next(iter(self._attachments))]
        checksum = self.store_file(file, content)
        kind = _KINDS.get(mime.partition("/")[0], "document")
        seen = EmulatedFile(file_id=file, name=name, mime=mime, size_bytes=len(content), kind=kind, sha256=checksum)
        url = f"{self.base_url}/file/{file}"
        return {"name": name, "type": mime, "size": len(content), "expires": int(expires_s), "url": url}, (seen,)

    def _show(self, message: Message, files: tuple[EmulatedFile, ...], *, is_bot: bool) -> None:
        """An app shows one notification for each sequence_id: a later message replaces the earlier one."""
        key = (message.topic, message.sequence_id or message.message_id)
        before = self._shown.get(key)
        seen = SeenMessage(
            message_id=before.message_id if before else message.message_id,
            chat_id=message.topic,
            author_name=message.fields["title"] or message.topic,
            author_avatar_url=message.fields["icon"],
            is_bot=is_bot,
            text=message.fields["message"],
            html=html.escape(message.fields["message"]),
            files=files,
            edited=before is not None,
            sent_at=datetime.fromtimestamp(message.time_s, UTC),
        )
        self._shown[key] = seen
        self.publish("edited" if before else "created", seen)

    def _tell(self, event: str, topic: str, sequence_id: str) -> Message:
        """`message_delete` or `message_clear`, which only dismisses the notification."""
        message = Message(topic, event, sequence_id=sequence_id)
        self.topics.publish(message)
        seen = self._shown.get((topic, sequence_id))
        if event == "message_delete" and seen is not None:
            self.publish("deleted", _deleted(seen))
        return message

    # -- an account, people and places --------------------------------------------------------------------------------------

    def account_options(self) -> dict[str, Any]:
        limits = {"max_message_bytes": self.options.max_message_bytes, "max_upload_bytes": self.options.max_upload_bytes}
        return {"server": self.base_url, "token": self.token, **limits}

    def add_chat(self, name: str) -> EmulatedChat:
        topic = f"{''.join(c for c in name if c.isascii() and (c.isalnum() or c in '-_'))[:40] or 'topic'}-{secrets.token_hex(4)}"
        self._chats[topic] = EmulatedChat(chat_id=topic, name=name, address=topic)
        return self._chats[topic]

    def add_person(self, name: str) -> str:
        """People have no accounts in a topic: a writer's name is in the title."""
        return name

    async def say(
        self,
        chat_id: str,
        person: str,
        text: str,
        *,
        reply_to: str = "",
        thread_id: str = "",
        files: Sequence[Upload] = (),
    ) -> str:
        """Each file is a message of its own, the first with the words. There are no replies: it is a message like any other."""
        told = [Request(chat_id, title=person, message=text)] if not files else []
        for number, file in enumerate(files):
            told.append(Request(chat_id, title=person, message="" if number else text, filename=file.name, content=file.content))
        message_ids = [self._put(each, is_bot=False).message_id for each in told]
        return message_ids[0]

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        before = self._shown[chat_id, message_id]
        self._put(Request(chat_id, title=before.author_name, message=text, sequence_id=message_id), is_bot=before.is_bot)

    async def delete(self, chat_id: str, message_id: str) -> None:
        self._tell("message_delete", chat_id, message_id)

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        raise ValueError("ntfy has no reactions")

    def formatting_sample(self) -> str:
        return "bold italic strike code label quoted block"

    # -- going wrong on demand ----------------------------------------------------------------------------------------------

    async def disturb(self, what: StreamFault) -> None:
        for response, request in list(self._streams.items()):
            match what:
                case StreamFault.REDELIVER:
                    if self._last is not None and self._last.topic in request.match_info["topics"].split(","):
                        await response.write(_line(self._last))
                case StreamFault.POISON:
                    await response.write(b'{"id":["no"],"event":5}\n')
                case StreamFault.REORDER:
                    continue  # the server keeps the order
                case _ if request.transport is not None:
                    request.transport.abort()


def _refusing(handler: Any) -> Any:
    async def handled(request: web.Request) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
        except Refused as refused:
            return refusals.answer(refused.code)
        return response

    return handled


def _line(message: Message) -> bytes:
    return json.dumps(message.wire(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _deleted(seen: SeenMessage) -> SeenMessage:
    fields = {name: getattr(seen, name) for name in seen.__struct_fields__}
    return SeenMessage(**{**fields, "deleted": True})


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_").decode()
    except ValueError:
        return ""
