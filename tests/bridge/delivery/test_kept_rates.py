"""A restart is no reason to send more than a platform's rates allow. On a virtual loop: nothing waits for real."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.model.adapter import Outbound
from bridge.model.capabilities import Operation, Rates, Window
from tests.faults.checks import check
from tests.faults.platform import KIND
from tests.faults.simulation import Plan, Simulation, on_a_virtual_loop

CHAT = Rates(per_chat=(Window(messages=3, span_s=3.0), Window(messages=20, span_s=60.0, burst=20)))
ACCOUNT = Rates(per_account=(Window(messages=20, span_s=60.0, burst=20),))
EDITS = Rates(changes={Operation.EDIT: ACCOUNT})

How = Callable[[Simulation], Coroutine[Any, Any, None]]


async def stopped(simulation: Simulation) -> None:
    """As by systemd."""
    assert simulation.app is not None
    await simulation.app.stop()
    simulation.app = None


async def killed(simulation: Simulation) -> None:
    """What was sent within the last second may be forgotten: nothing was."""
    await simulation.clock.sleep(2)
    await simulation.die()


async def stopped_twice(simulation: Simulation) -> None:
    """Nobody spoke in between."""
    await stopped(simulation)
    await simulation.start()
    await simulation.clock.sleep(1)
    await stopped(simulation)


async def stopped_and_the_clock_went_back(simulation: Simulation) -> None:
    await stopped(simulation)
    simulation.clock.step(timedelta(days=-365))


class Watched(Simulation):
    """Two platforms; `asked_at_s` has when the second was asked to send or to edit something."""

    def __init__(self, folder: Path, rates: Rates) -> None:
        platforms = (("one", True), ("two", True))
        super().__init__(Plan(seed=1, chats=1, platforms=platforms, deaths=0, clock_steps=0, retries=0, faults=KIND), folder)
        self.asked_at_s: list[float] = []
        two = self.platforms[1]
        two.rates = rates
        if rates is EDITS:
            two.before_change = lambda operation, calls: self.asked_at_s.extend([self.now_s] * calls)
        else:
            two.before_send = self._sends

    def _sends(self, _: Outbound) -> None:
        self.asked_at_s.append(self.now_s)

    async def live(self, ends: How) -> None:
        one = self.platforms[0]
        await self.start()
        for number in range(19):
            said = one.speak(number, "c0")
            await self.clock.sleep(1.2)
            one.correct(said)
        await self.clock.sleep(5)
        assert len(self.asked_at_s) == 19, "nothing had to wait"
        await ends(self)
        await self.start()
        for number in range(20, 40):
            one.correct(one.speak(number, "c0"))
        await self.settle()
        await self.finish()


@pytest.mark.parametrize("ends", [stopped, killed, stopped_twice, stopped_and_the_clock_went_back], ids=lambda how: how.__name__)
@pytest.mark.parametrize("rates", [CHAT, ACCOUNT, EDITS], ids=["of a chat", "of an account", "of edits"])
def test_a_restart_after_a_full_window(tmp_path: Path, rates: Rates, ends: How) -> None:
    simulation = Watched(tmp_path, rates)
    on_a_virtual_loop(1, simulation.live(ends))
    check(simulation)
    asked = simulation.asked_at_s
    assert len(asked) >= 25
    most = max(sum(1 for at_s in asked if start <= at_s < start + 60.0) for start in asked)
    assert most <= 20


def test_what_cannot_be_read_stops_nobody(tmp_path: Path) -> None:
    async def live(simulation: Watched) -> None:
        await simulation.start()
        assert simulation.app is not None
        await simulation.app._journal.set_note("rates", '{"at": "yesterday"}')
        await simulation.die()
        await simulation.start()
        simulation.platforms[0].speak(1, "c0")
        await simulation.settle()
        await simulation.finish()

    simulation = Watched(tmp_path, CHAT)
    on_a_virtual_loop(1, live(simulation))
    check(simulation)
