"""What Slack's own Web API client reads of channels and people."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.emulator import SlackEmulator
from tests.adapters.slack.emulator.listening import error_of


async def test_the_channels_of_a_person_are_those_that_they_are_in(emulator: SlackEmulator, web: AsyncWebClient) -> None:
    chats = [emulator.add_chat(name).chat_id for name in ("one", "two", "old")]
    anna = emulator.add_person("Anna")
    for chat in chats[1:]:
        emulator.join(chat, "Anna")
    emulator.archive_chat(chats[2])
    found = await web.users_conversations(user=anna, types="public_channel", exclude_archived=True)
    assert [channel["id"] for channel in found["channels"]] == [chats[1]]
    paged = await web.users_conversations(user=anna, limit=1)
    assert [channel["id"] for channel in paged["channels"]] == [chats[1]]
    rest = await web.users_conversations(user=anna, limit=1, cursor=paged["response_metadata"]["next_cursor"])
    assert [channel["id"] for channel in rest["channels"]] == [chats[2]]
    assert await error_of(web.users_conversations(user="U404")) == "user_not_found"
