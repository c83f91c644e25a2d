"""Emulators of no platform in particular: four chats whose people are mirrored by a few lines of code instead of a daemon."""

from __future__ import annotations

import html
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web

from adapters.common.emulation import EmulatorBase
from bridge.emulator import EmulatedChat, EmulatedFile, Fault, SeenMessage, SeenReaction, StreamFault, Upload


class FakeEmulator(EmulatorBase):
    """Shows what is said; `disturbed` records what was asked of its event stream."""

    def __init__(self, platform: str) -> None:
        super().__init__()
        self.platform = platform
        self.disturbed: list[StreamFault] = []
        self._ids = itertools.count(1)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        async def pong(request: web.Request) -> web.Response:
            return web.json_response({"ok": True})

        return [web.get("/ping", pong)]

    def operation(self, request: web.Request) -> str:
        return request.path.lstrip("/")

    def fault_response(self, fault: Fault) -> web.StreamResponse:
        return web.Response(status=429 if fault.kind == "rate_limit" else fault.status)

    def account_options(self) -> dict[str, Any]:
        return {"server": self.base_url}

    def add_chat(self, name: str) -> EmulatedChat:
        chat = EmulatedChat(chat_id=f"-{next(self._ids)}/{name}", name=name, address=name)
        self._chats[chat.chat_id] = chat
        return chat

    def add_person(self, name: str) -> str:
        return self._people.setdefault(name, f"u{len(self._people) + 1}")

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
        if text == "refuse me":
            raise ValueError("a text may not say that")
        if reply_to:
            self._message(chat_id, reply_to)
        message_id = str(next(self._ids))
        kept = []
        for upload in files:
            file_id = f"{message_id}/{upload.name}"
            digest = self.store_file(file_id, upload.content)
            kind = upload.kind or ("photo" if upload.mime.startswith("image/") else "document")
            kept.append(
                EmulatedFile(
                    file_id=file_id, name=upload.name, mime=upload.mime, size_bytes=len(upload.content), kind=kind, sha256=digest
                )
            )
        self.publish(
            "created",
            SeenMessage(
                message_id=message_id,
                chat_id=chat_id,
                author_name=person,
                author_id=self.add_person(person),
                text=text,
                html=html.escape(text),
                files=tuple(kept),
                reply_to=reply_to,
            ),
        )
        return message_id

    async def edit(self, chat_id: str, message_id: str, text: str) -> None:
        message = self._message(chat_id, message_id)
        self.publish("edited", msgspec.structs.replace(message, text=text, html=html.escape(text), edited=True))

    async def delete(self, chat_id: str, message_id: str) -> None:
        self.publish("deleted", msgspec.structs.replace(self._message(chat_id, message_id), deleted=True))

    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        message = self._message(chat_id, message_id)
        held = {reaction.emoji: set(reaction.by) for reaction in message.reactions}
        (held.setdefault(emoji, set()).discard if remove else held.setdefault(emoji, set()).add)(person)
        reactions = tuple(SeenReaction(emoji=key, by=tuple(sorted(by))) for key, by in held.items() if by)
        self.publish("reactions", msgspec.structs.replace(message, reactions=reactions))

    def formatting_sample(self) -> str:
        return "**bold**"

    async def disturb(self, what: StreamFault) -> None:
        self.disturbed.append(what)

    def _message(self, chat_id: str, message_id: str) -> SeenMessage:
        return self._seen.get(chat_id, {})[message_id]


@pytest.fixture
async def emulators() -> AsyncIterator[dict[str, FakeEmulator]]:
    async with _started("telegram", "slack") as started:
        yield started


@asynccontextmanager
async def _started(*platforms: str) -> AsyncIterator[dict[str, FakeEmulator]]:
    found = {platform: FakeEmulator(platform) for platform in platforms}
    for emulator in found.values():
        await emulator.start()
        emulator.add_chat("lobby")
    try:
        yield found
    finally:
        for emulator in found.values():
            await emulator.stop()
