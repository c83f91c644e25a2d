"""Bodies that come slowly or are cut."""

from __future__ import annotations

import time

import aiohttp
import pytest

from adapters.common.emulation import EmulatorBase
from adapters.common.emulation.contract import Fault, FaultKind


async def test_an_answers_body_comes_slowly_but_whole(emulators: dict[str, EmulatorBase]) -> None:
    emulator = emulators["telegram"]
    emulator.inject(Fault(kind=FaultKind.SLOW_BODY, bytes_per_s=40, times=1))
    began_s = time.monotonic()
    async with aiohttp.ClientSession() as session, session.get(f"{emulator.base_url}/ping") as response:
        assert await response.json() == {"ok": True}
    assert time.monotonic() - began_s > 0.2


async def test_an_answers_body_is_cut_where_it_is_told_to(emulators: dict[str, EmulatorBase]) -> None:
    emulator = emulators["telegram"]
    emulator.inject(Fault(kind=FaultKind.CUT_BODY, after_bytes=5, times=1))
    async with aiohttp.ClientSession() as session, session.get(f"{emulator.base_url}/ping") as response:
        assert response.content_length == len('{"ok": true}')
        assert await response.content.readexactly(5) == b'{"ok"'
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.read()


async def test_a_fault_without_sense_is_refused(emulators: dict[str, EmulatorBase]) -> None:
    with pytest.raises(ValueError, match="bytes_per_s"):
        emulators["telegram"].inject(Fault(kind=FaultKind.SLOW_BODY, bytes_per_s=0))
