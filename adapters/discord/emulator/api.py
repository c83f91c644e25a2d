"""What all REST handlers share: authentication, lookups with their refusals, request bodies, errors as responses.

Source: Discord API reference, "Uploading Files" for the multipart form.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import BodyPartReader, web

from adapters.discord.emulator import errors, rules
from adapters.discord.emulator.files import FileStore, StoredFile, dimensions
from adapters.discord.emulator.operations import Operations
from adapters.discord.emulator.records import Bot, Channel, Message, Permission, Reaction, StoredAttachment
from adapters.discord.emulator.rules import Buckets, RateBudgets
from adapters.discord.emulator.wire import Payloads
from adapters.discord.emulator.world import World

PREFIXES = ("/api/v10", "/api/v9", "/api")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Received:
    """A file of one request, already stored."""

    file_id: int
    filename: str
    mime: str
    stored: StoredFile


@dataclass(slots=True)
class Body:
    payload: dict[str, Any]
    files: dict[int, Received] = field(default_factory=dict)


class Api:
    """The state that every handler needs. One per emulator."""

    def __init__(self, world: World, payloads: Payloads, operations: Operations, files: FileStore) -> None:
        self.world = world
        self.payloads = payloads
        self.operations = operations
        self.files = files
        self.budgets = RateBudgets()
        self.buckets = Buckets()

    def routes(self, table: list[tuple[str, str, Handler]]) -> list[web.RouteDef]:
        """The routes under every version prefix; each handler's refusals become responses."""
        return [web.route(method, prefix + path, self._edge(handler)) for prefix in PREFIXES for method, path, handler in table]

    def _edge(self, handler: Handler) -> Handler:
        async def run(request: web.Request) -> web.StreamResponse:
            try:
                self.buckets.take_quietly("global", self.budgets.global_requests, scope="global", is_global=True)
                return await handler(request)
            except (errors.ApiError, errors.RateLimited) as refusal:
                await _discard(request)
                return refusal.response()

        return run

    # -- lookups --------------------------------------------------------------------------------------------------------------

    def bot(self, request: web.Request) -> Bot:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        bot = self.world.bots.get(token)
        if scheme != "Bot" or bot is None:
            raise errors.unauthorized()
        return bot

    def channel(self, request: web.Request, bot: Bot) -> Channel:
        """The channel of the path, if this bot may see it."""
        channel = self.world.channels.get(snowflake(request.match_info["channel"]))
        if channel is None:
            raise errors.unknown_channel()
        if not self.world.can_view(bot, channel):
            raise errors.missing_access()
        return channel

    def message(self, request: web.Request, channel: Channel) -> Message:
        message = channel.messages.get(snowflake(request.match_info["message"]))
        if message is None:
            raise errors.unknown_message()
        return message

    def require_awake(self, channel: Channel) -> None:
        """Raise ApiError for an archived thread, in which nothing can be changed."""
        if channel.is_archived:
            raise errors.ApiError(400, 50083, "Thread is archived")

    def require(self, bot: Bot, channel: Channel, needed: Permission) -> None:
        if needed not in self.world.permissions(bot, channel):
            raise errors.missing_permissions()

    # -- bodies ---------------------------------------------------------------------------------------------------------------

    async def body(self, request: web.Request) -> Body:
        if request.content_type.startswith("multipart/"):
            return await self._multipart(request)
        raw = await request.read()
        return Body(_json_object(raw) if raw else {})

    async def _multipart(self, request: web.Request) -> Body:
        body = Body({})
        is_too_large = False
        count = 0
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise errors.invalid_form("payload_json", "BASE_TYPE_INVALID", "Nested multipart.")
            name = part.name or ""
            if part.filename is None and not name.startswith("file"):
                raw = await part.read(decode=False)
                body.payload.update(_json_object(bytes(raw)) if name == "payload_json" else {name: bytes(raw).decode()})
                continue
            file_id = self.world.ids.next()
            stored = await self.files.receive(file_id, _chunks(part), limit_bytes=self.world.max_file_bytes)
            if stored is None:
                is_too_large = True
                continue
            mime = part.headers.get("Content-Type", "application/octet-stream").split(";")[0]
            body.files[_file_index(name, count)] = Received(file_id, part.filename or "unknown", mime, stored)
            count += 1
        if is_too_large:
            raise errors.request_too_large()
        return body

    def attachments(self, body: Body, kept: tuple[StoredAttachment, ...] = ()) -> tuple[StoredAttachment, ...]:
        """The files of this request, and those of `kept` that its `attachments` list names: all only when there is neither a list
        nor a new file. Source: discord-api-docs#5170."""
        listed = body.payload.get("attachments")
        described = {str(entry.get("id")): entry for entry in listed or [] if isinstance(entry, dict)}
        keeps_all = listed is None and not body.files
        remaining = kept if keeps_all else tuple(a for a in kept if str(a.id) in described)
        fresh = tuple(_attachment(r, described.get(str(index), {})) for index, r in sorted(body.files.items()))
        rules.check_file_count(len(remaining) + len(fresh))
        return remaining + fresh


