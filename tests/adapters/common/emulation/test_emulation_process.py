"""Emulators in a process of their own, as benchmarks and crash tests use them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.common.emulation.control_client import ControlClient
from adapters.registry import load_platform
from tests.support.patience import PATIENCE_S


async def _spawn(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "adapters.common.emulation",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.fixture
async def process() -> AsyncIterator[asyncio.subprocess.Process]:
    started = await _spawn("slack", "discord")
    yield started
    if started.returncode is None:
        started.kill()
    await started.communicate()


async def test_it_tells_where_everything_is_and_ends_on_a_signal(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S))
    assert set(found["platforms"]) == {"slack", "discord"}
    for platform, described in found["platforms"].items():
        options = load_platform(platform).options().model_validate(described["account_options"])
        assert options is not None
    async with ControlClient(found["control"]) as client:
        slack = await client.emulator("slack")
        assert slack.base_url == found["platforms"]["slack"]["base_url"]
        chat = await slack.add_chat("general")
        said = await slack.say(chat.chat_id, "Anna", "*hello*")
        (seen,) = await slack.wait_until(chat.chat_id, bool, timeout_s=PATIENCE_S)
        assert (seen.message_id, seen.text) == (said, "hello")
        assert "<b>hello</b>" in seen.html
        process.terminate()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


@pytest.mark.parametrize(
    "arguments", [["icq"], ["slack=x"], ["slack", "--option", "slack.boost=2"], ["slack", "--option", "telegram.local=true"]]
)
async def test_wrong_arguments_are_told(arguments: list[str]) -> None:
    process = await _spawn(*arguments)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 2
    assert arguments[-1].partition("=")[0].encode() in err


async def test_an_emulators_own_options() -> None:
    process = await _spawn("telegram", "teamspirit", "--option", "telegram.local=true", "--option", "teamspirit.max_upload_mb=1000")
    try:
        assert process.stdout is not None
        found: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE_S))
        assert found["platforms"]["telegram"]["account_options"]["local_server"] is True
        assert found["platforms"]["teamspirit"]["account_options"]["max_upload_mb"] == 1000
    finally:
        process.kill()
        await process.communicate()


async def test_options_are_listed() -> None:
    process = await _spawn("discord", "--list-options")
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0
    assert "discord.boost=0  the server's boost level" in out.decode()
