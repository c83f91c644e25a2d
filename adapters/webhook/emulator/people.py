"""Messages of people, sent by the emulated bot program as signed requests to the bridge's public listener."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import aiohttp
from standardwebhooks import Webhook

from adapters.common.emulation.contract import EmulatedFile, Upload
from adapters.webhook.emulator.files import form_body
from adapters.webhook.emulator.records import Message
from adapters.webhook.emulator.wire import Said
from adapters.webhook.emulator.world import World

_TIMEOUT_S = 60.0
_FIRST_S, _MOST_S, _TRIES = 0.05, 1.0, 60
_JSON = "application/json"


class NotTold(RuntimeError):
    """The URL of the bridge is not set: `bridge_is_at` was not called."""


class People:
    """`secret` signs the requests."""

    def __init__(self, world: World, secret: str) -> None:
        self._world = world
        self._signer = Webhook(secret)
        self._secret = secret
        self._last: tuple[str, bytes, dict[str, str]] | None = None
        self.bridge_url = ""
        """`https://.../hooks/<account>`."""

    async def say(self, chat_id: str, person: str, text: str, *, files: Sequence[Upload], shown: Sequence[EmulatedFile]) -> str:
        """Post a message. `shown`: its files as the emulator keeps them."""
        sender_id = uuid.uuid4().hex
        message_id = await self._post(chat_id, Said(id=sender_id, text=text, author=person), files)
        now = datetime.now(UTC)
        message = Message(
            message_id=message_id,
            chat_id=chat_id,
            author=person,
            text=text,
            sent_at=now,
            sender_id=sender_id,
            files=tuple(shown),
        )
        self._world.add(message)
        return message_id

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        message = self._world.chats[chat_id].messages[message_id]
        await self._post(chat_id, Said(id=message.sender_id, text=text, author=message.author), ())
        message.text, message.edited = text, True
        self._world.changed("edited", message)

    async def say_again(self) -> None:
        """Repeat the last request, as a sender without a response does."""
        if self._last is not None:
            await self._deliver(*self._last)

    async def say_nothing_known(self, chat_id: str) -> None:
        """Post a body of an unknown shape."""
        await self._send(chat_id, b'{"what": [{"is": 1}]}', _JSON, expect_id=False)

    async def _post(self, chat_id: str, said: Said, files: Sequence[Upload]) -> str:
        if files:
            body, content_type = form_body({"id": said["id"], "text": said["text"], "author": said["author"]}, files)
        else:
            body, content_type = json.dumps(said, ensure_ascii=False).encode(), _JSON
        return await self._send(chat_id, body, content_type, expect_id=True)

    async def _send(self, chat_id: str, body: bytes, content_type: str, *, expect_id: bool) -> str:
        if not self.bridge_url:
            raise NotTold("the emulator does not know where the bridge is: bridge_is_at was not called")
        webhook_id, now = f"msg_{uuid.uuid4().hex}", datetime.now(UTC)
        headers = {
            "Content-Type": content_type,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signature(webhook_id, now, body),
        }
        url = f"{self.bridge_url}/{chat_id}"
        self._last = (url, body, headers)
        answer = await self._deliver(url, body, headers, expects_success=expect_id)
        return str(answer.get("id", "")) if expect_id else ""

    def _signature(self, webhook_id: str, now: datetime, body: bytes) -> str:
        """The signature headers. The library signs text only; a body with files is signed here by the specification."""
        try:
            return self._signer.sign(webhook_id, now, body.decode())
        except UnicodeDecodeError:
            signed = f"{webhook_id}.{int(now.timestamp())}.".encode() + body
            key = base64.b64decode(self._secret.removeprefix("whsec_"))
            return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()

    async def _deliver(self, url: str, body: bytes, headers: dict[str, str], *, expects_success: bool = True) -> dict[str, str]:
        """Post until accepted: a starting bridge answers with `Retry-After`."""
        wait_s = _FIRST_S
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S)) as client:
            for _ in range(_TRIES):
                try:
                    async with client.post(url, data=body, headers=headers) as answer:
                        text = await answer.text()
                        if answer.status < 400 or (not expects_success and answer.status < 500):
                            return json.loads(text) if text.startswith("{") else {}
                        if answer.status not in (429, 500, 502, 503, 504):
                            raise RuntimeError(f"the bridge answers {answer.status}: {text[:200]}")
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, _MOST_S)
        raise RuntimeError("the bridge took nothing")