def _attachment(received: Received, described: dict[str, Any]) -> StoredAttachment:
    filename = str(described.get("filename") or received.filename)
    mime = received.mime if received.mime != "application/octet-stream" else guess_mime(filename)
    size = dimensions(received.stored.head)
    description = described.get("description")
    if description is not None and len(str(description)) > 1024:
        raise errors.too_long("attachments.0.description", 1024)
    return StoredAttachment(
        id=received.file_id,
        filename=filename,
        mime=mime,
        size_bytes=received.stored.size_bytes,
        sha256=received.stored.sha256,
        description=description,
        title=described.get("title"),
        is_spoiler=filename.startswith("SPOILER_") or bool(described.get("is_spoiler")),
        width=size[0] if size else None,
        height=size[1] if size else None,
        duration_s=described.get("duration_secs"),
        waveform=described.get("waveform"),
    )


def guess_mime(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def snowflake(text: str) -> int:
    if not text.isdecimal():
        raise errors.invalid_form("id", "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')
    return int(text)


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise errors.ApiError(400, 50109, "The request body contains invalid JSON.") from None
    if not isinstance(value, dict):
        raise errors.invalid_form("_", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    return value


def _file_index(name: str, count: int) -> int:
    digits = "".join(c for c in name if c.isdecimal())
    return int(digits) if digits else count


async def _chunks(part: BodyPartReader) -> Any:
    while chunk := await part.read_chunk(1 << 18):
        yield chunk


async def _discard(request: web.Request) -> None:
    try:
        async for _ in request.content.iter_chunked(1 << 18):
            pass
    except (ConnectionError, RuntimeError):
        return


def parse_emoji(api: Api, text: str) -> Reaction:
    """A reaction as the path names it: a Unicode emoji or `name:id` of one of the guild's own."""
    name, colon, emoji_id = text.partition(":")
    if colon and emoji_id.isdecimal():
        known = api.world.emojis.get(int(emoji_id))
        if known is None:
            raise errors.unknown_emoji()
        return Reaction(name=known.name, emoji_id=known.id, is_animated=known.is_animated)
    if not rules.is_unicode_emoji(text):
        raise errors.unknown_emoji()
    return Reaction(name=name)


def parse_person_emoji(api: Api, text: str) -> Reaction:
    """A reaction as a person picks it: a Unicode emoji, or a custom one as `<:name:id>`, `:name:` or `name:id`."""
    bare = text.strip("<>").removeprefix("a:").strip(":")
    for known in api.world.emojis.values():
        if bare in (known.name, f"{known.name}:{known.id}"):
            return Reaction(name=known.name, emoji_id=known.id, is_animated=known.is_animated)
    return parse_emoji(api, text)
