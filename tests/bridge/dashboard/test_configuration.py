"""bridge.yaml without its secrets, its faults, what a reload would change, and the reload of just that."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bridge.config.difference import Difference
from bridge.dashboard import configuration
from bridge.model.errors import ConfigFault
from bridge.reloading import Reloaded
from tests.support.clock import ManualClock
from tests.support.dashboard import ANNA, WALL, Board, Visitor
from tests.support.patience import eventually

Make = Callable[..., Awaitable[Board]]

CHANGES = Reloaded(difference=Difference(routes_added=("second",), needs_restart=("journal.path",)), seen="first")


def seen_of(html: str) -> str:
    found = re.search(r'name="seen" value="(\w+)"', html)
    assert found is not None
    return found[1]


async def test_the_file_is_shown_without_secrets_with_what_a_reload_would_change(anna: Visitor) -> None:
    anna.board.reloads.found = CHANGES
    shown = await anna.get("config")
    assert shown.status == 200
    for words in ("The file is right", "+ route second", "! journal.path: in force after a restart", "between: [tg/-1001234567890"):
        assert words in shown.words, words
    for secret in ("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "a-teamspirit-key", ANNA, WALL):
        assert secret not in shown.html
    assert anna.board.reloads.reloads == 0


async def test_a_reload_does_what_was_seen_and_says_what_became_of_it(anna: Visitor) -> None:
    reloads = anna.board.reloads
    reloads.found = CHANGES
    shown = await anna.get("config")
    form = {"token": shown.token, "seen": seen_of(shown.html)}
    reloads.found = Reloaded(difference=Difference(routes_removed=("engineering",)), seen="second")
    other = await anna.post("reload", form)
    assert "The file has changed meanwhile" in other.words
    assert "- route engineering" in other.words
    assert reloads.reloads == 0, "nobody has agreed to that"
    done = await anna.post("reload", {"token": other.token, "seen": seen_of(other.html)})
    assert (done.status, reloads.reloads) == (200, 1)
    assert "What was to change - route engineering" in done.words or "What changed - route engineering" in done.words
    noted, refused = await anna.board.noted()
    assert (noted.actor, noted.action, noted.result) == ("dashboard anna", "reload", "- route engineering")
    assert refused.result == "not reloaded: the file had changed meanwhile"


async def test_another_value_of_the_same_key_is_another_file(anna: Visitor) -> None:
    reloads = anna.board.reloads
    reloads.found = CHANGES
    shown = await anna.get("config")
    assert CHANGES.seen not in seen_of(shown.html), "nobody can try secrets against it"
    reloads.found = replace(CHANGES, seen="second")
    other = await anna.post("reload", {"token": shown.token, "seen": seen_of(shown.html)})
    assert "The file has changed meanwhile" in other.words
    for seen in ("", "x", "\u00e9"):
        assert "The file has changed" in (await anna.post("reload", {"token": other.token, "seen": seen})).words
    assert reloads.reloads == 0


async def test_however_many_ask_and_go_it_is_read_once(make: Make) -> None:
    clock = ManualClock()
    board = await make(clock=clock)
    async with board.visitor() as anna, board.visitor() as wall:
        await anna.sign_in()
        await wall.sign_in("wall", WALL)
        board.reloads.may_look.clear()
        for number in range(5):
            gone = asyncio.create_task(anna.get(f"config?{number}"))
            await eventually(lambda: board.reloads.looks)
            gone.cancel()
            await asyncio.wait({gone})
        asking = [asyncio.create_task(one.get("config")) for one in (anna, wall)]
        assert "anna may operate" in (await anna.get("")).words, "in a reload the other pages are there"
        assert not any(task.done() for task in asking)
        board.reloads.may_look.set()
        assert [("The file is right" in (await task).words) for task in asking] == [True, True]
        assert (board.read, board.reloads.looks) == (1, 1)
        clock.forward(5.1)
        await wall.get("config")
        assert (board.read, board.reloads.looks) == (2, 2)


async def test_that_others_look_is_no_fault_of_the_file(anna: Visitor) -> None:
    anna.board.reloads.found = Reloaded(faults=("others are under way",), is_crowded=True)
    shown = await anna.get("config")
    assert (shown.status, "Others are at work" in shown.words, "fault" in shown.words) == (503, True, False)


async def test_faults_are_said_and_keep_the_button_away(anna: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = ConfigFault("is <missing>", path="bridge.yaml", line=3, key="accounts.tg.token")
    anna.board.reloads.found = Reloaded(config_faults=(fault,), faults=("xoxb-1234567890-abcdefgh is refused",))
    shown = await anna.get("config")
    assert "2 faults" in shown.words
    assert "accounts.tg.token: is <missing>" in shown.words
    assert "xoxb-1234567890-abcdefgh" not in shown.html
    assert 'action="reload"' not in shown.html
    anna.board.reloads.found = CHANGES
    monkeypatch.setattr(configuration, "_KEPT_S", 0.0)
    again = await anna.get("config")
    undone = Reloaded(faults=("tg: refused",), rolled_back=True, difference=CHANGES.difference)

    async def refused(*, keep: bool = False, agreed: object = None) -> Reloaded:
        return undone

    anna.board.reloads.reload = refused  # type: ignore[method-assign]
    failed = await anna.post("reload", {"token": again.token, "seen": seen_of(again.html)})
    assert failed.status == 409
    assert "Not reloaded" in failed.words
    assert "tg: refused" in failed.words
    assert "undone" in failed.words
    (noted,) = await anna.board.noted()
    assert "tg: refused" in noted.result


async def test_who_may_look_sees_it_and_reloads_nothing(visitor: Visitor) -> None:
    await visitor.sign_in("wall", WALL)
    shown = await visitor.get("config")
    assert "engineering" in shown.words
    assert 'action="reload"' not in shown.html
    assert (await visitor.post("reload", {"token": shown.token, "seen": "x"})).status == 403
    assert visitor.board.reloads.reloads == 0


async def test_who_is_not_signed_in_does_not_see_it(make: Make) -> None:
    board = await make(dashboard={})
    async with board.visitor() as visitor:
        shown = await visitor.get("config")
        assert (shown.status, "engineering" in shown.words) == (403, False)
