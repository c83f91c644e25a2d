"""A messenger that has webhooks alone redelivers a refused call in its own time: what became of the message meanwhile counts."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.accounts.state import AccountState
from tests.flows.world import World
from tests.support.long_texts import thread_held_up
from tests.support.network import free_port
from tests.support.patience import eventually, stays


class WebhooksOnly(World):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ("discord",))
        self.port = free_port()

    def document(self) -> dict[str, Any]:
        document = super().document()
        document["web"] = {"public": {"listen": f"127.0.0.1:{self.port}", "url": f"http://127.0.0.1:{self.port}"}}
        document["accounts"]["ts"] = {
            "platform": "teamspirit",
            "dialect": "teamspirit-webhooks",
            "webhook": {"path": "a-path-hard-to-guess", "key": "K", "secret": "S"},
            "chats": {"duty": {"incoming_webhook": "http://127.0.0.1:9/hooks/x", "id": "17"}},
        }
        document["routes"][0]["between"].append("ts/duty")
        return document

    async def call(self, event: str, text: str, message_id: str = "m1", *, chat: str = "17", **message: Any) -> None:
        """The messenger tells us, and we confirm."""
        now = datetime.now(UTC).isoformat()
        body = json.dumps(
            {
                "event_id": f"{event}-{message_id}-{text}",
                "event": event,
                "time": now,
                "chat": {"id": chat, "name": "Duty" if chat == "17" else "elsewhere"},
                "user": {"id": "u1", "name": "anna", "display_name": "Anna"},
                "message": {"id": message_id, "text": text, "sent_at": now, **message},
            }
        ).encode()
        at = str(int(time.time()))
        signature = hmac.new(b"S", at.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {"X-TeamSpirit-Key": "K", "X-TeamSpirit-Timestamp": at, "X-TeamSpirit-Signature": f"sha256={signature}"}
        url = f"http://127.0.0.1:{self.port}/hooks/ts/a-path-hard-to-guess"
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 200

    async def edited(self, text: str) -> None:
        await self.call("message.edited", text, edited_at=datetime.now(UTC).isoformat())

    def shown(self) -> list[str]:
        return [message.text for message in self.seen("discord") if message.is_bot and not message.deleted]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[WebhooksOnly]:
    one = WebhooksOnly(tmp_path)
    await one.start_platforms()
    await one.start_bridge()
    await one.until_state("ts", AccountState.UP)
    yield one
    await one.stop_bridge()
    await one.stop_platforms()


async def test_a_message_redelivered_after_its_edits_shows_the_last(world: WebhooksOnly) -> None:
    await world.edited("meet at 16:00")
    await world.edited("meet at 17:00")
    await world.call("message.created", "meet at 15:00")
    await world.call("message.created", "the end", "m2")
    await eventually(lambda: "the end" in world.shown(), what=f"{world.shown()}")
    await eventually(lambda: world.shown() == ["meet at 17:00", "the end"], what=f"{world.shown()}")


async def test_a_message_redelivered_after_its_deletion_does_not_come_back(world: WebhooksOnly) -> None:
    await world.edited("my password is hunter3")
    await world.call("message.deleted", "")
    await world.call("message.created", "my password is hunter2")
    await world.call("message.created", "the end", "m2")
    await eventually(lambda: "the end" in world.shown(), what=f"{world.shown()}")
    assert world.shown() == ["the end"]


async def test_also_over_a_restart(world: WebhooksOnly) -> None:
    await world.edited("meet at 17:00")
    await world.stop_bridge()
    await world.start_bridge()
    await world.until_state("ts", AccountState.UP)
    await world.call("message.created", "meet at 15:00")
    await eventually(lambda: world.shown() == ["meet at 17:00"], what=f"{world.shown()}")


LONG = "long " * 1000


async def test_a_short_message_does_not_overtake_a_long_one(world: WebhooksOnly) -> None:
    """The long one's text is read beside the loop meanwhile. Another chat's calls do not wait for it."""
    async with thread_held_up() as held:
        long = asyncio.create_task(world.call("message.created", LONG, "m1"))
        await held.until_waiting()
        short = asyncio.create_task(world.call("message.created", "short", "m2"))
        correction = asyncio.create_task(world.edited("corrected"))
        await world.call("message.created", "somewhere else", "m3", chat="18")
        await stays(lambda: not long.done() and not short.done() and not correction.done())
        held.end()
        await asyncio.gather(long, short, correction)
    await eventually(lambda: world.shown() == ["corrected", "short"], what=f"{world.shown()}")


async def test_a_stop_while_a_long_text_is_read_confirms_nothing(world: WebhooksOnly) -> None:
    """What was not kept was not confirmed: the messenger tells it again, and it is there once."""
    async with thread_held_up() as held:
        long = asyncio.create_task(world.call("message.created", LONG + "end", "m1"))
        await held.until_waiting()
        await world.stop_bridge()
        with pytest.raises((aiohttp.ClientError, AssertionError)):
            await long
    await world.start_bridge()
    await world.until_state("ts", AccountState.UP)
    await world.call("message.created", LONG + "end", "m1")
    await world.call("message.created", "the end", "m2")
    await eventually(lambda: "the end" in world.shown(), what=f"{world.shown()}")
    assert " ".join(world.shown()).split() == [*["long"] * 1000, "end", "the", "end"]
