"""Emulators of no platform in particular: chats whose people are mirrored by a few lines of code instead of a daemon."""

from __future__ import annotations

import asyncio
import html
import itertools
import textwrap
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import (
    EmulatedChat,
    EmulatedFile,
    Fault,
    SeenMessage,
    SeenPoll,
    SeenPollOption,
    SeenReaction,
    StreamFault,
    Upload,
)

SAMPLE = "(formatted) bold italic strike code label quoted block"
SAMPLE_HTML = (
    '<b>bold</b> <i>italic</i> <s>strike</s> <code>code</code> <a href="https://example.com/">label</a>'
    "<blockquote>quoted</blockquote><pre>block</pre>"
)


class FakeEmulator(EmulatorBase):
    """Shows what is said; `disturbed` records what was asked of its event stream, `longest` is a person's longest text."""

    longest = 100_000

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
        if text == "refuse me" or len(text) > self.longest:
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
                html=html.escape(text).replace(SAMPLE, SAMPLE_HTML),
                files=tuple(kept),
                reply_to=reply_to,
                thread_id=thread_id,
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
        return SAMPLE

    async def disturb(self, what: StreamFault) -> None:
        self.disturbed.append(what)

    def _message(self, chat_id: str, message_id: str) -> SeenMessage:
        return self._seen.get(chat_id, {})[message_id]


class SociableEmulator(FakeEmulator):
    """Its people also answer in threads, pin and ask polls."""

    def add_chat(self, name: str) -> EmulatedChat:
        chat = msgspec.structs.replace(super().add_chat(name), threads_from_messages=True)
        self._chats[chat.chat_id] = chat
        return chat

    async def pin(self, chat_id: str, message_id: str, person: str, *, remove: bool = False) -> None:
        self.publish("pins", msgspec.structs.replace(self._message(chat_id, message_id), pinned=not remove))

    async def ask_poll(self, chat_id: str, person: str, question: str, options: Sequence[str], *, many: bool = False) -> str:
        message_id = f"poll{next(self._ids)}"
        self.publish(
            "created",
            SeenMessage(
                message_id=message_id,
                chat_id=chat_id,
                author_name=person,
                author_id=self.add_person(person),
                poll=SeenPoll(question=question, options=tuple(SeenPollOption(text=text) for text in options), many=many),
            ),
        )
        return message_id

    async def vote_for(self, chat_id: str, message_id: str, person: str, options: Sequence[int]) -> None:
        raise NotImplementedError

    async def close_poll(self, chat_id: str, message_id: str) -> None:
        raise NotImplementedError


class Mirror:
    """Copies everything everywhere, at once, as the best of bridges would. `spoil` changes or swallows what a target shows."""

    def __init__(self, emulators: dict[str, FakeEmulator], part_length: int = 3900) -> None:
        self._emulators = self.emulators = emulators
        self._part_length = part_length
        self._copies: dict[tuple[str, str, str], str] = {}
        self._ids = itertools.count(10_000)
        self.spoil: Callable[[str, str, SeenMessage], list[SeenMessage]] = lambda target, kind, message: [message]

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for origin in self._emulators:
                group.create_task(self._follow(origin))

    async def _follow(self, origin: str) -> None:
        async for change in self._emulators[origin].changes():
            if not change.message.is_bot:
                for target in self._emulators:
                    if target != origin:
                        self._copy(origin, target, change.kind, change.message)

    def _copy(self, origin: str, target: str, kind: str, message: SeenMessage) -> None:
        emulator = self._emulators[target]
        room = self._emulators[origin]._chats[message.chat_id].name
        chat = next(chat for chat in emulator.chats() if chat.name == room)
        key = (origin, target, message.message_id)
        copy = self._copies.setdefault(key, f"copy{next(self._ids)}")
        files = []
        for file in message.files:
            content = self._emulators[origin].file_bytes(file.file_id)
            emulator.store_file(f"{copy}/{file.name}", content)
            files.append(msgspec.structs.replace(file, file_id=f"{copy}/{file.name}"))
        parts = textwrap.wrap(message.text, self._part_length, replace_whitespace=False) or [""]
        for number, text in enumerate(parts):
            shown = msgspec.structs.replace(
                message,
                message_id=f"{copy}.{number}" if number else copy,
                chat_id=chat.chat_id,
                is_bot=True,
                text=text,
                html=html.escape(text).replace(SAMPLE, SAMPLE_HTML),
                files=tuple(files),
                reply_to=self._copies.get((origin, target, message.reply_to), ""),
                thread_id=self._copies.get((origin, target, message.thread_id), ""),
            )
            for result in self.spoil(target, kind, shown):
                emulator.publish(kind, result)


@asynccontextmanager
async def started(*platforms: str, kind: type[FakeEmulator] = FakeEmulator) -> AsyncIterator[dict[str, FakeEmulator]]:
    """Emulators of these names, each with a chat."""
    found = {platform: kind(platform) for platform in platforms}
    for emulator in found.values():
        await emulator.start()
        emulator.add_chat("lobby")
    try:
        yield found
    finally:
        for emulator in found.values():
            await emulator.stop()
