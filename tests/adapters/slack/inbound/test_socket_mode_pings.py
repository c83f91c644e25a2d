"""Pings on the socket: Slack's are answered, and both its pings and its answers to ours are signs of life."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec
from aiohttp import WSMsgType, web

from adapters.slack.inbound.socket_mode import SocketMode
from tests.support.patience import eventually

HELLO = msgspec.json.encode({"type": "hello", "num_connections": 1}).decode()


class Server:
    """Says hello between two pings, and remembers what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[WSMsgType, bytes]] = []
        self.runner = web.AppRunner(web.Application())
        self.runner.app.router.add_get("/link", self.handle)

    async def __aenter__(self) -> Server:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.runner.cleanup()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        await ws.ping(b"before")
        await ws.send_str(HELLO)
        await ws.ping(b"after")
        async for message in ws:
            self.heard.append((message.type, bytes(message.data)))
            if message.type is WSMsgType.PING:
                await ws.pong(message.data)
        return ws

    async def open_socket(self) -> aiohttp.ClientWebSocketResponse:
        """As the adapter's transport does."""
        port = self.runner.addresses[0][1]
        return await self.session.ws_connect(f"http://127.0.0.1:{port}/link", heartbeat=0.2, autoping=False)


async def test_pings_are_answered_and_are_signs_of_life() -> None:
    lives: list[int] = []

    async def nothing(*_: Any) -> None:
        raise AssertionError("no event was sent")

    async with Server() as server:
        mode = SocketMode(
            server,  # type: ignore[arg-type]
            sink=nothing,
            on_hello=lambda _: None,
            on_unreadable=nothing,
            alive=lambda: lives.append(1),
        )
        running = asyncio.create_task(mode.run())
        # its ping behind the hello, and its answers to several of ours
        await eventually(lambda: len(lives) >= 4)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert [data for kind, data in server.heard if kind is WSMsgType.PONG] == [b"before", b"after"]
