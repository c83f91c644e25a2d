"""The HTTP Events API: requests of the emulator's sender, and of forgers, at the adapter's handler."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.emulation.contract import StreamFault
from adapters.slack.emulator import SlackEmulator
from bridge.model.events import MessageCreated
from tests.support.intake import Gate
from tests.support.patience import eventually, stays

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Listener:
    """A public web listener with one place to mount at."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.public_url = ""
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/hooks/team/{name}", self._dispatch)
        return app

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        handler = self.handlers.get(request.match_info["name"])
        return await handler(request) if handler else web.Response(status=404)

    def mount(self, name: str, handler: Any) -> str:
        self.handlers[name] = handler
        return f"/hooks/team/{name}"

    def unmount(self, name: str) -> None:
        del self.handlers[name]

    def serve_keys(self, handler: Any) -> None:
        raise AssertionError("no key is handed out")

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.public_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self._runner.cleanup()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    listener = Listener()
    await listener.start()
    yield listener
    await listener.stop()


async def connect(account: Any, emulator: SlackEmulator, listener: Listener) -> str:
    account.web = listener
    await account.start(events="http", signing_secret=emulator.http_sender.signing_secret, app_token=None)
    url = f"{listener.public_url}/hooks/team/events"
    await emulator.use_http_events(url)
    return url


async def test_events_by_http(account: Any, emulator: SlackEmulator, listener: Listener) -> None:
    chat = account.chat()
    await connect(account, emulator, listener)
    ts = await emulator.say(chat, "Anna", "hello")
    await eventually(lambda: account.intake.texts() == ["hello"])
    assert account.intake.of(MessageCreated)[0].message_id == ts
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    await emulator.disturb(StreamFault.REDELIVER)
    await emulator.disturb(StreamFault.POISON)
    await eventually(lambda: account.intake.duplicates and account.intake.undecoded)
    await eventually(lambda: emulator.deliveries.unsettled == 0)
    await account.stop()
    assert listener.handlers == {}


async def test_a_request_is_answered_only_when_the_core_has_it(account: Any, emulator: SlackEmulator, listener: Listener) -> None:
    chat = account.chat()
    await connect(account, emulator, listener)
    account.intake.before_accept = gate = Gate()
    await emulator.say(chat, "Anna", "hello")
    await eventually(lambda: gate.held)
    await stays(lambda: emulator.deliveries.unsettled == 1)
    gate.open()
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_nothing_unsigned_gets_in(account: Any, emulator: SlackEmulator, listener: Listener) -> None:
    account.chat()
    url = await connect(account, emulator, listener)
    sender = emulator.http_sender
    body = b'{"type":"event_callback","event":{"type":"message","channel":"C1","ts":"1700000000.000001","text":"forged"}}'
    good = sender.headers(body)
    late = sender.headers(body, timestamp=int(time.time()) - 301)
    other = sender.headers(b"{}")
    forgeries: list[dict[str, str]] = [
        {},
        {**good, "X-Slack-Signature": "v0=" + "0" * 64},
        {**good, "X-Slack-Signature": "v0=é"},
        {**good, "X-Slack-Request-Timestamp": "soon"},
        {**good, "X-Slack-Request-Timestamp": str(int(good["X-Slack-Request-Timestamp"]) + 1)},
        late,
        other,
    ]
    async with aiohttp.ClientSession() as session:
        for headers in forgeries:
            async with session.post(url, data=body, headers=headers) as answer:
                assert answer.status == 401
        async with session.post(url, data=b"\xff\xfe", headers=sender.headers(b"\xff\xfe")) as answer:
            assert answer.status == 401
        async with session.get(url) as answer:
            assert answer.status == 405
        challenge = b'{"type":"url_verification","challenge":"c-1"}'
        async with session.post(url, data=challenge) as answer:
            assert (answer.status, "c-1" in await answer.text()) == (401, False)
        async with session.post(url, data=b"[]", headers=sender.headers(b"[]")) as answer:
            assert answer.status == 200
    assert account.intake.events == []
    assert [raw for raw, _ in account.intake.undecoded] == [b"[]"]


async def test_the_emulators_sender_satisfies_bolt(account: Any, emulator: SlackEmulator, listener: Listener) -> None:
    """An independent receiver: slack_bolt checks the signature and answers the challenge."""
    client = AsyncWebClient(emulator.workspace.bot_token, base_url=f"{emulator.base_url}/api/")
    app = AsyncApp(client=client, signing_secret=emulator.http_sender.signing_secret)
    seen: list[str] = []

    @app.event("message")
    async def on_message(event: dict[str, Any]) -> None:
        seen.append(event["text"])

    async def handle(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    listener.mount("events", handle)
    await emulator.use_http_events(f"{listener.public_url}/hooks/team/events")
    chat = emulator.add_chat("general").chat_id
    await emulator.say(chat, "Anna", "to bolt")
    await eventually(lambda: emulator.deliveries.unsettled == 0 and seen == ["to bolt"])
    listener.unmount("events")
    emulator.deliveries.retry_delays_s = (0.0, 0.05)
    await emulator.say(chat, "Anna", "lost")
    await eventually(lambda: emulator.deliveries.lost)
