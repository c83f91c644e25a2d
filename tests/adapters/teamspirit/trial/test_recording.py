"""Recordings: played, they are judged as the server was; nothing of people or secrets is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.registry import load_platform
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.dialects import Exchanged, Step, StepState
from bridge.model.errors import ConfigFault
from tests.adapters.teamspirit.mattermost_server import TOKEN, MattermostServer, account_options
from tests.adapters.teamspirit.trial.conftest import context_of, steps_of


def recorded(options: dict[str, Any], chat: str, steps: dict[str, Step]) -> Any:
    tools = load_platform("teamspirit").dialects()
    assert tools is not None
    return json.loads(json.dumps(tools.recording(context_of(options), chat, list(steps.values()))))


async def test_what_was_recorded_is_played_without_a_server(emulator: TeamSpiritEmulator) -> None:
    emulator.add_chat("duty")
    options = emulator.account_options()
    recording = recorded(options, "duty", await steps_of(context_of(options), "duty"))
    await emulator.stop()
    played = await steps_of(context_of(options), "another", played=recording)
    assert {step.state for step in played.values()} == {StepState.OK}, [step for step in played.values() if step.complaints]
    assert len(played) == 18
    wrong = {**options, "overrides": {"message_fields": {"text": "body"}}}
    steps = await steps_of(context_of(wrong), "", played=recording)
    assert [(one.entry, one.hint) for one in steps["history"].complaints] == [("message_fields.text", "it is at text")]


async def test_nothing_of_people_or_secrets_is_recorded(server: MattermostServer) -> None:
    channel = server.add_channel("secret-project")
    anna = server.add_user("anna.petrova", "Anna", "Petrova")
    server.users[anna]["email"] = "anna@corp.example.com"
    server.post(
        channel, anna, "my telephone is +7 912 345-67-89, my flat is 1234567", props={"avatar": "https://corp.example.com/a.png"}
    )
    server.users[server.bot]["nickname"] = "Mostik"
    options = account_options(server)
    steps = await steps_of(context_of(options), "secret-project")
    assert "my flat is" in json.dumps([one.answer for one in steps["history"].exchanges])
    recording = recorded(options, "secret-project", steps)
    text = json.dumps(recording)
    for secret in (
        "anna.petrova",
        "Petrova",
        "345-67-89",
        "1234567",
        "corp.example",
        "secret-project",
        "Mostik",
        TOKEN,
        server.url.split("//")[1],
        channel,
        anna,
    ):
        assert secret not in text, secret
    played = await steps_of(context_of(options), "", played=recording)
    skipped = ("websocket", "webhook_send", "rename_chat")
    assert [played.pop(name).state for name in skipped] == [StepState.SKIPPED] * 3
    assert {step.state for step in played.values()} == {StepState.OK}, [step for step in played.values() if step.complaints]


@pytest.mark.parametrize("nonsense", [[], {}, {"exchanges": 5}, {"exchanges": [{"operation": 1}]}, "x", None])
async def test_what_is_no_recording_is_refused(emulator: TeamSpiritEmulator, nonsense: Any) -> None:
    with pytest.raises(ConfigFault, match="no recording"):
        await steps_of(context_of(emulator.account_options()), "", played=nonsense if nonsense is not None else 0)


async def test_a_recording_that_ends_early_says_so(emulator: TeamSpiritEmulator) -> None:
    steps = await steps_of(context_of(emulator.account_options()), "", played={"exchanges": []})
    assert "no (further) answer" in steps["me"].detail


def test_addresses_queries_keys_and_places_tell_nothing_of_people_either() -> None:
    exchanged = Exchanged(
        operation="users",
        method="GET",
        url="https://im.example.com/api/users/anna/chats?key=hunter&mail=anna%40corp.example&limit=50",
        headers=(),
        body={"user": "anna"},
        status=200,
        answer={"boris@corp.example": {"latitude": -55.751244, "longitude": 37.618423, "at": 1700000000.25, "ratio": 2.0}},
    )
    step = Step(operation="users", state=StepState.OK, detail="", exchanges=(exchanged,), read=(), complaints=())
    options = {"server": "https://im.example.com", "api_key": "key0123456789abcdef"}
    recording = recorded(options, "c1", {"users": step})
    text = json.dumps(recording)
    for told in ("anna", "hunter", "corp.example", "boris", "55.75", "37.61"):
        assert told not in text, told
    (exchange,) = recording["exchanges"]
    assert "/chats?key=" in exchange["url"]
    assert exchange["url"].endswith("limit=50")
    (place,) = exchange["answer"].values()
    assert -90 < place["latitude"] < 0 < place["longitude"] < 90
    assert (place["at"], place["ratio"]) == (1700000000.25, 2.0)
