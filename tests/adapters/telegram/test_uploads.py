"""Uploads: as long as they move they are not cut, and they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.telegram.emulator import TelegramEmulator
from bridge.model.adapter import OutboundDelete
from tests.support.patience import PATIENCE_S

MB = 1024**2


async def test_a_slow_upload_is_not_cut_while_it_moves(make_adapter: Any, say: Any, file: Any) -> None:
    """The wait for the answer begins when the body is written."""
    total = 0

    async def read_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal total
        started = asyncio.get_running_loop().time()
        tail = b""
        async with asyncio.timeout(PATIENCE_S):
            while not tail.endswith(b"\r\n0\r\n\r\n"):  # the end of a chunked body
                chunk = await reader.read(1 << 18)
                total += len(chunk)
                tail = (tail + chunk)[-16:]
                await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() - started > 4.2, "longer than the wait for an answer, which is 4 s"
        body = b'{"ok":true,"result":{"message_id":7}}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(read_slowly, "127.0.0.1", 0, limit=1 << 18)
    adapter = make_adapter(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", request_timeout_s=4.0)
    content = b"x" * (24 * MB)
    receipt = await adapter.send(say("", files=(file("document", "a.bin", "application/x-a", content),)))
    assert receipt.message_ids == ("7",)
    assert total > len(content)
    server.close()
    await server.wait_closed()


async def test_an_upload_that_is_never_answered_ends(
    emulator: TelegramEmulator, chat: str, make_adapter: Any, say: Any, file: Any, copy_of: Any
) -> None:
    adapter = make_adapter(request_timeout_s=2.0)
    outbound = say("", files=(file("document", "a.bin", "application/x-a", b"x" * 1000),))
    copy = copy_of(outbound, await adapter.send(outbound))
    await adapter.delete(OutboundDelete(copy=copy))
    emulator.inject(Fault(kind=FaultKind.HANG, operation="sendDocument", times=1))
    with pytest.raises(Exception, match="no answer in time"):
        await asyncio.wait_for(adapter.send(outbound), PATIENCE_S)
