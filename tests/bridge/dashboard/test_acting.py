"""What people do is finished and noted, even if who asked has gone; and there is an end to how much waits."""

from __future__ import annotations

import asyncio

import pytest

from bridge.config.dashboard import Role
from bridge.dashboard import acting
from bridge.dashboard.access import Who
from bridge.dashboard.acting import _MOST_WAITING, Busy, whole
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
    noted, _ = await eventually_asked(board.journal.persons.audited, holds=lambda found: len(found) == 2)
    assert (noted.actor, noted.subject, noted.result) == ("dashboard anna", "dead letter 1 forged", "done")


async def test_one_that_fails_is_noted_with_how_far_it_came(board: Board) -> None:
    async def work() -> tuple[None, str]:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        await board.dashboard._actions.do(ANNA, "replay", "all", work, failed=lambda: "3 retried, then it failed")
    (noted,) = await board.noted()
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
    assert len(await board.noted()) == _MOST_WAITING


async def test_who_is_killed_in_the_middle_leaves_a_line(board: Board) -> None:
    begun = asyncio.Event()

    async def work() -> tuple[None, str]:
        begun.set()
        await asyncio.Event().wait()
        return None, "never"

    asking = asyncio.create_task(board.dashboard._actions.do(ANNA, "replay", "all", work))
    await begun.wait()
    (line,) = await board.journal.persons.audited()
    assert (line.action, line.result) == ("replay", "begun")
    for task in board.dashboard._actions._tasks:
        task.cancel()
    await asyncio.wait({asking})


async def test_a_stop_lets_it_be_finished_and_begins_nothing_more(board: Board) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> tuple[None, str]:
        begun.set()
        await go_on.wait()
        return None, "all of it"

    actions = board.dashboard._actions
    asking = [asyncio.create_task(actions.do(ANNA, action, "all", work)) for action in ("replay", "drop")]
    await begun.wait()
    closing = asyncio.create_task(actions.close())
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await actions.do(ANNA, "retry", "too late", work)
    go_on.set()
    await closing
    await asyncio.wait(asking)
    assert isinstance(asking[1].exception(), Busy), "it had not begun"
    (noted,) = await board.noted()
    assert (noted.action, noted.result) == ("replay", "all of it")


async def test_what_takes_too_long_at_a_stop_is_counted_as_far_as_it_came(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "_END_S", 0.05)
    begun, go_on = asyncio.Event(), asyncio.Event()
    done: list[int] = []

    async def written() -> int:
        begun.set()
        await go_on.wait()
        return 3

    async def work() -> tuple[None, str]:
        await whole(written(), done.append)
        await whole(asyncio.Event().wait(), lambda _: None)
        return None, "never"

    actions = board.dashboard._actions
    asking = asyncio.create_task(actions.do(ANNA, "replay", "all", work, failed=lambda: f"{sum(done)} retried, then it failed"))
    await begun.wait()
    (task,) = actions._tasks
    await actions.close()
    go_on.set()
    await asyncio.wait({asking, task})
    (noted,) = await board.noted()
    assert noted.result == "3 retried, then it failed"
