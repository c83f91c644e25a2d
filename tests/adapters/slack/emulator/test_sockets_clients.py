"""Sockets, and slack_bolt on one."""

from __future__ import annotations

import contextlib
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.emulator import SlackEmulator
from tests.support.patience import eventually


async def test_a_ticket_works_once(emulator: SlackEmulator) -> None:
    async with aiohttp.ClientSession() as session:
        url = emulator.sockets.issue_url()
        async with session.ws_connect(url) as ws:
            assert (await ws.receive_json())["type"] == "hello"
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{emulator.base_url.replace('http', 'ws')}/link/?ticket=guess")


async def test_the_eleventh_socket_is_refused(emulator: SlackEmulator) -> None:
    async with aiohttp.ClientSession() as session, contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            ws = await stack.enter_async_context(session.ws_connect(emulator.sockets.issue_url()))
            assert (await ws.receive_json())["type"] == "hello"
        ws = await stack.enter_async_context(session.ws_connect(emulator.sockets.issue_url()))
        assert (await ws.receive_json())["reason"] == "too_many_websockets"


async def test_bolt_answers_in_a_thread(emulator: SlackEmulator) -> None:
    client = AsyncWebClient(emulator.workspace.bot_token, base_url=f"{emulator.base_url}/api/")
    app = AsyncApp(client=client)
    edits: list[str] = []

    @app.event({"type": "message", "subtype": None})
    async def on_message(event: dict[str, Any], say: Any) -> None:
        await say(text=f"echo {event['text']}", thread_ts=event["ts"])

    @app.event({"type": "message", "subtype": "message_changed"})
    async def on_edit(event: dict[str, Any]) -> None:
        edits.append(event["message"]["text"])

    handler = AsyncSocketModeHandler(
        app, emulator.workspace.app_token, web_client=AsyncWebClient(base_url=f"{emulator.base_url}/api/")
    )
    await handler.connect_async()
    await eventually(lambda: emulator.sockets.open_count == 1)
    chat = emulator.add_chat("general").chat_id
    ts = await emulator.say(chat, "Anna", "ping")
    await eventually(lambda: len(emulator.transcript(chat)) == 2)
    answer = emulator.transcript(chat)[1]
    assert (answer.text, answer.reply_to, answer.is_bot) == ("echo ping", ts, True)
    await emulator.edit(chat, ts, "pong")
    await eventually(lambda: edits == ["pong"])
    await handler.close_async()
