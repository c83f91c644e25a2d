"""dead list, show, retry, drop: on the journal, beside a running daemon."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.journal.contract import Answered, DeliveryStatus, OpenDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.model.errors import Answer
from bridge.model.refs import AccountName, ChatAddress
from tests.support.patience import PATIENCE_S

TARGET = ChatAddress(AccountName("tg"), "-1009876543210")


def open_deliveries(path: Path) -> list[tuple[int, DeliveryStatus]]:
    async def read() -> list[tuple[int, DeliveryStatus]]:
        journal = SqliteJournal(path, exclusive=False)
        await journal.open()
        try:
            rows = [*await journal.pending(TARGET, 0, 100), *await journal.behind(TARGET, 100)]
            return [(one.delivery_id, one.state) for one in rows if isinstance(one, OpenDelivery)]
        finally:
            await journal.close()

    return asyncio.run(read())


def test_list_is_a_plain_table_without_a_terminal(cli: Any, dead: list[int]) -> None:
    done = cli("dead", "list")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].split() == ["ID", "STATE", "SINCE", "ROUTE", "TARGET", "WHAT", "REASON"]
    assert len(lines) == 5
    assert lines[1].split()[:2] == [str(dead[0]), "dead"]
    assert "\x1b" not in done.out, "control characters of strangers do not reach the terminal"
    assert "a report [report.pdf]" in lines[2]
    assert "2026-11-23 06:00:00" in lines[1]
    assert "chat not found (0)" in lines[1]


def test_list_by_route_limit_and_json(cli: Any, dead: list[int]) -> None:
    assert [one["id"] for one in cli("dead", "list", "--json").data["dead"]] == dead
    found = cli("dead", "list", "--route", "engineering", "--json").data
    assert ([one["id"] for one in found["dead"]], found["more"]) == ([dead[3]], False)
    found = cli("dead", "list", "-n", "2", "--json").data
    assert ([one["id"] for one in found["dead"]], found["more"]) == (dead[:2], True)
    assert "only the first 2" in cli("dead", "list", "-n", "2").err
    one = found["dead"][1]
    assert (one["route"], one["target"], one["text"], one["kind"]) == (
        "alerts",
        "tg/-1009876543210",
        "a report [report.pdf]",
        "message created",
    )


def test_show(cli: Any, dead: list[int]) -> None:
    done = cli("dead", "show", str(dead[1]))
    assert done.code == 0
    shown = dict(line.split(maxsplit=1) for line in done.out.splitlines() if " " in line)
    assert shown["reason"].strip() == "chat not found (1)"
    assert "Anna (u1)" in done.out
    assert "a report [report.pdf]" in done.out
    data = cli("dead", "show", str(dead[1]), "--json").data
    assert data["event"]["message_id"]
    missing = cli("dead", "show", "999")
    assert (missing.code, missing.err) == (1, "error: there is no dead letter 999\n")
    assert cli("dead", "show", "999", "--json").data == {"ok": False, "error": "there is no dead letter 999"}


def test_retry_by_id(cli: Any, dead: list[int], folder: Path) -> None:
    done = cli("dead", "retry", str(dead[0]), str(dead[2]), str(dead[0]))
    assert (done.code, done.out) == (0, "retried: 2\n")
    assert open_deliveries(folder / "messenger-bridge.journal") == [
        (dead[0], DeliveryStatus.BEHIND),
        (dead[2], DeliveryStatus.BEHIND),
    ]
    assert [one["id"] for one in cli("dead", "list", "--json").data["dead"]] == [dead[1], dead[3]]


def test_retry_all_of_a_route(cli: Any, dead: list[int]) -> None:
    assert cli("dead", "retry", "--all", "--route", "alerts", "--json").data == {"ok": True, "retried": dead[:3], "unknown": []}
    assert cli("dead", "retry", "--all", "--json").data["retried"] == [dead[3]]
    assert cli("dead", "list").err == "no dead letters\n"


def test_unknown_ids_are_told_and_fail_but_the_others_are_done(cli: Any, dead: list[int]) -> None:
    done = cli("dead", "drop", str(dead[0]), "999")
    assert done.code == 1
    assert (done.out, done.err) == ("dropped: 1\n", "there is no dead letter 999\n")


def test_drop_leaves_nothing_to_deliver(cli: Any, dead: list[int], folder: Path) -> None:
    assert cli("dead", "drop", "--all", "--yes").code == 0
    assert cli("dead", "list", "--json").data == {"dead": [], "more": False}
    assert not open_deliveries(folder / "messenger-bridge.journal")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["retry"], "give the ids of dead letters, or --all"),
        (["drop"], "give the ids of dead letters, or --all"),
        (["retry", "1", "--all"], "give the ids of dead letters, or --all"),
        (["retry", "1", "--route", "alerts"], "--route needs --all"),
    ],
)
def test_what_to_retry_must_be_said(cli: Any, dead: list[int], arguments: list[str], words: str) -> None:
    done = cli("dead", *arguments)
    assert done.code == 2
    assert words in done.err


def test_drop_all_asks_first(cli: Any, dead: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    class NoTerminal:
        def isatty(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", NoTerminal())
    done = cli("dead", "drop", "--all")
    assert done.code == 2
    assert "needs --yes" in done.err
    assert len(cli("dead", "list", "--json").data["dead"]) == 4


def test_no_journal_is_69(cli: Any, folder: Path) -> None:
    done = cli("dead", "list")
    assert done.code == 69
    assert "there is no journal" in done.err
    (folder / "broken").write_bytes(b"this is no journal at all" * 100)
    done = cli("dead", "list", "--journal", "broken")
    assert done.code == 69
    assert cli("dead", "list", "--journal", "broken", "--json").data["ok"] is False


def test_the_configurations_secrets_are_not_needed(
    cli: Any, dead: list[int], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.delenv("TELEGRAM_TOKEN")
    assert cli("check").code == 78
    assert cli("dead", "list").code == 0
    (folder / "bridge.yaml").unlink()
    assert cli("dead", "list").code == 78
    assert cli("dead", "list", "--journal", "messenger-bridge.journal").code == 0


def test_the_configured_journal_is_used(cli: Any, dead: list[int], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "bridge.yaml"
    (folder / "state").mkdir()
    for file in folder.glob("messenger-bridge.journal*"):
        file.rename(folder / "state" / file.name)
    assert cli("dead", "list").code == 69
    monkeypatch.setenv("STATE_DIRECTORY", f"{folder / 'state'}:/other")
    assert cli("dead", "list").code == 0
    monkeypatch.delenv("STATE_DIRECTORY")
    path.write_text(path.read_text() + "journal: {path: state/messenger-bridge.journal}\n")
    assert cli("dead", "list").code == 0
    path.write_text(path.read_text().replace("{path: state", "{pth: state"))
    assert cli("dead", "list").code == 78


async def test_beside_a_running_daemon(folder: Path, dead: list[int]) -> None:
    """The daemon holds the journal; the command changes it all the same, and the daemon sees it."""
    journal = SqliteJournal(folder / "messenger-bridge.journal")
    await journal.open()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from bridge.cli import main; main()", "dead", "retry", str(dead[1]), cwd=folder, env=os.environ
        )
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0
        assert list(await journal.open_lanes()) == [TARGET]
        assert [one.delivery_id for one in await journal.behind(TARGET, 10)] == [dead[1]]
    finally:
        await journal.close()


def test_show_tells_what_the_attempts_were_answered(cli: Any, dead: list[int], folder: Path) -> None:
    keep_answers(
        folder / "messenger-bridge.journal",
        dead[0],
        Answer(status=503, took_s=1.25, body="down\x1b[31m for\nmaintenance"),
        Answer(status=None, took_s=20),
    )
    shown = cli("dead", "show", str(dead[0]))
    lines = [line for line in shown.out.splitlines() if line.startswith("attempt ")]
    assert "HTTP 503 after 1.25 s: down" in lines[0]
    assert lines[1].endswith("no answer after 20 s")
    assert "\x1b" not in shown.out
    assert [one["status"] for one in cli("dead", "show", str(dead[0]), "--json").data["answers"]] == [503, None]


def keep_answers(path: Path, delivery: int, *answers: Answer) -> None:
    async def keep() -> None:
        journal = SqliteJournal(path, exclusive=False)
        await journal.open()
        try:
            at = datetime(2026, 11, 23, tzinfo=UTC)
            changes = [Answered(delivery_id=delivery, at=at, answer=answer) for answer in answers]
            await journal.record(journal.lease(TARGET.account), changes)
        finally:
            await journal.close()

    asyncio.run(keep())
