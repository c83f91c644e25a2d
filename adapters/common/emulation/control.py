"""The control API: another process, or a page, acts as the people in the emulated messengers and injects faults.

`control_app` serves any set of emulators as JSON over HTTP; `control_client.ControlClient` is its other half. Called by the sandbox
page, by tests that kill the daemon, and by benchmarks. For loopback only (`loopback`); no part of any platform's own protocol.

    GET  /                                   platforms, their chats, and the faults injected at present
    GET  /changes                            all platforms' changes as server-sent events
    GET  /{platform}/changes?since_seq=      one platform's; the event id is the change's `seq`
    GET  /{platform}/transcript?chat_id=     what a person sees in a chat
    GET  /{platform}/files/{file_id}         a file's bytes
    GET  /{platform}/account_options | formatting_sample | calls
    POST /{platform}/{operation}             JSON body; the operations are the classes below, in snake case

`say` also takes multipart/form-data: a part `message` with the JSON, then the files. A refused request is answered with 4xx and
`{"error": why}`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import assert_never

import msgspec
from aiohttp import BodyPartReader, web

from adapters.common.emulation import control_stream
from adapters.common.emulation.contract import Emulator, Fault, RemovesBot, StreamFault, Upload
from adapters.common.emulation.control_files import file_response
from adapters.common.emulation.loopback import Handler, loopback_only

_log = logging.getLogger(__name__)

_JSON_LIMIT_BYTES = 1 << 20
UPLOAD_LIMIT_BYTES = 64 << 20


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class AddChat(_Body, frozen=True):
    name: str


class AddPerson(_Body, frozen=True):
    name: str


class Say(_Body, frozen=True):
    chat_id: str
    person: str
    text: str = ""
    reply_to: str = ""
    thread_id: str = ""


class Edit(_Body, frozen=True):
    chat_id: str
    message_id: str
    text: str


class Delete(_Body, frozen=True):
    chat_id: str
    message_id: str


class React(_Body, frozen=True):
    chat_id: str
    message_id: str
    person: str
    emoji: str
    remove: bool = False


class RemoveBot(_Body, frozen=True):
    """Remove the bot from a chat, or bring it back (`back`)."""

    chat_id: str
    back: bool = False


class Inject(_Body, frozen=True):
    fault: Fault


class ClearFaults(_Body, frozen=True):
    pass


class Disturb(_Body, frozen=True):
    what: StreamFault


class RefuseConnections(_Body, frozen=True):
    refuse: bool


Operation = AddChat | AddPerson | Say | Edit | Delete | React | RemoveBot | Inject | ClearFaults | Disturb | RefuseConnections

_OPERATIONS: Mapping[str, type[Operation]] = {
    "add_chat": AddChat,
    "add_person": AddPerson,
    "say": Say,
    "edit": Edit,
    "delete": Delete,
    "react": React,
    "remove_bot": RemoveBot,
    "inject": Inject,
    "clear_faults": ClearFaults,
    "disturb": Disturb,
    "refuse_connections": RefuseConnections,
}


class PlatformState(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `GET /`. `faults` are those injected through this API since they were last cleared, used up or not."""

    platform: str
    base_url: str
    chats: list[msgspec.Raw]
    faults: list[Fault]
    refusing: bool


class _Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def control_app(emulators: Mapping[str, Emulator], *, upload_limit_bytes: int = UPLOAD_LIMIT_BYTES) -> web.Application:
    """The API of these started emulators, by platform name. `upload_limit_bytes` bounds the total size of the files of one
    message."""
    api = _ControlApi(emulators, upload_limit_bytes)
    app = web.Application(middlewares=[loopback_only, _explained])
    app.add_routes(
        [
            web.get("/", api.overview),
            web.get("/changes", api.all_changes),
            web.get("/{platform}/changes", api.changes),
            web.get("/{platform}/transcript", api.transcript),
            web.get("/{platform}/files/{file_id}", api.file),
            web.get("/{platform}/account_options", api.account_options),
            web.get("/{platform}/formatting_sample", api.formatting_sample),
            web.get("/{platform}/calls", api.calls),
            web.post("/{platform}/{operation}", api.operate),
        ]
    )
    return app


