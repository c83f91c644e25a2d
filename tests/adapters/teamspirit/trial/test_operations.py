"""What a trial finds: nothing in a right dialect; in a wrong one the entry to correct, and what to correct it to."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teamspirit.emulator import TeamSpiritEmulator
from adapters.teamspirit.trial.operations import OPERATIONS
from bridge.model.dialects import StepState
from tests.adapters.teamspirit.mattermost_server import MattermostServer, account_options
from tests.adapters.teamspirit.trial.conftest import Try, context_of, steps_of


async def test_a_right_dialect_is_right_and_nothing_stays(emulator: TeamSpiritEmulator, attempt: Try) -> None:
    steps = await attempt()
    assert {step.state for step in steps.values()} == {StepState.OK}, steps
    assert list(steps) == [name for name in OPERATIONS if name in steps]
    assert len(steps) == 18
    (chat,) = emulator.chats()
    assert all(message.deleted for message in emulator.transcript(chat.chat_id))
    assert not emulator.world.outgoing.webhooks
    assert {one.entry: one.found for one in steps["me"].read} == {
        "operations.me.answer.id": emulator.world.state.bot.user_id,
        "operations.me.answer.name": "bridge",
    }


async def test_mattermost_s_dialect_is_right_against_its_server(server: MattermostServer) -> None:
    channel = server.add_channel("town-square")
    steps = await steps_of(context_of(account_options(server)), "town-square")
    assert [steps.pop(name).state for name in ("webhook_send", "rename_chat")] == [StepState.SKIPPED] * 2
    assert {step.state for step in steps.values()} == {StepState.OK}, [step for step in steps.values() if step.complaints]
    assert all(post["delete_at"] for post in server.posts.values())
    assert steps["websocket"].detail == "let in by frame 1"
    assert {post["channel_id"] for post in server.posts.values()} == {channel}


async def test_without_a_token_mattermost_s_incoming_webhook_is_tried_alone(server: MattermostServer) -> None:
    channel = server.add_channel("town-square")
    url = server.incoming_webhook(server.add_channel("elsewhere"))
    steps = await steps_of(context_of({"dialect": "mattermost", "incoming_webhook": url}), "town-square")
    assert {name: step.state for name, step in steps.items()} == {"webhook_send": StepState.OK}, steps
    assert "does not say which" in steps["webhook_send"].detail
    assert url.rpartition("/")[2] not in str(steps)
    assert {post["channel_id"] for post in server.posts.values()} == {channel}


@pytest.mark.parametrize(
    ("overrides", "operation", "entry", "hint"),
    [
        ({"base": "{{ account.server }}/api/v9"}, "me", "operations.me.path", ""),
        ({"headers": {"Authorization": None}}, "me", "headers", ""),
        ({"operations": {"me": {"answer": {"id": "user.id"}}}}, "me", "operations.me.answer.id", "the answer has id"),
        ({"operations": {"me": {"answer": {"id": "uid", "name": "name"}}}}, "me", "operations.me.answer.id", "the answer has id"),
        ({"operations": {"chats": {"answer": {"items": "chats"}}}}, "chats", "operations.chats.answer.items", "items[0]"),
        ({"operations": {"chats": {"answer": {"name": "title"}}}}, "chats", "operations.chats.answer.name", "there are c"),
        ({"operations": {"users": {"answer": {"name": "full_name"}}}}, "users", "operations.users.answer.name", "name"),
        ({"operations": {"upload": {"file_field": "attachment"}}}, "upload", "operations.upload.json", ""),
        ({"operations": {"send": {"path": "/rooms/{{ chat.id }}"}}}, "send", "operations.send.path", ""),
        ({"operations": {"send": {"method": "PUT"}}}, "send", "operations.send.method", ""),
        ({"operations": {"send": {"json": {"text": 5, "format": "{{ message.text }}"}}}}, "send", "operations.send.json", ""),
        ({"operations": {"send": {"answer": {"id": "data.id"}}}}, "send", "operations.send.answer.id", "the answer has id"),
        ({"operations": {"history": {"answer": {"items": "messages"}}}}, "history", "operations.history.answer.items", "items[0]"),
        ({"operations": {"edit": {"method": "PUT"}}}, "edit", "operations.edit.method", ""),
        ({"operations": {"download": {"path": "/files/{{ file.id }}"}}}, "download", "operations.download.path", ""),
        ({"operations": {"delete": {"path": "/messages/{{ message.id }}"}}}, "delete", "operations.delete.path", ""),
        (
            {"operations": {"register_webhook": {"answer": {"secret": "signing_secret"}}}},
            "register_webhook",
            "operations.register_webhook.answer.secret",
            "the answer has secret",
        ),
        ({"operations": {"list_webhooks": {"answer": {"id": "name"}}}}, "list_webhooks", "operations.list_webhooks.answer.id", ""),
        (
            {"errors": {"code": "code"}, "operations": {"send": {"json": {"text": 5, "format": "{{ message.text }}"}}}},
            "send",
            "errors.code",
            "error.code",
        ),
    ],
)
async def test_a_wrong_dialect_is_told_its_entry(
    attempt: Try, overrides: dict[str, Any], operation: str, entry: str, hint: str
) -> None:
    steps = await attempt(overrides)
    complaints = {one.entry: one.hint for one in steps[operation].complaints}
    assert steps[operation].state is StepState.WRONG
    assert entry in complaints, complaints
    assert hint in complaints[entry]


async def test_secrets_that_the_server_tells_are_not_shown(attempt: Try, emulator: TeamSpiritEmulator) -> None:
    steps = await attempt()
    registered = steps["register_webhook"]
    assert {one.found for one in registered.read if one.entry.endswith((".key", ".secret"))} == {"***"}
    assert registered.exchanges[0].answer["secret"] == "***"


@pytest.mark.parametrize(
    ("websocket", "entry"),
    [
        ({"ready": "event == 'welcome'"}, "websocket.ready"),
        ({"refused": "seq_reply == `1`", "ready": "event == 'hello'"}, "websocket.hello"),
        ({"url": "{{ account.server }}/api/v5/websocket"}, "websocket.url"),
    ],
)
async def test_a_websocket_that_does_not_let_us_in(server: MattermostServer, websocket: dict[str, str], entry: str) -> None:
    options = account_options(server, overrides={"websocket": websocket})
    steps = await steps_of(context_of(options), "", only=["websocket"])
    assert list(steps) == ["me", "websocket"]
    assert [one.entry for one in steps["websocket"].complaints] == [entry], steps["websocket"]
    assert steps["websocket"].exchanges[0].body[0]["action"] == "authentication_challenge"
