"""The control API: another process, or a page, acts as the people in the emulated messengers and injects faults.

`control_app` serves any set of emulators as JSON over HTTP; `control_client.ControlClient` is its other half. Called by the sandbox
page, by tests that kill the daemon, and by benchmarks. For loopback only (`loopback`); no part of any platform's own protocol.

    GET  /                                   platforms, their chats, and the faults injected at present
    GET  /changes                            all platforms' changes as server-sent events
    GET  /{platform}/changes?since_seq=      one platform's; the event id is the change's `seq`
    GET  /{platform}/transcript?chat_id=     what a person sees in a chat
    GET  /{platform}/threads?chat_id=        its named threads and topics
    GET  /{platform}/members?chat_id=        whom its composer offers behind an @
    GET  /{platform}/files/{file_id}         a file's bytes
    GET  /{platform}/account_options | formatting_sample | calls
    POST /{platform}/{operation}             JSON body; the operations are those of `control_operations`

`say` also takes multipart/form-data: a part `message` with the JSON, then the files. A refused request is answered with 4xx and
`{"error": why}`.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar

import msgspec
from aiohttp import BodyPartReader, web
from msgspec.structs import replace

from adapters.common.emulation import control_stream
from adapters.common.emulation.abilities import MentionsPeople, NamesSending, OpensThreads
from adapters.common.emulation.contract import Emulator, Fault, Upload
from adapters.common.emulation.control_files import file_response
from adapters.common.emulation.control_operations import (
    OPERATIONS,
    ClearFaults,
    CloseChat,
    Disturb,
    InChat,
    Inject,
    Operation,
    RefuseConnections,
    Say,
    abilities_of,
    act,
)
from adapters.common.emulation.loopback import Handler, loopback_only

_log = logging.getLogger(__name__)

_JSON_LIMIT_BYTES = 1 << 20
UPLOAD_LIMIT_BYTES = 64 << 20

_T = TypeVar("_T")


class PlatformState(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `GET /`. `faults` are those injected through this API since they were last cleared, used up or not; `for_s` of
    one is what is left of its time. `can` names the optional operations."""

    platform: str
    base_url: str
    chats: list[msgspec.Raw]
    faults: list[Fault]
    refusing: bool
    closed: list[str]
    """The chats that were closed through this API."""
    can: list[str]
    sending: str
    """A glob over the operations that send a bot's messages; empty: not told."""


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
            web.get("/{platform}/threads", api.threads),
            web.get("/{platform}/members", api.members),
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
        self._faults: dict[str, list[tuple[Fault, float]]] = {platform: [] for platform in emulators}
        """Each with the monotonic time at which it ends."""
        self._refusing: set[str] = set()
        self._closed: dict[str, set[str]] = {platform: set() for platform in emulators}

    # -- reading ------------------------------------------------------------------------------------------------------------

    async def overview(self, request: web.Request) -> web.Response:
        return _json(
            [
                PlatformState(
                    platform=platform,
                    base_url=emulator.base_url,
                    chats=[msgspec.Raw(msgspec.json.encode(chat)) for chat in emulator.chats()],
                    faults=self._at_present(platform),
                    refusing=platform in self._refusing,
                    closed=sorted(self._closed[platform]),
                    can=abilities_of(emulator),
                    sending=emulator.sending_operation if isinstance(emulator, NamesSending) else "",
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

    async def threads(self, request: web.Request) -> web.Response:
        platform, emulator = self._asked(request)
        chat_id = _query(request, "chat_id")
        self._known_chat(platform, chat_id)
        return _json(emulator.threads(chat_id) if isinstance(emulator, OpensThreads) else [])

    async def members(self, request: web.Request) -> web.Response:
        platform, emulator = self._asked(request)
        chat_id = _query(request, "chat_id")
        self._known_chat(platform, chat_id)
        return _json(emulator.members(chat_id) if isinstance(emulator, MentionsPeople) else [])

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
        kind = OPERATIONS.get(name)
        if kind is None:
            raise _Refused(404, f"unknown operation {name[:40]!r}; there are {', '.join(OPERATIONS)}")
        operation, files = await self._read(request, kind)
        if isinstance(operation, InChat):
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
            case Inject():
                emulator.inject(operation.fault)
                self._faults[platform].append((operation.fault, time.monotonic() + (operation.fault.for_s or math.inf)))
            case ClearFaults():
                emulator.clear_faults()
                self._faults[platform].clear()
            case Disturb():
                await emulator.disturb(operation.what)
            case RefuseConnections():
                await emulator.refuse_connections(operation.refuse)
                (self._refusing.add if operation.refuse else self._refusing.discard)(platform)
            case CloseChat():
                await act(platform, emulator, operation, files)
                (self._closed[platform].discard if operation.reopen else self._closed[platform].add)(operation.chat_id)
            case _:
                return await act(platform, emulator, operation, files)
        return None

    def _at_present(self, platform: str) -> list[Fault]:
        """The faults injected here that were not cleared and whose time is not over; for a rule with an end, what is left of it."""
        now_s = time.monotonic()
        self._faults[platform] = kept = [(fault, until_s) for fault, until_s in self._faults[platform] if until_s > now_s]
        return [fault if fault.for_s is None else replace(fault, for_s=until_s - now_s) for fault, until_s in kept]

    async def _read(self, request: web.Request, kind: type[Operation]) -> tuple[Operation, list[Upload]]:
        if request.content_type == "application/json":
            return _decoded(await _bounded(request.content.iter_chunked(1 << 16), _JSON_LIMIT_BYTES), kind), []
        if request.content_type != "multipart/form-data" or kind is not Say:
            allowed = "application/json or multipart/form-data" if kind is Say else "application/json"
            raise _Refused(415, f"the body must be {allowed}, not {request.content_type}")
        operation: Say | None = None
        files: list[Upload] = []
        left = self._upload_limit_bytes
        try:
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader):
                    raise _Refused(400, "a multipart part inside another one")
                if part.name == "message":
                    operation = _decoded(await _bounded(_chunks(part), _JSON_LIMIT_BYTES), Say)
                    continue
                content = await _bounded(_chunks(part), left)
                left -= len(content)
                mime = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip()
                files.append(Upload(name=part.filename or "file", mime=mime, content=content))
        except (ValueError, AssertionError) as fault:
            raise _Refused(400, f"not a readable multipart body: {fault}") from fault
        if operation is None:
            raise _Refused(400, "the multipart body has no part `message`")
        kinds = dict(enumerate(operation.kinds))
        return operation, [replace(file, kind=kinds.get(position, "")) for position, file in enumerate(files)]

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


def _decoded(raw: bytes, kind: type[_T]) -> _T:
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