class _ControlApi:
    def __init__(self, emulators: Mapping[str, Emulator], upload_limit_bytes: int) -> None:
        self._emulators = emulators
        self._upload_limit_bytes = upload_limit_bytes
        self._boot = secrets.token_hex(4)
        self._faults: dict[str, list[Fault]] = {platform: [] for platform in emulators}
        self._refusing: set[str] = set()

    # -- reading ------------------------------------------------------------------------------------------------------------

    async def overview(self, request: web.Request) -> web.Response:
        return _json(
            [
                PlatformState(
                    platform=platform,
                    base_url=emulator.base_url,
                    chats=[msgspec.Raw(msgspec.json.encode(chat)) for chat in emulator.chats()],
                    faults=self._faults[platform],
                    refusing=platform in self._refusing,
                )
                for platform, emulator in self._emulators.items()
            ]
        )

    async def all_changes(self, request: web.Request) -> web.StreamResponse:
        since = request.headers.get("Last-Event-ID") or request.query.get("since", "")
        positions = control_stream.parse_positions(since, boot=self._boot)
        return await control_stream.serve(request, self._emulators, positions, boot=self._boot)

    async def changes(self, request: web.Request) -> web.StreamResponse:
        platform, emulator = self._asked(request)
        since = request.headers.get("Last-Event-ID") or request.query.get("since_seq", "0")
        if not since.isdecimal():
            raise _Refused(400, f"since_seq must be a whole number, not {since[:40]!r}")
        return await control_stream.serve(request, {platform: emulator}, {platform: int(since)})

    async def transcript(self, request: web.Request) -> web.Response:
        platform, emulator = self._asked(request)
        chat_id = _query(request, "chat_id")
        self._known_chat(platform, chat_id)
        return _json(emulator.transcript(chat_id))

    async def file(self, request: web.Request) -> web.Response:
        platform, emulator = self._asked(request)
        file_id = request.match_info["file_id"]
        try:
            content = emulator.file_bytes(file_id)
        except (LookupError, FileNotFoundError):
            raise _Refused(404, f"{platform} has no file {file_id!r}") from None
        return file_response(request, content)

    async def account_options(self, request: web.Request) -> web.Response:
        return _json(self._asked(request)[1].account_options())

    async def formatting_sample(self, request: web.Request) -> web.Response:
        return _json(self._asked(request)[1].formatting_sample())

    async def calls(self, request: web.Request) -> web.Response:
        return _json(self._asked(request)[1].calls())

    # -- acting -------------------------------------------------------------------------------------------------------------

    async def operate(self, request: web.Request) -> web.Response:
        platform, emulator = self._asked(request)
        name = request.match_info["operation"]
        kind = _OPERATIONS.get(name)
        if kind is None:
            raise _Refused(404, f"unknown operation {name[:40]!r}; there are {', '.join(_OPERATIONS)}")
        operation, files = await self._read(request, kind)
        if isinstance(operation, Say | Edit | Delete | React | RemoveBot):
            self._known_chat(platform, operation.chat_id)
        try:
            result = await self._apply(platform, emulator, operation, files)
        except LookupError as fault:
            raise _Refused(404, f"{platform} does not know {_words(fault)}") from fault
        except Exception as fault:
            # each platform has its own refusals of what a person tries; the caller gets the reason
            _log.debug("%s refused %s", platform, name, exc_info=True)
            raise _Refused(422, _words(fault)) from fault
        return _json(result)

    async def _apply(self, platform: str, emulator: Emulator, operation: Operation, files: list[Upload]) -> object:
        match operation:
            case AddChat():
                return emulator.add_chat(operation.name)
            case AddPerson():
                return emulator.add_person(operation.name)
            case Say():
                return await emulator.say(
                    operation.chat_id,
                    operation.person,
                    operation.text,
                    reply_to=operation.reply_to,
                    thread_id=operation.thread_id,
                    files=files,
                )
            case Edit():
                await emulator.edit(operation.chat_id, operation.message_id, operation.text)
            case Delete():
                await emulator.delete(operation.chat_id, operation.message_id)
            case React():
                await emulator.react(
                    operation.chat_id, operation.message_id, operation.person, operation.emoji, remove=operation.remove
                )
            case RemoveBot():
                if not isinstance(emulator, RemovesBot):
                    raise ValueError(f"the emulator of {platform} cannot remove the bot from a chat")
                (emulator.bring_bot_back if operation.back else emulator.remove_bot)(operation.chat_id)
            case Inject():
                emulator.inject(operation.fault)
                self._faults[platform].append(operation.fault)
            case ClearFaults():
                emulator.clear_faults()
                self._faults[platform].clear()
            case Disturb():
                await emulator.disturb(operation.what)
            case RefuseConnections():
                await emulator.refuse_connections(operation.refuse)
                (self._refusing.add if operation.refuse else self._refusing.discard)(platform)
            case _:
                assert_never(operation)
        return None

    async def _read(self, request: web.Request, kind: type[Operation]) -> tuple[Operation, list[Upload]]:
        if request.content_type == "application/json":
            return _decoded(await _bounded(request.content.iter_chunked(1 << 16), _JSON_LIMIT_BYTES), kind), []
        if request.content_type != "multipart/form-data" or kind is not Say:
            allowed = "application/json or multipart/form-data" if kind is Say else "application/json"
            raise _Refused(415, f"the body must be {allowed}, not {request.content_type}")
        operation: Operation | None = None
        files: list[Upload] = []
        left = self._upload_limit_bytes
        try:
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader):
                    raise _Refused(400, "a multipart part inside another one")
                if part.name == "message":
                    operation = _decoded(await _bounded(_chunks(part), _JSON_LIMIT_BYTES), kind)
                    continue
                content = await _bounded(_chunks(part), left)
                left -= len(content)
                mime = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip()
                files.append(Upload(name=part.filename or "file", mime=mime, content=content))
        except (ValueError, AssertionError) as fault:
            raise _Refused(400, f"not a readable multipart body: {fault}") from fault
        if operation is None:
            raise _Refused(400, "the multipart body has no part `message`")
        return operation, files

    def _asked(self, request: web.Request) -> tuple[str, Emulator]:
        platform = request.match_info["platform"]
        if platform not in self._emulators:
            raise _Refused(404, f"unknown platform {platform[:40]!r}; there are {', '.join(self._emulators)}")
        return platform, self._emulators[platform]

    def _known_chat(self, platform: str, chat_id: str) -> None:
        if not any(chat.chat_id == chat_id for chat in self._emulators[platform].chats()):
            raise _Refused(404, f"{platform} has no chat {chat_id[:80]!r}")


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except _Refused as refused:
        return web.json_response({"error": str(refused)}, status=refused.status)
    except control_stream.BadPosition as bad:
        return web.json_response({"error": str(bad)}, status=400)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        return web.json_response({"error": answer.reason}, status=answer.status)


def _json(value: object) -> web.Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", headers=headers)


def _decoded(raw: bytes, kind: type[Operation]) -> Operation:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as fault:
        raise _Refused(400, str(fault)) from fault


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(1 << 16):
        yield chunk


async def _bounded(chunks: AsyncIterator[bytes], limit_bytes: int) -> bytes:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > limit_bytes:
            raise _Refused(413, f"longer than {limit_bytes} bytes")
    return bytes(content)


def _query(request: web.Request, name: str) -> str:
    value = request.query.get(name)
    if not value:
        raise _Refused(400, f"the query parameter {name} is missing")
    return value


def _words(fault: Exception) -> str:
    text = str(fault.args[0]) if isinstance(fault, KeyError) and fault.args else str(fault)
    return text or type(fault).__name__
