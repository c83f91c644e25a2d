"""The emulator under client libraries that are not the adapter's own: Slack's Web API and Socket Mode clients, slack_bolt."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.emulation.contract import Fault, FaultKind, StreamFault, Upload
from adapters.slack.emulator import SlackEmulator
from tests.support.patience import eventually


@pytest.fixture
async def emulator() -> AsyncIterator[SlackEmulator]:
    emulator = SlackEmulator()
    await emulator.start()
    yield emulator
    await emulator.stop()


@pytest.fixture
async def web(emulator: SlackEmulator) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(emulator.workspace.bot_token, base_url=f"{emulator.base_url}/api/", session=session, retry_handlers=[])


class Listener:
    """slack_sdk's own Socket Mode client; acknowledges when `acks` is on."""

    def __init__(self, emulator: SlackEmulator) -> None:
        self.requests: list[SocketModeRequest] = []
        self.frames: list[dict[str, Any]] = []
        self.acks = True
        web = AsyncWebClient(base_url=f"{emulator.base_url}/api/")
        self.client = SocketModeClient(app_token=emulator.workspace.app_token, web_client=web, ping_interval=1)
        self.client.socket_mode_request_listeners.append(self._on_request)  # type: ignore[arg-type]
        self.client.message_listeners.append(self._on_frame)  # type: ignore[arg-type]
        self.client.logger.setLevel(logging.CRITICAL)

    async def _on_request(self, client: SocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        if self.acks:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async def _on_frame(self, client: SocketModeClient, message: dict[str, Any], raw: str | None = None) -> None:
        self.frames.append(message)

    def events(self) -> list[dict[str, Any]]:
        return [request.payload["event"] for request in self.requests]


@pytest.fixture
async def listener(emulator: SlackEmulator) -> AsyncIterator[Listener]:
    listener = Listener(emulator)
    await listener.client.connect()
    await eventually(lambda: emulator.sockets.open_count == 1)
    yield listener
    await listener.client.close()
    await asyncio.sleep(0)


async def error_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_web_client_posts_edits_deletes_reacts(emulator: SlackEmulator, web: AsyncWebClient) -> None:
    chat = emulator.add_chat("Engineering Team").chat_id
    posted = await web.chat_postMessage(
        channel="#engineering-team", text="a *bold* &lt;tag&gt;", username="Anna", icon_url="http://x/a.png"
    )
    seen = emulator.seen(chat, posted["ts"])
    assert (seen.author_name, seen.text, seen.author_avatar_url) == ("Anna", "a bold <tag>", "http://x/a.png")
    assert seen.html == "a <b>bold</b> &lt;tag&gt;"
    await web.chat_update(channel=chat, ts=posted["ts"], text="new")
    assert emulator.seen(chat, posted["ts"]).text == "new"
    await web.reactions_add(channel=chat, timestamp=posted["ts"], name="thumbsup")
    assert emulator.seen(chat, posted["ts"]).reactions[0].emoji == "👍"
    assert await error_of(web.reactions_add(channel=chat, timestamp=posted["ts"], name="thumbsup")) == "already_reacted"
    await web.reactions_remove(channel=chat, timestamp=posted["ts"], name="thumbsup")
    assert await error_of(web.reactions_add(channel=chat, timestamp=posted["ts"], name="👍")) == "invalid_name"
    await web.chat_delete(channel=chat, ts=posted["ts"])
    assert emulator.seen(chat, posted["ts"]).deleted
    assert await error_of(web.chat_update(channel=chat, ts=posted["ts"], text="x")) == "message_not_found"


async def test_web_client_reads(emulator: SlackEmulator, web: AsyncWebClient) -> None:
    chat = emulator.add_chat("general").chat_id
    parent = await emulator.say(chat, "Anna", "first")
    reply = await emulator.say(chat, "Boris", "reply", reply_to=parent)
    for n in range(5):
        await emulator.say(chat, "Anna", f"more {n}")
    assert (await web.auth_test())["bot_id"] == emulator.workspace.bot_id
    page = await web.conversations_history(channel=chat, oldest=parent, limit=2)
    assert [message["text"] for message in page["messages"]] == ["more 4", "more 3"]
    page = await web.conversations_history(channel=chat, oldest=parent, limit=9, cursor=page["response_metadata"]["next_cursor"])
    assert [message["text"] for message in page["messages"]] == ["more 2", "more 1", "more 0"]
    whole = await web.conversations_history(channel=chat)
    assert whole["messages"][-1]["latest_reply"] == reply
    thread = await web.conversations_replies(channel=chat, ts=parent)
    assert [message["text"] for message in thread["messages"]] == ["first", "reply"]
    assert (await web.users_info(user=emulator.add_person("Anna")))["user"]["profile"]["display_name"] == "Anna"
    names = {channel["name"] async for page in await web.conversations_list(limit=1) for channel in page["channels"]}
    assert names == {"general"}


async def test_files_in_three_steps_and_private_download(emulator: SlackEmulator, web: AsyncWebClient, listener: Listener) -> None:
    chat = emulator.add_chat("general").chat_id
    content = bytes(range(256)) * 400
    await web.files_upload_v2(channel=chat, filename="photo.png", content=content, initial_comment="look")
    await eventually(lambda: any(message.files for message in emulator.transcript(chat)))
    seen = emulator.transcript(chat)[-1]
    assert (seen.text, seen.files[0].kind, seen.files[0].size_bytes) == ("look", "photo", len(content))
    assert emulator.file_bytes(seen.files[0].file_id) == content
    await eventually(lambda: any(event.get("subtype") == "file_share" for event in listener.events()))
    info = await web.files_info(file=seen.files[0].file_id)
    assert info["file"]["shares"]["public"][chat][0]["ts"] == seen.message_id
    url = info["file"]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert (answer.status, (await answer.text())[:15]) == (200, "<!DOCTYPE html>")
        async with session.get(url, headers={"Authorization": f"Bearer {emulator.workspace.bot_token}"}) as answer:
            assert await answer.read() == content


async def test_events_reach_the_socket_mode_client(emulator: SlackEmulator, listener: Listener) -> None:
    chat = emulator.add_chat("general").chat_id
    ts = await emulator.say(chat, "Anna", "*hi* <you> :wave: & [site](https://example.com/)")
    await emulator.edit(chat, ts, "edited")
    await emulator.react(chat, ts, "Boris", "👍")
    await emulator.delete(chat, ts)
    await eventually(lambda: len(listener.requests) == 4)
    message, edit, reaction, deletion = listener.events()
    assert message["text"] == "*hi* &lt;you&gt; :wave: &amp; <https://example.com/|site>"
    assert message["blocks"][0]["elements"][0]["elements"][0] == {"type": "text", "text": "hi", "style": {"bold": True}}
    assert (edit["message"]["ts"], edit["message"]["text"]) == (ts, "edited")
    assert int(ts.partition(".")[0]) <= float(edit["message"]["edited"]["ts"]) <= float(edit["ts"])
    assert edit["message"]["edited"]["ts"].endswith(".000000")
    assert (reaction["type"], reaction["reaction"], reaction["item"]["ts"]) == ("reaction_added", "+1", ts)
    assert (deletion["subtype"], deletion["deleted_ts"]) == ("message_deleted", ts)
    await eventually(lambda: emulator.deliveries.unsettled == 0)


async def test_own_messages_come_back(emulator: SlackEmulator, web: AsyncWebClient, listener: Listener) -> None:
    chat = emulator.add_chat("general").chat_id
    await web.chat_postMessage(channel=chat, text="plain", metadata={"event_type": "m", "event_payload": {"id": "1"}})
    await web.chat_postMessage(channel=chat, text="persona", username="Anna")
    emulator.workspace.persona_as_bot_message = False
    await web.chat_postMessage(channel=chat, text="persona", username="Anna")
    await eventually(lambda: len(listener.requests) == 3)
    plain, persona, modern = listener.events()
    assert (plain["bot_id"], plain["user"], plain["metadata"]["event_payload"]) == (
        emulator.workspace.bot_id,
        emulator.workspace.bot_user_id,
        {"id": "1"},
    )
    assert (persona["subtype"], persona["username"], persona.get("user")) == ("bot_message", "Anna", None)
    assert (modern.get("subtype"), modern["bot_id"]) == (None, emulator.workspace.bot_id)


async def test_unacknowledged_events_are_retried_three_times(emulator: SlackEmulator, listener: Listener) -> None:
    emulator.deliveries.ack_deadline_s = 0.05
    emulator.deliveries.retry_delays_s = (0.0, 0.05, 0.1)
    listener.acks = False
    chat = emulator.add_chat("general").chat_id
    await emulator.say(chat, "Anna", "hello?")
    await eventually(lambda: bool(emulator.deliveries.lost))
    assert [frame.get("retry_attempt") for frame in listener.frames if "envelope_id" in frame] == [0, 1, 2, 3]
    assert len({frame["envelope_id"] for frame in listener.frames if "envelope_id" in frame}) == 4
    assert len({frame["payload"]["event_id"] for frame in listener.frames if "envelope_id" in frame}) == 1


async def test_events_without_a_socket_wait_for_their_retry(emulator: SlackEmulator) -> None:
    emulator.deliveries.retry_delays_s = (0.0, 0.3, 0.3)
    chat = emulator.add_chat("general").chat_id
    await emulator.say(chat, "Anna", "anybody?")
    listener = Listener(emulator)
    await listener.client.connect()
    await eventually(lambda: len(listener.requests) == 1)
    assert listener.requests[0].retry_attempt == 2
    await listener.client.close()


async def test_stream_faults(emulator: SlackEmulator, listener: Listener) -> None:
    chat = emulator.add_chat("general").chat_id
    await emulator.say(chat, "Anna", "one")
    await emulator.disturb(StreamFault.REDELIVER)
    await eventually(lambda: len(listener.requests) == 2)
    assert listener.requests[0].payload["event_id"] == listener.requests[1].payload["event_id"]
    await emulator.disturb(StreamFault.REORDER)
    await emulator.say(chat, "Anna", "two")
    await emulator.say(chat, "Anna", "three")
    await eventually(lambda: len(listener.requests) == 4)
    assert [event["text"] for event in listener.events()[2:]] == ["three", "two"]
    await emulator.disturb(StreamFault.POISON)
    await eventually(lambda: len(listener.requests) == 5)
    await emulator.disturb(StreamFault.DISCONNECT_CLEAN)
    await eventually(lambda: emulator.sockets.connections_total >= 2 and emulator.sockets.open_count == 1)
    await emulator.say(chat, "Anna", "four")
    await eventually(lambda: any(event.get("text") == "four" for event in listener.events()))


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


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x", "channel": "C404"}, "channel_not_found"),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "y" * 3001}}]}, "invalid_blocks"),
        ({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "y" * 2900}}] * 5}, "msg_blocks_too_long"),
        ({"text": "x", "metadata": {"event_type": "m", "event_payload": {"x": "y" * 9000}}}, "metadata_too_large"),
        ({"text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
    ],
)
async def test_wrong_posts_are_refused(emulator: SlackEmulator, web: AsyncWebClient, arguments: dict[str, Any], error: str) -> None:
    chat = emulator.add_chat("general").chat_id
    assert await error_of(web.api_call("chat.postMessage", json={"channel": chat, **arguments})) == error


