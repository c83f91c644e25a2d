"""A trial of a dialect, right or deliberately wrong, against the emulator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.registry import load_platform
from adapters.teamspirit.emulator import TeamSpiritEmulator
from bridge.model.dialects import Step
from bridge.model.platform import AdapterContext
from bridge.web.public import PublicWeb
from tests.adapters.teamspirit.harness import ACCOUNT

Try = Callable[..., Awaitable[dict[str, Step]]]


def context_of(options: dict[str, Any]) -> AdapterContext:
    made = load_platform("teamspirit").options().model_validate(options)
    assert not load_platform("teamspirit").check_options(made)
    return AdapterContext(account=ACCOUNT, options=made, web=PublicWeb().of(ACCOUNT))


async def steps_of(context: AdapterContext, chat: str, **how: Any) -> dict[str, Step]:
    tools = load_platform("teamspirit").dialects()
    assert tools is not None
    return {step.operation: step async for step in tools.trial(context, chat, **how)}


@pytest.fixture
def attempt(emulator: TeamSpiritEmulator) -> Try:
    """Steps by operation, of the default dialect with these overrides, in a new chat `duty`."""

    async def run(overrides: dict[str, Any] | None = None, chat: str = "duty", **how: Any) -> dict[str, Step]:
        if not any(one.name == "duty" for one in emulator.chats()):
            emulator.add_chat("duty")
        return await steps_of(context_of({**emulator.account_options(), "overrides": overrides or {}}), chat, **how)

    return run
