"""The lines of `status`: what is wrong is seen at any width, and nothing from outside breaks a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.accounts.health import without_journal
from bridge.cli.status_view import Line, lines

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


def at(**before: float) -> str:
    return (NOW - timedelta(**before)).isoformat()


def account(status: str = "pass", state: str = "up", reason: str = "", **more: Any) -> dict[str, Any]:
    return {
        **{"status": status, "state": state, "since": at(hours=3), "reason": reason, "action": "", "last_heard_s": 4.2},
        **{"ends": {}, "notices": {}, "in_per_min": 12, "out_per_min": 30},
        **more,
    }


def data(**more: Any) -> dict[str, Any]:
    ends = [
        {"end": "tg/-100123", "status": "pass", "reason": ""},
        {"end": "team/#gone", "status": "fail", "reason": "the channel was archived"},
    ]
    return {
        "ok": False,
        "status": "fail",
        "config": "/etc/messenger-bridge/bridge.yaml",
        "pid": 4711,
        "up_s": 93784,
        "accounts": {"tg": account(), "team": account("fail", "parked", "token revoked\x1b[2J\nby its owner", last_heard_s=None)},
        "routes": {
            "counts": {"pass": 7, "warn": 0, "fail": 1},
            "list": [
                {"name": "quiet", "status": "pass", "ends": ends[:1] * 2, "per_min": 0},
                {"name": "lobby", "status": "warn", "ends": ends, "per_min": 5},
            ],
        },
        "journal": {"dead": 2, "size_bytes": 33_400_000},
        "per_min": {"in": 12, "out": 30},
        "waiting": {"deliveries": 14, "chats": 3, "oldest": at(minutes=9)},
        "lanes": [
            {
                "target": "team/#gone",
                "status": "fail",
                "waiting": 14,
                "oldest": at(minutes=9),
                "next_attempt_at": None,
                "reason": "no",
            }
        ],
        "spool": {"held_bytes": 1_500_000_000, "bound_bytes": 4_096_000_000},
        "disk": {"free_bytes": 12_000_000_000, "total_bytes": 40_000_000_000},
        "reload": {"at": at(minutes=2), "ok": False, "outcome": "bridge.yaml not reloaded: bridge.yaml:3: unknown key"},
        "to_do": ["team: token revoked - make a new one", "2 dead letters - messenger-bridge dead list"],
        **more,
    }


def test_a_wide_terminal_shows_all() -> None:
    assert [line.text for line in lines(data(), width=130, now=NOW)] == [
        "NOT ALL IS RELAYED  pid 4711  up 1 d  /etc/messenger-bridge/bridge.yaml",
        "in 12/min  out 30/min  waiting 14 in 3 chats, oldest 9 min  dead 2  journal 33.4 MB  "
        "spool 1.5 GB of 4.1 GB  disk 12.0 GB free",
        "last reload 2 min ago: bridge.yaml not reloaded: bridge.yaml:3: unknown key",
        "",
        "ACCOUNT  STATE   FOR  HEARD  IN/MIN  OUT/MIN  WHY",
        "tg       up      3 h  4 s    12      30",
        "team     parked  3 h         12      30       token revoked [2J by its owner",
        "",
        "ROUTE  STATUS  ENDS  OUT/MIN  WHY",
        "lobby  warn    1/2   5        team/#gone: the channel was archived",
        "quiet  pass    2/2   0",
        "and 6 more routes",
        "",
        "WAITING FOR  COUNT  OLDEST  NEXT TRY IN  WHY",
        "team/#gone   14     9 min   now          no",
        "and 2 more chats",
        "",
        "TO DO",
        "- team: token revoked - make a new one",
        "- 2 dead letters - messenger-bridge dead list",
    ]


@pytest.mark.parametrize("width", [20, 33, 60, 80])
def test_a_narrow_one_leaves_out_what_matters_least(width: int) -> None:
    shown = list(lines(data(to_do=[]), width=width, now=NOW))
    assert all(len(line.text) <= width * 2 for line in shown)
    assert all(len(line.text) <= width for line in shown if not line.text.startswith("last reload")), shown
    text = "\n".join(line.text for line in shown)
    assert "parked" in text
    assert "lobby" in text


def test_what_is_wrong_has_its_colour() -> None:
    shown = {line.text.split("  ")[0]: line.style for line in lines(data(), width=130, now=NOW)}
    assert (shown["NOT ALL IS RELAYED"], shown["tg"], shown["team"], shown["lobby"]) == ("dead", "", "dead", "warning")
    (first, *_) = lines(data(ok=True, status="pass"), width=130, now=NOW)
    assert first == Line("relaying  pid 4711  up 1 d  /etc/messenger-bridge/bridge.yaml", "ok")


@pytest.mark.parametrize(
    ("ok", "status", "word"),
    [(True, "warn", "relaying, with a warning"), (False, "warn", "connecting: not all is relayed yet"), (False, "fail", "NOT ALL")],
)
def test_the_first_word_says_whether_all_is_relayed(ok: bool, status: str, word: str) -> None:
    assert next(lines(data(ok=ok, status=status), width=130, now=NOW)).text.startswith(word)


def test_thousands_are_told_by_their_number() -> None:
    routes = [{"name": f"r{n}", "status": "warn", "ends": [], "per_min": 0} for n in range(500)]
    found = data(
        routes={"counts": {"pass": 9500, "warn": 500}, "list": routes},
        lanes=data()["lanes"] * 100,
        waiting={"deliveries": 9, "chats": 5000, "oldest": None},
        to_do=[f"do {n}" for n in range(500)],
    )
    text = [line.text for line in lines(found, width=100, now=NOW)]
    assert len(text) < 120
    assert {"and 9960 more routes", "and 4980 more chats", "- and 470 more"} <= set(text)


def test_without_a_journal_the_rest_is_shown() -> None:
    found = without_journal("disk I/O error") | {"disk": {"error": "the disk does not answer"}, "pid": 1, "up_s": 1, "config": "c"}
    text = "\n".join(line.text for line in lines(found, width=100, now=NOW))
    assert "journal: disk I/O error" in text
    assert "disk: the disk does not answer" in text
