"""Websockets of matterbridge's API, by an independent client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from adapters.webhook.matterbridge_api import hearing as hearing_module
from adapters.webhook.matterbridge_api import socket as socket_module
from tests.adapters.webhook.matterbridge_api.served import Served, serving
from tests.support.patience import PATIENCE_S, eventually


def connected(served: Served) -> Any:
    return connect(f"{served.base.replace('http', 'ws')}/api/websocket", proxy=None)


async def heard(client: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await client.recv())


async def test_messages_go_both_ways_and_are_read_once() -> None:
    async with serving() as served:
        await served.say("before", "t0")
        async with connected(served) as client:
            assert (await heard(client))["event"] == "api_connected"
            assert (await heard(client))["text"] == "before"
            await client.send(json.dumps({"text": "as text", "username": "Alex", "gateway": "one"}))
            await client.send(json.dumps({"text": "as bytes", "gateway": "one"}).encode())
            await served.say("now", "t1")
            assert (await heard(client))["text"] == "now"
            await served.intake.until(lambda: served.intake.texts() == ["as text", "as bytes"])
            await eventually(lambda: served.store.notes["api/k1/one"].startswith("2."))
        await eventually(lambda: not served.adapter._fetching._readers)
        assert await served.texts() == []


async def test_what_is_no_message_is_kept_and_the_next_is_taken() -> None:
    async with serving() as served, connected(served) as client:
        for said in ("no JSON", "[" * 100_000, json.dumps({"text": "x", "gateway": "third"}), json.dumps("words")):
            await client.send(said)
        await client.send(json.dumps({"text": "the next"}))
        await served.intake.until(lambda: served.intake.texts() == ["the next"])
        reasons = [reason for _, reason in served.intake.undecoded]
        assert len(reasons) == 4
        assert "no JSON" in reasons[0]
        assert "no gateway 'third'" in reasons[2]


async def test_what_cannot_be_taken_now_is_waited_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing_module, "_AGAIN_S", 0.02)
    async with serving() as served, connected(served) as client:
        waits = iter((0.01, 0.01, 0.0))
        served.adapter._receiver._intake, intake = None, served.adapter._receiver._intake
        await client.send(json.dumps({"text": "kept in mind"}))
        await heard(client)
        served.adapter._receiver._intake = intake
        await served.intake.until(lambda: served.intake.texts() == ["kept in mind"])
        served.by(spend=lambda: next(waits))
        async with connected(served) as other:
            await other.send(json.dumps({"text": "within the rate"}))
            await served.intake.until(lambda: "within the rate" in served.intake.texts())
        assert next(waits, None) is None, "it was asked until it might be taken"


async def test_a_connection_ends_with_the_account_and_at_what_is_too_large() -> None:
    async with serving() as served:
        async with connected(served) as client:
            await heard(client)
            with pytest.raises(ConnectionClosed) as closed:
                await client.send("x" * (socket_module.MOST_BYTES + 1))
                await heard(client)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009
        async with connected(served) as client:
            await heard(client)
            await served.adapter.close()
            with pytest.raises(ConnectionClosed) as closed:
                await heard(client)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
