"""The emulated bot program: it receives at `/hook/<end>`, and its people post to the bridge."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import EmulatedChat, EmulatedFile, Fault, StreamFault, Upload
from adapters.webhook.emulator.errors import Refused, error, of_fault
from adapters.webhook.emulator.people import People
from adapters.webhook.emulator.records import Message
from adapters.webhook.emulator.render import seen
from adapters.webhook.emulator.rules import IDS_KEPT, MOST_BYTES
from adapters.webhook.emulator.wire import event_of
from adapters.webhook.emulator.world import World

TO_US = "whsec_ZW11bGF0ZWQtc2VjcmV0LW9mLXRoZS1icmlkZ2U="
FROM_US = "whsec_ZW11bGF0ZWQtc2VjcmV0LW9mLXRoZS1ib3QtcHJvZ3JhbQ=="


class WebhookEmulator(EmulatorBase):
    """See `adapters.common.emulation.contract.Emulator`."""

    platform = "webhook"

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self._changed)
        self.people = People(self.world, FROM_US)
        self._ids: OrderedDict[str, None] = OrderedDict()

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [web.post("/hook/{end}", self._receive)]

    def operation(self, request: web.Request) -> str:
        return f"{request.method} /hook/{{end}}"

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        return of_fault(fault)

    def bridge_is_at(self, public_url: str, account: str) -> None:
        self.people.bridge_url = f"{public_url}/hooks/{account}"

    def account_options(self) -> dict[str, Any]:
        signature = {"scheme": "standard", "secret": FROM_US}
        ends = {name: {"url": f"{self.base_url}/hook/{name}", "signature": signature} for name in self.world.chats or ("nobody",)}
        return {"secret": TO_US, "allow_hosts": [f"{self._host}:{self._port}"], "ends": ends}

    # -- events from the bridge ----------------------------------------------------------------------------------------------

    async def _receive(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            self._take(request.match_info["end"], body, dict(request.headers))
        except Refused as refused:
            return error(refused.status, refused.why)
        return web.Response(status=204)

    def _take(self, end: str, body: bytes, headers: dict[str, str]) -> None:
        chat = self.world.chats.get(end)
        if chat is None:
            raise Refused(404, "there is no such receiver")
        if len(body) > MOST_BYTES:
            raise Refused(413, "too large")
        try:
            Webhook(TO_US).verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            raise Refused(401, "the signature is not right") from None
        event, webhook_id = event_of(body), headers["webhook-id"]
        if webhook_id in self._ids:
            return
        self.world.apply(chat, event)
        self._ids[webhook_id] = None
        if len(self._ids) > IDS_KEPT:
            self._ids.popitem(last=False)

    def _changed(self, kind: str, message: Message) -> None:
        self.publish(kind, seen(message))

    # -- people -------------------------------------------------------------------------------------------------------------

    def add_chat(self, name: str) -> EmulatedChat:
        chat = self.world.add_chat(name)
        found = EmulatedChat(chat_id=chat.chat_id, name=chat.name, address=chat.chat_id)
        self._chats[chat.chat_id] = found
        return found

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
        self.add_person(person)
        return await self.people.say(chat_id, person, text, files=files, shown=[self._kept(upload) for upload in files])

    def _kept(self, upload: Upload) -> EmulatedFile:
        file_id = uuid.uuid4().hex
        return EmulatedFile(
            file_id=file_id,
            name=upload.name,
            mime=upload.mime,
            size_bytes=len(upload.content),
            kind="photo" if upload.mime.startswith("image/") else "document",
            sha256=self.store_file(file_id, upload.content),
        )

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        await self.people.edit(chat_id, message_id, text)

    async def delete(self, chat_id: str, message_id: str) -> None:
        raise NotImplementedError("a program has no way to take back what it posted by a webhook")

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        raise NotImplementedError("a program has no way to react by a webhook")

    def formatting_sample(self) -> str:
        return "bold italic strike code label quoted block"

    async def disturb(self, what: StreamFault) -> None:
        """Only redelivery and poison: there is no stream that could be cut."""
        if what is StreamFault.REDELIVER:
            await self.people.say_again()
        elif what is StreamFault.POISON:
            await self.people.say_nothing_known(next(iter(self.world.chats)))
