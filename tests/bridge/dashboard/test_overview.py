"""The first page: worst first, what to do, bounded, and the last hour as lines that are words too."""

from __future__ import annotations

from copy import deepcopy

from bridge.accounts.health import without_journal
from bridge.observability.history import Point
from tests.support.dashboard import WELL, Visitor, status_of


async def test_what_is_wrong_comes_first_with_what_to_do(anna: Visitor) -> None:
    status = status_of(ok=False, status="fail", to_do=["tg: the token was revoked - make a new one in @BotFather"])
    status["accounts"]["tg"] |= {"status": "fail", "state": "parked", "reason": "the token was revoked", "action": "make a new one"}
    well = status["routes"]["list"][0]
    ill = {**deepcopy(well), "name": "alerts", "status": "warn"}
    ill["ends"][1] |= {"status": "fail", "reason": "the bot was removed", "action": "invite it"}
    status["routes"]["list"] = [well, ill]
    status["lanes"] = [
        {
            "target": "team/#x",
            "status": "warn",
            "waiting": 7,
            "oldest": "2026-01-01T00:00:00+00:00",
            "next_attempt_at": None,
            "attempts": 3,
            "reason": "429",
        }
    ]
    status["waiting"] = {"deliveries": 7, "chats": 3, "oldest": "2026-01-01T00:00:00+00:00"}
    anna.board.status = status
    shown = (await anna.get()).words
    assert "Not all is relayed" in shown
    for words in (
        "make a new one in @BotFather",
        "parked",
        "the bot was removed",
        "invite it",
        "1 of 2",
        "429",
        "and 2 more chats",
    ):
        assert words in shown, words
    assert shown.index("alerts") < shown.index("engineering")


async def test_it_is_bounded_and_a_route_is_found(anna: Visitor) -> None:
    status = status_of()
    route = status["routes"]["list"][0]
    status["routes"] = {
        "counts": {"pass": 400, "warn": 0, "fail": 0},
        "list": [{**route, "name": f"route-{number}"} for number in range(400)],
    }
    anna.board.status = status
    shown = await anna.get()
    assert shown.html.count('href="route?name=') == 100
    assert "and 300 more" in shown.words
    found = await anna.get("?route=ROUTE-39")
    assert found.html.count('href="route?name=') == 11
    assert "more" not in found.words.partition("Find a route")[2]


async def test_lines_are_words_too(anna: Visitor) -> None:
    idle = Point(length_s=10, came=0, delivered=0, lag_s=None, routes={})
    anna.board.points = [idle, Point(length_s=10, came=5, delivered=3, lag_s=1.25, routes={"engineering": 3}), idle] * 120
    shown = await anna.get()
    assert 'role="img" aria-label="Messages a minute: 30 at most"' in shown.html
    assert "1.2 s at most" in shown.words
    assert "in 60 min" in shown.words
    assert "600 in all" in shown.words
    assert shown.html.count("<path") == 3
    assert "NaN" not in shown.html


async def test_without_its_journal_the_rest_is_shown(anna: Visitor) -> None:
    anna.board.status = without_journal("disk I/O error") | {"up_s": 3, "disk": {"journal": {**WELL, "reason": "does not answer"}}}
    shown = (await anna.get()).words
    assert "The journal cannot be asked: disk I/O error" in shown
    assert "does not answer of the journal" in shown