async def test_rights(emulator: SlackEmulator, web: AsyncWebClient) -> None:
    chat = emulator.add_chat("general").chat_id
    theirs = await emulator.say(chat, "Anna", "mine")
    assert await error_of(web.chat_update(channel=chat, ts=theirs, text="x")) == "cant_update_message"
    assert await error_of(web.chat_delete(channel=chat, ts=theirs)) == "cant_delete_message"
    ours = (await web.chat_postMessage(channel=chat, text="x" * 5000))["ts"]
    assert await error_of(web.chat_update(channel=chat, ts=ours, text="x" * 4001)) == "msg_too_long"
    emulator.workspace.scopes -= {"chat:write.customize", "chat:write.public"}
    assert await error_of(web.chat_postMessage(channel=chat, text="x", username="Anna")) == "missing_scope"
    emulator.remove_bot(chat)
    assert await error_of(web.chat_postMessage(channel=chat, text="x")) == "not_in_channel"
    assert await error_of(web.conversations_history(channel=chat)) == "not_in_channel"
    emulator.archive_chat(chat)
    assert await error_of(web.chat_postMessage(channel=chat, text="x")) == "is_archived"
    stranger = AsyncWebClient("xoxb-wrong", base_url=f"{emulator.base_url}/api/")
    assert await error_of(stranger.auth_test()) == "invalid_auth"
    assert await error_of(web.apps_connections_open(app_token=emulator.workspace.bot_token)) == "not_allowed_token_type"


