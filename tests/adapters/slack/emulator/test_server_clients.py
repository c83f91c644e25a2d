"""The emulator as a whole under Slack's own Web API client: reading, files, faults, and no connection."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator import SlackEmulator
from tests.adapters.slack.emulator.listening import Listener
from tests.support.patience import eventually


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
