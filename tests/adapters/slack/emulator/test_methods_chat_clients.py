"""Posts under Slack's own Web API client: made, changed, reacted to, and refused in Slack's words."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.emulator import SlackEmulator
from tests.adapters.slack.emulator.listening import error_of


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
