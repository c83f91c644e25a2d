"""The Slack emulator: the wire protocol of `webapi`, `sockets`, `http_sender` and `methods_files` on one port, and its people.

For sandbox mode, tests and benchmarks. `workspace`, `deliveries`, `sockets`, `http_sender`, `files` and `api.budgets` are open to
tests that need more than the contract's `Emulator` offers (scopes, deadlines, rates, echo shapes, renames, unfurls).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

from aiohttp import web
from pydantic import Field

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.abilities import Member
from adapters.common.emulation.base import Handler
from adapters.common.emulation.contract import EmulatedChat, Fault, SeenMessage, StreamFault, Upload
from adapters.common.emulation.options import EmulatorOptions
from adapters.common.emulation.pictures import square
from adapters.slack.emulator.deliveries import Deliveries
from adapters.slack.emulator.errors import fault_answer
from adapters.slack.emulator.files import FileService
from adapters.slack.emulator.http_sender import HttpSender, event_callback
from adapters.slack.emulator.people import People
from adapters.slack.emulator.records import Channel, Json
from adapters.slack.emulator.sockets import SocketMode
from adapters.slack.emulator.webapi import WebApi
from adapters.slack.emulator.wire import user_wire
from adapters.slack.emulator.world import Workspace

_operation: ContextVar[str] = ContextVar("operation", default="")


class SlackEmulatorOptions(EmulatorOptions):
    rate_limits: bool = Field(default=False, description="answer 429 beyond the rates below and each method's tier")
    post_per_s: float = Field(default=1.0, gt=0, description="messages that a channel takes in a second")
    post_burst: float = Field(default=4.0, ge=1, description="and how many of them at once")


class SlackEmulator(EmulatorBase):
    """Operations: Web API method names (`chat.postMessage`), and `socket`, `files.upload`, `files.download`, `avatar`."""

    platform = "slack"
    sending_operation = "chat.postMessage"
    options_model = SlackEmulatorOptions
    options: SlackEmulatorOptions

    def __init__(self) -> None:
        super().__init__()
        self.public_url = ""
        """Base URL that responses give for files, uploads and sockets; empty: `base_url`. For use behind a relay."""
        self.workspace = Workspace(
            publish=self.publish, emit=self._report, base_url=lambda: self.public_url or self.base_url, keep=self.options
        )
        self.people = People(self.workspace)
        self.deliveries = Deliveries(wrap=self._wrap)
        self.sockets = SocketMode(self.deliveries, app_id=self.workspace.app_id, base_url=lambda: self.public_url or self.base_url)
        self.deliveries.use(self.sockets.send)
        self.http_sender = HttpSender(self.deliveries, signing_secret="emulated-signing-secret")
        self.files = FileService(self.workspace, self._spawn)
        self.api = WebApi(self.workspace, self.files, self.sockets.issue_url)
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = False

    def _apply(self) -> None:
        super()._apply()
        self.workspace.keep = self.options
        self.api.budgets.enabled = self.options.rate_limits
        self.api.budgets.post_per_second = self.options.post_per_s
        self.api.budgets.post_burst = self.options.post_burst

    # -- the server ---------------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get("/api/{method}", self.api.handle),
            web.post("/api/{method}", self.api.handle),
            web.get("/link/", self.sockets.handle),
            web.post("/upload/v1/{ticket}", self.files.receive),
            web.get("/files-pri/{file}/{name}", self.files.serve),
            web.get("/files-pri/{file}/download/{name}", self.files.serve),
            web.get("/avatars/{name}", self._avatar),
            web.get("/emoji/{name}", self._avatar),
        ]

    async def _avatar(self, request: web.Request) -> web.Response:
        return web.Response(body=square(request.path), content_type="image/png")

    def operation(self, request: web.Request) -> str:
        parts = request.path.split("/")
        fixed = {"link": "socket", "upload": "files.upload", "files-pri": "files.download", "avatars": "avatar"}
        return fixed.get(parts[1]) or (parts[2] if len(parts) > 2 else request.path)

    @web.middleware
    async def _faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        _operation.set(self.operation(request))
        return await super()._faults(request, handler)

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        return fault_answer(fault, _operation.get())

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        await super().start(host, port)
        self._running = True

    async def stop(self) -> None:
        self._running = False
        self.deliveries.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.http_sender.stop()
        await super().stop()
        for file in self.workspace.files.values():
            if file.blob is not None:
                file.blob.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="slack emulator work")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def account_options(self) -> dict[str, Any]:
        return {
            "bot_token": self.workspace.bot_token,
            "app_token": self.workspace.app_token,
            "api_url": f"{self.base_url}/api/",
        }

    async def use_http_events(self, url: str) -> None:
        """From now on events go to this request URL instead of sockets. Raises ValueError if it does not answer the challenge."""
        await self.http_sender.configure(url)
        self.deliveries.use(self.http_sender.send)

    def _report(self, event: Json) -> None:
        if self._running:
            self.deliveries.emit(event)

    def _wrap(self, event_id: str, event: Json) -> Json:
        workspace = self.workspace
        ids = {"team_id": workspace.team_id, "app_id": workspace.app_id, "bot_user_id": workspace.bot_user_id}
        return event_callback(event_id, event, **ids)

    # -- people and chats --------------------------------------------------------------------------------------------------

    def add_chat(self, name: str) -> EmulatedChat:
        slug = re.sub(r"[^\w-]+", "-", name.lower()).strip("-")[:80] or "channel"
        if known := self.workspace.channel_id(slug):
            return self._chats[known]
        channel = self.workspace.add_channel(slug)
        chat = EmulatedChat(chat_id=channel.channel_id, name=slug, address=f"#{slug}", threads_from_messages=True)
        self._chats[chat.chat_id] = chat
        return chat

    def add_person(self, name: str) -> str:
        return self.people.person(name)

    def rename_chat(self, chat_id: str, name: str) -> None:
        self.workspace.rename_channel(self._channel(chat_id), name)
        self._chats[chat_id] = EmulatedChat(chat_id=chat_id, name=name, address=f"#{name}", threads_from_messages=True)

    def set_status(self, person: str, text: str, emoji: str = "") -> None:
        """As a person does in their profile: told once, of no channel. Source: docs.slack.dev, user_status_changed."""
        user = user_wire(self.workspace.users[self.add_person(person)], self.workspace)
        user["profile"] |= {"status_text": text, "status_emoji": emoji, "status_expiration": 0}
        self.workspace.emit({"type": "user_status_changed", "user": user, "cache_ts": 1700000000})

    def archive_chat(self, chat_id: str, *, archived: bool = True) -> None:
        self.workspace.archive_channel(self._channel(chat_id), "USLACKBOT", archived=archived)

    def join(self, chat_id: str, person: str) -> None:
        self.workspace.join(self._channel(chat_id), self.add_person(person))

    def remove_bot(self, chat_id: str) -> None:
        self.workspace.leave(self._channel(chat_id), self.workspace.bot_user_id)

    def bring_bot_back(self, chat_id: str) -> None:
        self.workspace.join(self._channel(chat_id), self.workspace.bot_user_id)

    def _channel(self, chat_id: str) -> Channel:
        return self.workspace.channels[chat_id]

    # -- acting as a person -------------------------------------------------------------------------------------------------

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
        return self.people.say(self._channel(chat_id), person, text, reply_to=reply_to, thread_id=thread_id, files=files)

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        self.people.edit(self.workspace.message(chat_id, message_id), text)

    async def delete_file(self, chat_id: str, message_id: str, index: int = 0) -> None:
        """A person deletes a file of theirs: a tombstone stays in the message."""
        file = self.workspace.message(chat_id, message_id).files[index]
        self.workspace.delete_file(file)

    async def delete(self, chat_id: str, message_id: str) -> None:
        self.workspace.remove(self.workspace.message(chat_id, message_id))

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        self.people.react(self.workspace.message(chat_id, message_id), person, emoji, remove=remove)

    async def pin(self, chat_id: str, message_id: str, person: str, *, remove: bool = False) -> None:
        self.people.pin(self.workspace.message(chat_id, message_id), person, remove=remove)

    def members(self, chat_id: str) -> Sequence[Member]:
        return self.people.members()

    async def unfurl(self, chat_id: str, message_id: str, text: str) -> None:
        """Slack adds a link preview: `message_changed` without an edit."""
        message = self.workspace.message(chat_id, message_id)
        self.workspace.change(message, attachments=[{"id": 1, "from_url": "https://example.com/", "fallback": text}])

    def formatting_sample(self) -> str:
        return "*bold* _italic_ ~strike~ `code` [label](https://example.com/)\n> quoted\n```block```"

    # -- seeing -------------------------------------------------------------------------------------------------------------

    def file_bytes(self, file_id: str) -> bytes:
        blob = self.workspace.files[file_id].blob
        return blob.read() if blob is not None else b""

    def seen(self, chat_id: str, message_id: str) -> SeenMessage:
        """One message of the transcript."""
        return self._seen[chat_id][message_id]

    # -- going wrong on demand ----------------------------------------------------------------------------------------------

    async def disturb(self, what: StreamFault) -> None:
        match what:
            case StreamFault.DISCONNECT | StreamFault.INVALIDATE_SESSION:
                self.sockets.cut()
            case StreamFault.DISCONNECT_CLEAN:
                self._spawn(self.sockets.refresh())
            case StreamFault.REDELIVER:
                self.deliveries.redeliver_last()
            case StreamFault.REORDER:
                self.deliveries.swap_next_two()
            case StreamFault.POISON:
                self.deliveries.emit_payload(self._poison())

    def _poison(self) -> Json:
        event = {"type": "message", "channel": ["not", "an", "id"], "ts": 17, "user": {"id": None}, "blocks": "x", "files": 3}
        return {"type": "event_callback", "event_id": None, "team_id": 0, "event": event, "authorizations": "none"}
