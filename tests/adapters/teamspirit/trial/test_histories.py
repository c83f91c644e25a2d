"""Entries of `message_fields` against a message that was just sent: what is wrong is told, and where the right value stands."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.dialects import StepState
from tests.adapters.teamspirit.trial.conftest import Try


@pytest.mark.parametrize(
    ("overrides", "operation", "entry", "hint"),
    [
        ({"message_fields": {"message_id": "chat.id"}}, "history", "message_fields.message_id", "it is at id"),
        ({"message_fields": {"user_id": "author_id"}}, "history", "message_fields.user_id", "it is at user.id"),
        ({"message_fields": {"text": "body"}}, "history", "message_fields.text", "it is at text"),
        ({"message_fields": {"client_id": "nonce"}}, "history", "message_fields.client_id", "it is at client_id"),
        ({"message_fields": {"sent_at": "text"}}, "history", "message_fields.sent_at", "sent_at"),
        ({"message_fields": {"deleted": "text"}}, "history", "message_fields.deleted", ""),
        ({"message_fields": {"system": "user.is_bot"}}, "history", "message_fields.system", ""),
        ({"message_fields": {"files": "attachments"}}, "history", "message_fields.files", "files"),
        ({"message_fields": {"edited_at": "changed_at"}}, "edit", "message_fields.edited_at", "edited_at"),
        (
            {"operations": {"edit": {"json": {"text": None, "body": "{{ message.text }}", "files": "{{ message.files }}"}}}},
            "edit",
            "operations.edit",
            "",
        ),
        (
            {"operations": {"history": {"answer": {"items": "reverse(items)"}}}},
            "history",
            "operations.history.answer.items",
            "sort",
        ),
    ],
)
async def test_a_wrong_field_is_told_with_the_right_one(
    attempt: Try, emulator: TeamSpiritEmulator, overrides: dict[str, Any], operation: str, entry: str, hint: str
) -> None:
    chat = emulator.add_chat("duty")
    await emulator.say(chat.chat_id, emulator.add_person("Anna"), "said before")
    steps = await attempt(overrides)
    complaints = {one.entry: one.hint for one in steps[operation].complaints}
    assert entry in complaints, (complaints, steps[operation])
    assert hint in complaints[entry]


async def test_the_id_that_the_send_did_not_tell_is_found_by_its_words(attempt: Try, emulator: TeamSpiritEmulator) -> None:
    steps = await attempt({"operations": {"send": {"answer": {"id": "nowhere"}}}})
    assert {name for name, step in steps.items() if step.state is not StepState.OK} == {"send"}
    assert all(message.deleted for message in emulator.transcript(emulator.chats()[0].chat_id))


async def test_in_a_long_chat_the_message_is_read_behind_another(attempt: Try, emulator: TeamSpiritEmulator) -> None:
    chat, anna = emulator.add_chat("duty"), emulator.add_person("Anna")
    for number in range(5):
        await emulator.say(chat.chat_id, anna, f"said before {number}")
    steps = await attempt({"operations": {"history": {"page_size": 3}}})
    assert {step.state for step in steps.values()} == {StepState.OK}, [step for step in steps.values() if step.complaints]
    assert "the test's among them" in steps["history"].detail
    left = [message.text for message in emulator.transcript(chat.chat_id) if not message.deleted]
    assert left == [f"said before {number}" for number in range(5)]
