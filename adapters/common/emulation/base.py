"""The server half of every emulator: it listens, injects faults on command, and records what people see.

A platform's emulator subclasses `EmulatorBase`, serves its wire protocol from `routes()`, names each request's operation for the
fault plan, and publishes every visible change with `publish()`.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from aiohttp import web

from adapters.common.emulation import bodies
from adapters.common.emulation.changes import ChangeLog
from adapters.common.emulation.contract import (
    EmulatedChat,
    Fault,
    FaultKind,
    SeenChange,
    SeenMessage,
    StreamFault,
    Upload,
)
from adapters.common.emulation.faults import FaultPlan
from adapters.common.emulation.options import EmulatorOptions, validated

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CALLS_KEPT = 100_000
_HANG_LIMIT_S = 3600.0


class EmulatorBase(ABC):
    """Shared behaviour of the emulators; see `adapters.common.emulation.contract.Emulator` for what each method means."""

    platform: str = ""
    max_request_bytes: int = 4 * 1024**3
    options_model: ClassVar[type[EmulatorOptions]] = EmulatorOptions
    """The options that `configure` accepts."""

    def __init__(self) -> None:
        self.options = self.options_model()
        self._host = "127.0.0.1"
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._plan = FaultPlan()
        self._calls: collections.deque[str] = collections.deque(maxlen=_CALLS_KEPT)
        self._chats: dict[str, EmulatedChat] = {}
        self._people: dict[str, str] = {}
        self._files: dict[str, bytes] = {}
        self._seen: dict[str, dict[str, SeenMessage]] = {}
        self._log = ChangeLog[SeenMessage](lambda message: message, self.options.changes_kept)

    # -- to be provided by the platform -------------------------------------------------------------------------------------

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """The wire protocol's routes."""

    @abstractmethod
    def operation(self, request: web.Request) -> str:
        """The platform's own name for the operation that this request calls."""

    @abstractmethod
    def fault_response(self, fault: Fault) -> web.StreamResponse:
        """The platform's own form of RATE_LIMIT, SERVER_ERROR(_AFTER) and UNAUTHORIZED."""

    @abstractmethod
    def account_options(self) -> dict[str, Any]: ...

    @abstractmethod
    def add_chat(self, name: str) -> EmulatedChat: ...

    @abstractmethod
    def add_person(self, name: str) -> str: ...

    def handle(self, name: str) -> str:
        return self.add_person(name)

    @abstractmethod
    async def say(
        self,
        chat_id: str,
        person: str,
        text: str,
        *,
        reply_to: str = "",
        thread_id: str = "",
        files: Sequence[Upload] = (),
    ) -> str: ...

    @abstractmethod
    async def edit(self, chat_id: str, message_id: str, text: str) -> None: ...

    @abstractmethod
    async def delete(self, chat_id: str, message_id: str) -> None: ...

    @abstractmethod
    async def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None: ...

    @abstractmethod
    def formatting_sample(self) -> str: ...

    @abstractmethod
    async def disturb(self, what: StreamFault) -> None: ...

    # -- its own options ----------------------------------------------------------------------------------------------------

    def configure(self, options: Mapping[str, Any]) -> None:
        self.options = validated(self.options_model, options)
        self._apply()

    def _apply(self) -> None:
        """Put `options` into effect. A platform adds its own."""
        self._log.keep(self.options.changes_kept)

    # -- the server ---------------------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(client_max_size=self.max_request_bytes, middlewares=[self._faults])
        app.add_routes(self.routes())
        self._host, self._port = host, port
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await self._runner.setup()
        await self._listen()

    async def stop(self) -> None:
        if self._runner is not None:
            self._cut_connections()
            await self._runner.cleanup()
            self._runner = None
            self._site = None

    async def refuse_connections(self, refuse: bool) -> None:
        if refuse and self._site is not None:
            await self._site.stop()
            self._site = None
            self._cut_connections()
        elif not refuse and self._site is None:
            await self._listen()

    async def _listen(self) -> None:
        assert self._runner is not None, "start() first"
        self._site = web.TCPSite(self._runner, self._host, self._port, reuse_address=True)
        await self._site.start()
        if not self._port:
            self._port = self._runner.addresses[0][1]

    def _cut_connections(self) -> None:
        if self._runner is not None and self._runner.server is not None:
            for connection in list(self._runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()

    # -- faults -------------------------------------------------------------------------------------------------------------

    def inject(self, fault: Fault) -> None:
        self._plan.add(fault)

    def clear_faults(self) -> None:
        self._plan.clear()

    def calls(self) -> Sequence[str]:
        return list(self._calls)

    @web.middleware
    async def _faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = self.operation(request)
        self._calls.append(operation)
        fault = self._plan.decide(operation)
        if fault is None:
            return await handler(request)
        match fault.kind:
            case FaultKind.LATENCY:
                await asyncio.sleep(fault.delay_s or 0.0)
                return await handler(request)
            case FaultKind.RATE_LIMIT | FaultKind.SERVER_ERROR | FaultKind.UNAUTHORIZED:
                await _discard_body(request)
                return self.fault_response(fault)
            case FaultKind.SERVER_ERROR_AFTER:
                await handler(request)
                return self.fault_response(fault)
            case FaultKind.HANG:
                await asyncio.sleep(_HANG_LIMIT_S if fault.delay_s is None else fault.delay_s)
                return _cut(request)
            case FaultKind.HANG_AFTER:
                await handler(request)
                await asyncio.sleep(_HANG_LIMIT_S if fault.delay_s is None else fault.delay_s)
                return _cut(request)
            case FaultKind.DROP:
                await _discard_body(request)
                return _cut(request)
            case FaultKind.DROP_AFTER:
                await handler(request)
                return _cut(request)
            case FaultKind.SLOW_BODY | FaultKind.CUT_BODY:
                return bodies.disturbed(await handler(request), fault)

    # -- what people see ----------------------------------------------------------------------------------------------------

    def chats(self) -> Sequence[EmulatedChat]:
        return list(self._chats.values())

    def transcript(self, chat_id: str) -> Sequence[SeenMessage]:
        return list(self._seen.get(chat_id, {}).values())

    def publish(self, kind: str, message: SeenMessage) -> None:
        """Record the new state of a message; `kind` as in `SeenChange`."""
        seen = self._seen.setdefault(message.chat_id, {})
        seen[message.message_id] = message
        if len(seen) > self.options.messages_kept:
            del seen[next(iter(seen))]
        self._log.record(kind, message)

    def changes(self, since_seq: int = 0) -> AsyncIterator[SeenChange]:
        return self._log.follow(since_seq)

    def store_file(self, file_id: str, content: bytes) -> str:
        """Keep a file's bytes; returns their SHA-256 in hex."""
        self._files[file_id] = content
        if len(self._files) > self.options.files_kept:
            del self._files[next(iter(self._files))]
        return hashlib.sha256(content).hexdigest()

    def file_bytes(self, file_id: str) -> bytes:
        return self._files[file_id]


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _discard_body(request: web.Request) -> None:
    with contextlib.suppress(ConnectionError):
        async for _ in request.content.iter_chunked(1 << 16):
            pass
