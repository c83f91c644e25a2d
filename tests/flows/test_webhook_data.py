"""What a bot program is told of a message beside its words: marks, files, places, the moment, what was forwarded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.common.emulation.contract import Upload
from adapters.telegram.emulator import TelegramEmulator
from adapters.webhook.emulator import WebhookEmulator
from tests.flows.world import World
from tests.support.network import free_port
from tests.support.patience import eventually


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path, ("telegram", "webhook"))
    port = free_port()
    made.settings["web"] = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    await made.start_platforms()
    await made.start_bridge()
    yield made
    await made.stop_bridge()
    await made.stop_platforms()


async def told(world: World, needle: str) -> Mapping[str, Any]:
    """The data of the message that has these words."""
    emulator = world.emulators["webhook"]
    assert isinstance(emulator, WebhookEmulator)
    messages = emulator.world.chats["lobby"].messages
    found = await eventually(lambda: [one for one in messages.values() if needle in one.text], needle)
    data: Mapping[str, Any] = found[0].data
    return data


async def test_a_program_is_told_all_that_a_message_is(world: World) -> None:
    telegram, chat = world.emulators["telegram"], world.chats["telegram"].chat_id
    assert isinstance(telegram, TelegramEmulator)
    marked = {
        "text": "see the_log and *this*",
        "entities": [
            {"type": "text_link", "offset": 4, "length": 7, "url": "https://example.com/log"},
            {"type": "bold", "offset": 16, "length": 6},
        ],
        "forward_origin": {"type": "hidden_user", "sender_user_name": "Vera", "date": 1795600000},
    }
    message = await telegram.post(chat, "Anna", marked)
    data = await told(world, "the_log")
    assert data["text"].endswith("see the_log (https://example.com/log) and *this*")
    assert data["markdown"].endswith("see [the\\_log](https://example.com/log) and **\\*this\\***")
    assert data["forwarded_from"] == {"author": "Vera"}
    said_at = datetime.fromisoformat(data["occurred_at"])
    assert abs(said_at - datetime.now(UTC)) < timedelta(minutes=10)
    assert said_at.microsecond == 0, "Telegram's own time, in whole seconds"

    await world.say("telegram", "a paper", files=[Upload(name="plan.pdf", mime="application/pdf", content=b"%PDF-1.4")])
    data = await told(world, "a paper")
    (file,) = data["files"]
    url = file.pop("url")
    assert file == {"name": "plan.pdf", "mime": "application/pdf", "kind": "document", "size_bytes": 8}
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        assert (answer.status, await answer.read()) == (200, b"%PDF-1.4")
    assert "plan.pdf" in data["text"], "a line for who reads the words alone"

    place = {"latitude": 59.9386, "longitude": 30.3141}
    await telegram.post(chat, "Anna", {"venue": {"location": place, "title": "Palace Square", "address": "6"}, "location": place})
    data = await told(world, "Palace Square")
    assert data["location"] == {**place, "title": "Palace Square", "address": "6"}

    await telegram.edit(chat, str(message), "better")
    assert (await told(world, "better"))["markdown"].endswith("\nbetter")
