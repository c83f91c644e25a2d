"""`dialect test` and `dialect record` of the shipped dialects, each against a server of its shapes: nothing is left out or told."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.registry import load_platform
from adapters.teamspirit.trial.operations import OPERATIONS
from bridge.model.dialects import StepState
from tests.adapters.teamspirit import mattermost_server, pachca_server, test_adapter_pachca, test_adapter_rocketchat
from tests.adapters.teamspirit.trial.conftest import context_of, steps_of

MADE: dict[str, tuple[Callable[[Any], dict[str, Any]], str, str]] = {
    "mattermost": (mattermost_server.account_options, "duty", mattermost_server.TOKEN),
    "pachca": (test_adapter_pachca.options, "duty", pachca_server.TOKEN),
    "rocketchat": (test_adapter_rocketchat.options, "general", test_adapter_rocketchat.TOKEN),
}
"""The account's options for a server, the chat, and the key."""


@dataclass
class Case:
    options: dict[str, Any]
    chat: str
    secrets: tuple[str, ...]


@pytest.fixture(params=["mattermost", "pachca", "rocketchat"])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[Case]:
    server: Any
    match request.param:
        case "mattermost":
            server = mattermost_server.MattermostServer()
            server.add_channel("duty")
        case "pachca":
            server = pachca_server.PachcaServer()
            server.add_chat("duty")
        case _:
            server = test_adapter_rocketchat.RocketChatServer()
    options, chat, secret = MADE[request.param]
    await server.start()
    yield Case(options(server), chat, (secret,))
    await server.stop()


async def test_each_operation_is_tried_or_named_as_not_tried(case: Case) -> None:
    context = context_of(case.options)
    steps = await steps_of(context, case.chat)
    dialect = context.options.read_dialect
    there = {name for name, call in dialect.operations if call is not None} | ({"websocket"} if dialect.websocket else set())
    assert set(steps) == there
    assert set(OPERATIONS) == {name for name, _ in dialect.operations} | {"websocket"}, (
        "the engine has no operation without a trial"
    )
    for name, step in steps.items():
        assert step.state is StepState.OK or (step.state is StepState.SKIPPED and step.detail), (name, step)


async def test_a_recording_plays_and_holds_no_secret(case: Case) -> None:
    hook = {"incoming_webhook": "https://im.example.com/hooks/incoming-key-0123"}
    context = context_of({**case.options, "chats": {"elsewhere": hook}})
    steps = await steps_of(context, case.chat)
    tools = load_platform("teamspirit").dialects()
    assert tools is not None
    recording = json.loads(json.dumps(tools.recording(context, case.chat, list(steps.values()))))
    text = json.dumps([recording, [str(step) for step in steps.values()]])
    for secret in (*case.secrets, "incoming-key-0123"):
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            assert form not in text
    assert "Bearer" not in json.dumps(recording), "headers are not recorded at all"
    played = await steps_of(context, "", played=recording)
    assert {name: step.state for name, step in played.items() if name != "websocket"} == {
        name: step.state for name, step in steps.items() if name != "websocket"
    }
