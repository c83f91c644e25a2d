"""The host's clock is wrong, and a platform's answer to a post is lost: the message is there once all the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.registry import load_platform
from bridge.app import App
from bridge.model.clock import SystemClock
from tests.flows.world import World
from tests.support.scripted import QUICK

OPERATION = {"slack": "chat.postMessage", "discord": "POST /webhooks/*"}


class WrongClock(SystemClock):
    """The system's clock, set by hand."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
async def world(tmp_path: Path, platform: str) -> Any:
    world = World(tmp_path, platforms=("teamspirit", platform))
    await world.start_platforms()
    yield world
    await world.stop_bridge()
    await world.stop_platforms()


@pytest.mark.parametrize("platform", OPERATION)
@pytest.mark.parametrize("ahead_s", [60, -3600, 365 * 86_400, -365 * 86_400])
@pytest.mark.parametrize("step_s", [0, 600, -600])
async def test_a_lost_answer_doubles_nothing(world: World, platform: str, ahead_s: int, step_s: int) -> None:
    clock = WrongClock(timedelta(seconds=ahead_s))
    world.app = App(world.config(), manifests=load_platform, back_off=QUICK, clock=clock)
    await world.app.start()
    await world.all_up()
    await world.say("teamspirit", "m0")
    await world.copy(platform, "m0")
    world.emulators[platform].inject(Fault(kind=FaultKind.DROP_AFTER, operation=OPERATION[platform]))
    await world.say("teamspirit", "m1")
    await world.copy(platform, "m1")
    clock.ahead += timedelta(seconds=step_s)
    await world.say("teamspirit", "m2")
    await world.copy(platform, "m2")
    assert len(world.copies(platform, "m1")) == 1, world.texts(platform)