async def test_rate_budget(emulator: SlackEmulator, web: AsyncWebClient) -> None:
    emulator.api.budgets.enabled = True
    chat = emulator.add_chat("general").chat_id
    for _ in range(4):
        await web.chat_postMessage(channel=chat, text="x")
    with pytest.raises(SlackApiError) as caught:
        await web.chat_postMessage(channel=chat, text="x")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
    assert int(caught.value.response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    ("kind", "arrived"),
    [
        (FaultKind.RATE_LIMIT, False),
        (FaultKind.SERVER_ERROR, False),
        (FaultKind.SERVER_ERROR_AFTER, True),
        (FaultKind.HANG, False),
        (FaultKind.HANG_AFTER, True),
        (FaultKind.DROP, False),
        (FaultKind.DROP_AFTER, True),
        (FaultKind.UNAUTHORIZED, False),
    ],
)
async def test_faults(emulator: SlackEmulator, web: AsyncWebClient, kind: FaultKind, arrived: bool) -> None:
    chat = emulator.add_chat("general").chat_id
    emulator.inject(Fault(kind=kind, operation="chat.postMessage", times=1))
    with pytest.raises((SlackApiError, aiohttp.ClientError, TimeoutError)):
        async with asyncio.timeout(3):  # short: some of these never answer
            await web.chat_postMessage(channel=chat, text="x")
    assert bool(emulator.transcript(chat)) is arrived
    assert emulator.calls().count("chat.postMessage") == 1
    await web.chat_postMessage(channel=chat, text="y")


