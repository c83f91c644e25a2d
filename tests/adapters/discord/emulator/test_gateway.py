"""The emulator's gateway: faulty clients, intents, resuming, compression."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from adapters.common.emulation.contract import StreamFault
from tests.adapters.discord.conftest import Bench
from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Socket:
    """A gateway client that does what it is told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, op: int, data: object) -> None:
        await self._socket.send_str(json.dumps({"op": op, "d": data}))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self._socket.receive_str())  # type: ignore[no-any-return]

    async def until(self, event: str) -> dict[str, Any]:
        while (found := await self.next())["t"] != event:
            assert set(found) == {"op", "d", "s", "t"}
        return found

    async def close_code(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            async for _ in self._socket:
                pass
        return self._socket.close_code


@pytest.fixture
async def gateway(bench: Bench) -> AsyncIterator[Any]:
    async with aiohttp.ClientSession() as session:

        async def connect(query: str = "?v=10&encoding=json") -> Socket:
            url = bench.emulator.account_options()["gateway_url"] + query
            return Socket(await session.ws_connect(url))

        yield connect


def identity(bench: Bench, **changes: Any) -> dict[str, Any]:
    return {"token": bench.emulator.bot.token, "intents": 34305, "properties": {}, **changes}


@pytest.mark.parametrize(
    ("op", "changes", "code"),
    [
        (2, {"token": "wrong"}, 4004),
        (2, {"intents": 1 << 40}, 4013),
        (2, {"intents": 1 << 8}, 4014),
        (3, {}, 4003),
    ],
)
async def test_faulty_clients_are_closed_with_the_right_code(
    bench: Bench, gateway: Any, op: int, changes: dict[str, Any], code: int
) -> None:
    socket = await gateway()
    await socket.send(op, identity(bench, **changes))
    assert await socket.close_code() == code


async def test_a_flood_of_payloads_is_closed(bench: Bench, gateway: Any) -> None:
    socket = await gateway()
    for _ in range(121):
        await socket.send(1, None)
    assert await socket.close_code() == 4008


async def test_without_the_content_intent_messages_are_empty_unless_own_or_mentioning(bench: Bench, gateway: Any) -> None:
    socket = await gateway()
    await socket.send(2, identity(bench, intents=34305 & ~(1 << 15)))
    await socket.until("GUILD_CREATE")
    await bench.emulator.say(bench.chat, "Anna", "secret")
    await bench.emulator.say(bench.chat, "Anna", f"for you <@{bench.emulator.bot.user.id}>")
    assert (await socket.until("MESSAGE_CREATE"))["d"]["content"] == ""
    assert (await socket.until("MESSAGE_CREATE"))["d"]["content"].startswith("for you")


async def test_resume_replays_in_order_and_refuses_what_it_cannot(bench: Bench, gateway: Any) -> None:
    first = await gateway()
    await first.send(2, identity(bench))
    ready = await first.until("READY")
    last = await first.until("GUILD_CREATE")
    await bench.emulator.disturb(StreamFault.DISCONNECT)
    for number in range(3):
        await bench.emulator.say(bench.chat, "Anna", f"{number}")
    second = await gateway()
    resume = {"token": bench.emulator.bot.token, "session_id": ready["d"]["session_id"], "seq": last["s"]}
    await second.send(6, resume)
    texts = [(await second.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(3)]
    assert texts == ["0", "1", "2"]
    assert (await second.until("RESUMED"))["s"] == last["s"] + 4
    third = await gateway()
    await third.send(6, {**resume, "session_id": "unknown"})
    assert (await third.next())["op"] == 10
    refused = await third.next()
    assert (refused["op"], refused["d"]) == (9, False)


async def test_frames_are_compressed_when_asked(bench: Bench) -> None:
    url = bench.emulator.account_options()["gateway_url"] + "?v=10&encoding=json&compress=zlib-stream"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        raw = await socket.receive_bytes()
        assert raw.endswith(b"\x00\x00\xff\xff")
        assert json.loads(zlib.decompressobj().decompress(raw))["op"] == 10


async def test_reordering_swaps_two_events(bench: Bench, gateway: Any) -> None:
    socket = await gateway()
    await socket.send(2, identity(bench))
    await socket.until("GUILD_CREATE")
    await bench.emulator.disturb(StreamFault.REORDER)
    for number in range(3):
        await bench.emulator.say(bench.chat, "Anna", f"{number}")
    assert [(await socket.until("MESSAGE_CREATE"))["d"]["content"] for _ in range(3)] == ["1", "0", "2"]
