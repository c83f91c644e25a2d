"""Socket Mode: single-use tickets, up to ten websockets, envelopes out, acknowledgements in. Source: docs.slack.dev."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

import msgspec
from aiohttp import WSMsgType, web

from adapters.slack.emulator.deliveries import Deliveries, Delivery
from adapters.slack.emulator.records import Json

MAX_SOCKETS = 10


class _Socket:
    def __init__(self, ws: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.ws = ws
        self.transport = transport
        self.outgoing: asyncio.Queue[bytes | None] = asyncio.Queue()


class SocketMode:
    """The open sockets of the app. Each event goes to one of them, drawn at random (seeded)."""

    def __init__(self, deliveries: Deliveries, *, app_id: str, base_url: Callable[[], str]) -> None:
        self._deliveries = deliveries
        self._app_id = app_id
        self._base_url = base_url
        self._tickets: set[str] = set()
        self._counter = 0
        self._sockets: list[_Socket] = []
        self._random = random.Random(7)
        self.refresh_lead_s = 0.3
        """Time between the `warning` and the `refresh_requested` of a clean disconnect, and again until the socket is closed. Slack
        waits some seconds (unconfirmed); short here, so that tests are fast."""
        self.connections_total = 0

    @property
    def open_count(self) -> int:
        return len(self._sockets)

    def issue_url(self) -> str:
        self._counter += 1
        ticket = f"ticket-{self._counter}"
        self._tickets.add(ticket)
        return f"{self._base_url().replace('http', 'ws', 1)}/link/?ticket={ticket}&app_id={self._app_id}"

    def send(self, delivery: Delivery) -> bool:
        if not self._sockets:
            return False
        socket = self._sockets[0] if len(self._sockets) == 1 else self._random.choice(self._sockets)
        envelope: Json = {
            "envelope_id": delivery.envelope_id,
            "payload": delivery.payload,
            "type": "events_api",
            "accepts_response_payload": False,
            "retry_attempt": delivery.attempt,
            "retry_reason": delivery.reason,
        }
        socket.outgoing.put_nowait(msgspec.json.encode(envelope))
        return True

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="unknown or used ticket")
        self._tickets.discard(ticket)
        ws = web.WebSocketResponse(heartbeat=30.0)
        await ws.prepare(request)
        socket = _Socket(ws, request.transport)
        if len(self._sockets) >= MAX_SOCKETS:
            await ws.send_str(_frame({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "emulator"}}))
            await ws.close()
            return ws
        socket.outgoing.put_nowait(_frame(self._hello(len(self._sockets) + 1)).encode())
        self._sockets.append(socket)
        self.connections_total += 1
        writer = asyncio.create_task(self._write(socket), name="slack emulator socket writer")
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    self._read(message.data)
        finally:
            if socket in self._sockets:
                self._sockets.remove(socket)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return ws

    def _hello(self, count: int) -> Json:
        return {
            "type": "hello",
            "num_connections": count,
            "debug_info": {"host": "emulator", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }

    def _read(self, text: str) -> None:
        with contextlib.suppress(msgspec.DecodeError):
            answer = msgspec.json.decode(text)
            if isinstance(answer, dict) and isinstance(answer.get("envelope_id"), str):
                self._deliveries.acknowledge(answer["envelope_id"])

    async def _write(self, socket: _Socket) -> None:
        while (frame := await socket.outgoing.get()) is not None:
            try:
                await socket.ws.send_str(frame.decode())
            except (ConnectionError, RuntimeError):
                return
        await socket.ws.close()

    # -- on command ---------------------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Cut every socket without a close frame."""
        for socket in self._sockets[:]:
            self._sockets.remove(socket)
            if socket.transport is not None:
                socket.transport.abort()

    async def refresh(self) -> None:
        """Renew connections as Slack does: `warning`, then `refresh_requested`, then the close."""
        ending = self._sockets[:]
        for reason in ("warning", "refresh_requested"):
            frame = _frame({"type": "disconnect", "reason": reason, "debug_info": {"host": "emulator"}})
            for socket in ending:
                socket.outgoing.put_nowait(frame.encode())
            await asyncio.sleep(self.refresh_lead_s)
        for socket in ending:
            if socket in self._sockets:
                self._sockets.remove(socket)
            socket.outgoing.put_nowait(None)


def _frame(body: Json) -> str:
    return msgspec.json.encode(body).decode()
