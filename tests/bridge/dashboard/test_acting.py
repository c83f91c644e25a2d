"""What people do is finished and noted, even if who asked has gone; and there is an end to how much waits."""

from __future__ import annotations

import asyncio

import pytest

from bridge.config.dashboard import Role
from bridge.dashboard.access import Who
from bridge.dashboard.acting import _MOST_WAITING, Busy
from tests.support.dashboard import Board
from tests.support.patience import eventually_asked

ANNA = Who(name="anna", role=Role.OPERATE)


async def test_it_is_finished_and_noted_though_who_asked_has_gone(board: Board) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> tuple[None, str]:
        begun.set()
        await go_on.wait()
        return None, "done"

    asking = asyncio.create_task(board.dashboard._actions.do(ANNA, "retry", "dead letter 1\nforged", work))
    await begun.wait()
    asking.cancel()
    await asyncio.wait({asking})
    go_on.set()
    (noted,) = await eventually_asked(board.journal.persons.audited)
    assert (noted.actor, noted.subject, noted.result) == ("dashboard anna", "dead letter 1 forged", "done")


async def test_one_that_fails_is_noted_with_how_far_it_came(board: Board) -> None:
    async def work() -> tuple[None, str]:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        await board.dashboard._actions.do(ANNA, "replay", "all", work, failed=lambda: "3 retried, then it failed")
    (noted,) = await board.journal.persons.audited()
    assert noted.result == "3 retried, then it failed"


async def test_only_so_many_wait(board: Board) -> None:
    go_on = asyncio.Event()

    async def work() -> tuple[None, str]:
        await go_on.wait()
        return None, "done"

    actions = board.dashboard._actions
    waiting = [asyncio.create_task(actions.do(ANNA, "retry", f"{number}", work)) for number in range(_MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await actions.do(ANNA, "retry", "one too many", work)
    go_on.set()
    await asyncio.gather(*waiting)
    assert len(await board.journal.persons.audited()) == _MOST_WAITING
