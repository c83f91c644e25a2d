"""The stand-in server itself, and a person's hands and eyes in its chats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import EmulatedChat, Fault, FaultKind, StreamFault, Upload
from adapters.webhook.emulator.errors import error
from adapters.webhook.emulator.people import People
from adapters.webhook.emulator.world import World


class WebhookEmulator(EmulatorBase):
    """See `adapters.common.emulation.contract.Emulator`."""

    platform = "webhook"

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self._humans = People(self.world)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """TODO: the API's paths, with its limits and errors."""
        return []

    def operation(self, request: web.Request) -> str:
        return f"{request.method} {request.path}"

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        """TODO: in the platform's own form."""
        status = {FaultKind.RATE_LIMIT: 429, FaultKind.UNAUTHORIZED: 401}.get(fault.kind, fault.status)
        return error(status, fault.kind.value)

    def account_options(self) -> dict[str, Any]:
        return {"secret": "whsec_ZW11bGF0ZWQtc2VjcmV0LW9mLXRoZS1icmlkZ2U=", "ends": {name: {} for name in self.world.chats}}

    def add_chat(self, name: str) -> EmulatedChat:
        chat = self.world.add_chat(name)
        return EmulatedChat(chat_id=chat.chat_id, name=chat.name, address=chat.chat_id)

    def add_person(self, name: str) -> str:
        return self.world.add_person(name)

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
        return await self._humans.say(chat_id, person, text, reply_to=reply_to, thread_id=thread_id, files=files)

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        await self._humans.edit(chat_id, message_id, text)

    async def delete(self, chat_id: str, message_id: str) -> None:
        await self._humans.delete(chat_id, message_id)

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        await self._humans.react(chat_id, message_id, person, emoji, remove=remove)

    def formatting_sample(self) -> str:
        return "TODO bold italic strike code label quoted block"

    async def disturb(self, what: StreamFault) -> None:
        raise NotImplementedError("emulator/server.py: disturb: cut, double, poison the streams")