async def test_refused_connections_and_return(emulator: SlackEmulator, web: AsyncWebClient) -> None:
    chat = emulator.add_chat("general").chat_id
    await web.chat_postMessage(channel=chat, text="x")
    await emulator.refuse_connections(True)
    with pytest.raises(aiohttp.ClientError):
        await web.chat_postMessage(channel=chat, text="x")
    await emulator.refuse_connections(False)
    await web.chat_postMessage(channel=chat, text="x")
    assert len(emulator.transcript(chat)) == 2


async def test_voice_and_album_are_shown_as_such(emulator: SlackEmulator) -> None:
    chat = emulator.add_chat("general").chat_id
    uploads = [
        Upload(name="v.m4a", mime="audio/mp4", content=b"v", kind="voice"),
        Upload(name="p.jpg", mime="image/jpeg", content=b"p"),
    ]
    ts = await emulator.say(chat, "Anna", "two", files=uploads)
    assert [file.kind for file in emulator.seen(chat, ts).files] == ["voice", "photo"]


async def test_the_formatting_sample_shows_its_words(emulator: SlackEmulator) -> None:
    chat = emulator.add_chat("general").chat_id
    seen = emulator.seen(chat, await emulator.say(chat, "Anna", emulator.formatting_sample()))
    assert seen.text.split() == ["bold", "italic", "strike", "code", "label", "quoted", "block"]
    for tag in (
        "<b>bold",
        "<i>italic",
        "<s>strike",
        "<code>code",
        '<a href="https://example.com/">label',
        "<blockquote>quoted",
        "<pre>block",
    ):
        assert tag in seen.html
