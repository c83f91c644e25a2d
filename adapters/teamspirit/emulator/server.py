"""The stand-in server, as the sandbox and the tests use it.

A program's calls are in `rest`, a person's acts in `people`, the state that both change in `world` and `records`, calls to other
servers in `outgoing`.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web
from pydantic import Field

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.abilities import Member
from adapters.common.emulation.contract import EmulatedChat, Fault, StreamFault, Upload
from adapters.common.emulation.options import EmulatorOptions
from adapters.teamspirit.emulator.errors import fault_answer
from adapters.teamspirit.emulator.outgoing import Webhook
from adapters.teamspirit.emulator.people import People
from adapters.teamspirit.emulator.records import Json, User
from adapters.teamspirit.emulator.rest import API, RestApi
from adapters.teamspirit.emulator.world import World

_SIMPLE_NAME = re.compile(r"[\w.\-]+")


class TeamSpiritEmulatorOptions(EmulatorOptions):
    max_upload_mb: float | None = Field(default=None, gt=0, description="largest file in MB (1,000,000 bytes); the account is told")
    proxy_upload_mb: float | None = Field(
        default=None, gt=0, description="largest file in MB that a proxy lets through; the account is not told"
    )
    files: bool = Field(default=True, description="whether it takes files at all; the account is not told")
    empty_files: bool = Field(default=True, description="whether it takes files without a byte")
    refused_types: list[str] = Field(default=[], description="endings of names of files that it refuses")
    max_text_chars: int = Field(default=4000, ge=1, description="longest text")
    max_files: int = Field(default=10, ge=0, description="most files of one message")


class TeamSpiritEmulator(EmulatorBase):
    """See `adapters.common.emulation.contract.Emulator`. `world` holds the server's rules, its API key and its state."""

    platform = "teamspirit"
    sending_operation = "POST /chats/*/messages"
    options_model = TeamSpiritEmulatorOptions
    options: TeamSpiritEmulatorOptions

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.publish)
        self.people = People(self.world, self._person)
        self._rest = RestApi(self.world)

    def _apply(self) -> None:
        super()._apply()
        rules = self.world.rules
        if self.options.max_upload_mb is not None:
            rules.max_file_bytes = int(self.options.max_upload_mb * 1_000_000)
        proxy_mb = self.options.proxy_upload_mb
        rules.proxy_bytes = None if proxy_mb is None else int(proxy_mb * 1_000_000)
        rules.takes_files = self.options.files
        rules.takes_empty_files = self.options.empty_files
        rules.refused_types = frozenset(ending.lower() for ending in self.options.refused_types)
        rules.max_text_chars = self.options.max_text_chars
        rules.max_files_per_message = self.options.max_files
        self.world.state.messages_kept = self.options.messages_kept
        self.world.store.kept = self.options.files_kept

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return self._rest.routes()

    async def stop(self) -> None:
        await self.world.outgoing.close()
        await super().stop()
        self.world.store.close()

    async def refuse_connections(self, refuse: bool) -> None:
        self.world.outgoing.pause(refuse)
        await super().refuse_connections(refuse)

    def operation(self, request: web.Request) -> str:
        resource = request.match_info.route.resource
        path = resource.canonical.removeprefix(API) if resource is not None else request.path
        return f"{request.method} {path}"

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        return fault_answer(fault)

    def account_options(self) -> dict[str, Any]:
        stated = {} if self.options.max_upload_mb is None else {"max_upload_mb": self.options.max_upload_mb}
        return {"server": self.base_url, "api_key": self.world.api_key, **stated}

    # -- webhooks that a user of the messenger sets up in its own settings --------------------------------------------------

    def incoming_webhook(self, chat_id: str) -> str:
        """A new incoming webhook of a chat; returns its URL."""
        key = secrets.token_urlsafe(24)
        user = self.world.state.new_user("webhook", is_bot=True)
        self.world.incoming[key] = (self.world.state.chats[chat_id], user)
        return f"{self.base_url}/hooks/{key}"

    def outgoing_webhook(self, url: str, chat_ids: Sequence[str] = (), events: Sequence[str] = ()) -> Webhook:
        """A new outgoing webhook to `url`, with its key and secret."""
        return self.world.new_webhook(url, chat_ids, events)

    # -- people and chats --------------------------------------------------------------------------------------------------

    def add_chat(self, name: str) -> EmulatedChat:
        chat = self.world.state.new_chat(name)
        return self._listed(chat.chat_id, chat.name)

    def add_private_chat(self, person: str) -> EmulatedChat:
        """A private chat of a person with the bot."""
        chat = self.world.state.new_chat(self.handle(person), "direct")
        return self._listed(chat.chat_id, chat.name)

    def _listed(self, chat_id: str, name: str) -> EmulatedChat:
        address = name if _SIMPLE_NAME.fullmatch(name) else chat_id
        emulated = EmulatedChat(chat_id=chat_id, name=name, address=address, threads_from_messages=True)
        self._chats[chat_id] = emulated
        return emulated

    def add_person(self, name: str) -> str:
        if name not in self._people:
            self._people[name] = self.world.state.new_user(name).user_id
        return self._people[name]

    def handle(self, name: str) -> str:
        return self._person(name).name

    def join(self, chat_id: str, person: str, *, leave: bool = False) -> None:
        """A person joins or leaves a chat."""
        self.people.join(chat_id, person, leave=leave)

    async def type(self, chat_id: str, person: str) -> None:
        self.people.type(chat_id, person)

    def typing(self, chat_id: str) -> Sequence[str]:
        return self.world.typing.names(chat_id)

    def members(self, chat_id: str) -> Sequence[Member]:
        return self.people.members()

    def set_status(self, person: str, status: str, text: str = "") -> None:
        self.people.set_status(person, status, text)

    def remove_bot(self, chat_id: str) -> None:
        """Remove the bot from a chat: it gets an event, and every call for this chat is answered with 403."""
        self.world.set_bot_in(self.world.state.chats[chat_id], is_in=False)

    def bring_bot_back(self, chat_id: str) -> None:
        self.world.set_bot_in(self.world.state.chats[chat_id], is_in=True)

    def rename(self, chat_id: str, person: str, name: str) -> None:
        """A person gives a chat another name."""
        self.people.rename(chat_id, person, name)
        self._listed(chat_id, name)

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
        return self.people.say(chat_id, person, text, reply_to=reply_to, thread_id=thread_id, files=files)

    async def share(self, chat_id: str, person: str, text: str = "", **other: Json) -> str:
        """A person shows a place (`location`), somebody's contact, a card: see `records.OTHER_DATA`."""
        return self.people.say(chat_id, person, text, other=other)

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        self.people.edit(chat_id, message_id, text)

    async def remove_file(self, chat_id: str, message_id: str, index: int = 0) -> None:
        """A person removes a file from a message of theirs."""
        self.people.remove_file(chat_id, message_id, index)

    async def delete(self, chat_id: str, message_id: str) -> None:
        self.people.delete(chat_id, message_id)

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        self.people.react(chat_id, message_id, person, emoji, remove=remove)

    def formatting_sample(self) -> str:
        return "**bold** *italic* ~~strike~~ `code` [label](https://example.com/)\n\n> quoted\n\n```python\nblock\n```"

    def file_bytes(self, file_id: str) -> bytes:
        return self.world.store.read(file_id)

    # -- going wrong on demand ----------------------------------------------------------------------------------------------

    async def disturb(self, what: StreamFault) -> None:
        """The event streams here are the outgoing webhook calls and the history polls; the latter share their connections with
        every other call, so that all are cut."""
        match what:
            case StreamFault.DISCONNECT | StreamFault.DISCONNECT_CLEAN | StreamFault.INVALIDATE_SESSION:
                self.world.outgoing.cut()
                self._cut_connections()
            case StreamFault.REDELIVER:
                self.world.outgoing.redeliver_last()
            case StreamFault.REORDER:
                self.world.outgoing.swap_next_two()
            case StreamFault.POISON:
                self.world.poison()
        await asyncio.sleep(0)

    def _person(self, name: str) -> User:
        return self.world.state.users[self.add_person(name)]
