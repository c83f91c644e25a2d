"""The emulated bot program insists on what Standard Webhooks says, asked by the independent library."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from standardwebhooks import Webhook

from adapters.webhook.emulator.server import TO_US, WebhookEmulator
from tests.adapters.webhook.receivers import OLD_SECRET


@pytest.fixture
async def emulator() -> AsyncIterator[WebhookEmulator]:
    made = WebhookEmulator()
    await made.start()
    made.add_chat("alerts")
    yield made
    await made.stop()


def event(kind: str = "message.created", **data: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": {"end": "alerts", "message_id": "m1", **data}}


async def post(
    emulator: WebhookEmulator,
    payload: Any,
    *,
    end: str = "alerts",
    secret: str = TO_US,
    webhook_id: str = "",
    ago: timedelta = timedelta(),
) -> int:
    body, webhook_id, at = json.dumps(payload), webhook_id or uuid.uuid4().hex, datetime.now(UTC) - ago
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body),
    }
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{emulator.base_url}/hook/{end}", data=body, headers=headers) as answer,
    ):
        return answer.status


async def test_a_message_and_what_becomes_of_it_is_shown(emulator: WebhookEmulator) -> None:
    assert await post(emulator, event(text="hello <b>", author={"name": "Anna"})) == 204
    assert await post(emulator, event("message.edited", text="better")) == 204
    assert await post(emulator, event("reaction.added", emoji=["👍"], reactions=["👍"])) == 204
    (shown,) = emulator.transcript("alerts")
    assert (shown.text, shown.author_name, shown.edited, shown.is_bot) == ("better", "Anna", True, True)
    assert [reaction.emoji for reaction in shown.reactions] == ["👍"]
    assert await post(emulator, event("message.deleted")) == 204
    assert emulator.transcript("alerts")[0].deleted


async def test_another_attempt_is_nothing_new(emulator: WebhookEmulator) -> None:
    for _ in range(2):
        assert await post(emulator, event(text="once"), webhook_id="w1") == 204
    assert len(emulator.transcript("alerts")) == 1
    assert len(list(emulator.calls())) == 2


async def test_what_is_not_right_is_refused(emulator: WebhookEmulator) -> None:
    said = event(text="hello")
    assert await post(emulator, said, secret=OLD_SECRET) == 401
    assert await post(emulator, said, ago=timedelta(minutes=10)) == 401
    assert await post(emulator, said, end="nobody") == 404
    assert await post(emulator, event(text="x" * 30_000)) == 413
    assert await post(emulator, event("message.unheard-of", text="x")) == 400
    assert await post(emulator, {**said, "more": 1}) == 400
    assert await post(emulator, event("message.edited", text="x", message_id="m9")) == 400
    assert not emulator.transcript("alerts")


async def test_people_say_nothing_before_the_bridge_is_known(emulator: WebhookEmulator) -> None:
    with pytest.raises(RuntimeError, match="bridge_is_at"):
        await emulator.say("alerts", "Anna", "hello")
