"""What Slack refuses: rights, rates."""

from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.emulator import SlackEmulator
from tests.adapters.slack.emulator.listening import error_of


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
