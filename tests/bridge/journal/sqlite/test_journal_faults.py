"""Power cuts and full disks, on real processes: what was confirmed is there, what was refused is not, and it goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from bridge.journal.contract import AttemptStarted, Damaged, DeliveryStatus, JournalError, Link, OpenDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.model.events import MessageCreated
from tests.bridge.journal.journal_makers import CHAT, A, accept, at, created, message, native
from tests.support.deliveries import readable
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[4]
PROCESS = ("-m", "tests.bridge.journal.journal_process")
TIMEOUT_S = PATIENCE_S


@asynccontextmanager
async def process(*arguments: object) -> AsyncIterator[asyncio.subprocess.Process]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, *PROCESS, *map(str, arguments), cwd=ROOT, stdout=asyncio.subprocess.PIPE, limit=2**20
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def lines_until_killed(path: Path, first: int, after_lines: int, what: str = "write") -> list[list[str]]:
    async with process(what, path, first) as running:
        assert running.stdout is not None
        lines = [await running.stdout.readline() for _ in range(after_lines)]
        running.kill()
        rest = await running.stdout.read()
    whole = b"".join(lines) + rest
    return [line.split() for line in whole.decode().splitlines(keepends=True) if line.endswith("\n")]


async def test_kill_9_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    said: list[list[str]] = []
    for turn, after_lines in enumerate([1, 40, 333, 900]):
        said += await lines_until_killed(path, 100_000 * turn, after_lines)
        await compare(path, said)
    assert len(said) > 1200


async def compare(path: Path, said: list[list[str]]) -> None:
    journal = SqliteJournal(path)
    await journal.open()
    accepted = {words[1]: words for words in said if words[0] == "accepted"}
    delivered = {words[1] for words in said if words[0] == "delivered"}
    attempted = {words[1] for words in said if words[0] == "attempted"}
    pending = readable(await journal.pending(A, 0, 100_000))
    assert [one.delivery_id for one in pending] == sorted(one.delivery_id for one in pending)
    by_seq = {one.event_seq: one for one in pending}
    numbers = [int(words[3]) for words in accepted.values()]
    assert len(set(numbers)) == len(numbers), "a delivery id was used twice"
    for number, (_, _, seq, delivery) in accepted.items():
        assert await journal.is_known(f"created:{CHAT}:{number}")
        link = await journal.link(message(CHAT, number), A)
        assert link is not None
        assert link.event_seq == int(seq)
        waiting = by_seq.get(int(seq))
        if number in delivered:
            assert waiting is None
            assert [part.copy.message_ids for part in link.copies] == [(f"c{number}",)]
            assert await journal.link(message(native(A), f"c{number}"), A) == msg_copy(link)
        elif waiting is None:
            assert link.copies, "a delivery vanished without an outcome"
        else:
            assert waiting.delivery_id == int(delivery)
            assert (waiting.state is DeliveryStatus.SENDING) or number not in attempted
    await journal.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    check_references(connection)
    connection.close()


def msg_copy(link: Link) -> Link:
    return msgspec.structs.replace(link, is_original=False)


def message_ids(pending: Sequence[OpenDelivery | Damaged]) -> set[str]:
    ids: set[str] = set()
    for one in readable(pending):
        assert isinstance(one.event, MessageCreated)
        ids.add(one.event.message_id)
    return ids


def check_references(connection: sqlite3.Connection) -> None:
    """What the tables say about each other."""
    for wrong in (
        "SELECT count(*) FROM event WHERE open <> (SELECT count(*) FROM delivery WHERE event = seq AND state < 4)",
        "SELECT count(*) FROM event WHERE deliveries <> (SELECT count(*) FROM delivery WHERE event = seq)",
        "SELECT count(*) FROM event WHERE (open > 0) <> (seq IN (SELECT seq FROM body))",
        "SELECT count(*) FROM delivery WHERE event NOT IN (SELECT seq FROM event)",
        "SELECT count(*) FROM link WHERE seq NOT IN (SELECT seq FROM event)",
        "SELECT count(*) FROM part WHERE seq NOT IN (SELECT seq FROM event)",
        "SELECT count(*) FROM body WHERE seq NOT IN (SELECT seq FROM event)",
    ):
        assert connection.execute(wrong).fetchone() == (0,), wrong


async def test_kill_9_amid_pruning_and_copying_the_log(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    left: set[str] = set()
    pruned = 0
    for turn, after_lines in enumerate([5, 21, 50]):
        said = await lines_until_killed(path, 100_000 * turn, after_lines, "churn")
        left |= {words[1] for words in said if words[0] == "left"}
        pruned += sum(int(words[1]) for words in said if words[0] == "pruned")
        journal = SqliteJournal(path)
        await journal.open()
        waiting = message_ids(await journal.pending(A, 0, 10_000))
        assert left <= waiting
        await journal.close()
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        check_references(connection)
        connection.close()
    assert pruned > 200


async def test_a_full_disk_refuses_and_then_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    async with process("starve", path) as running:
        assert running.stdout is not None
        output = (await running.stdout.read()).decode()
        assert await running.wait() == 0, output
    said = [line.split(maxsplit=2) for line in output.splitlines()]
    accepted = {words[1] for words in said if words[0] == "accepted"}
    refused = {words[1] for words in said if words[0] == "refused"}
    assert len(accepted) > 30
    assert len(refused) >= 10
    assert all("disk" in words[2] for words in said if words[0] == "refused")
    assert any(int(number) >= 3000 for number in refused), "those that come together are refused one by one"
    assert f"known {len(accepted) - 1}" in output
    journal = SqliteJournal(path)
    await journal.open()
    pending = await journal.pending(A, 0, 10_000)
    assert message_ids(pending) == accepted
    for number in refused:
        assert not await journal.is_known(f"created:{CHAT}:{number}")
    await journal.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    check_references(connection)
    connection.close()


async def test_a_database_that_may_not_grow(tmp_path: Path) -> None:
    """`database or disk is full`, as the file system says it, and space again later."""
    journal = SqliteJournal(tmp_path / "bridge.journal")
    await journal.open()
    first = await accept(journal, created("1"), A)
    assert journal._writer is not None
    connection = journal._writer._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    huge = created("2", text="x" * 1_000_000)
    outcomes = await asyncio.gather(
        accept(journal, huge, A), accept(journal, created("3"), A), accept(journal, huge, A), return_exceptions=True
    )
    assert [isinstance(outcome, JournalError) for outcome in outcomes] == [True, False, True]
    assert "the disk is full: free space below" in str(outcomes[0])
    await journal.record(journal.lease(A.account), [AttemptStarted(delivery_id=first.delivery_ids[0], part=0, attempt=1, at=at(1))])
    connection.execute("PRAGMA max_page_count = 1000000")
    await accept(journal, huge, A)
    assert len(await journal.pending(A, 0, 10)) == 3
    await journal.close()


# -- a command line beside the daemon ---------------------------------------------------------------------------------------


async def test_the_command_line_reads_retries_and_drops_while_the_daemon_writes(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    async with process("serve", path) as running:
        assert running.stdout is not None
        said = [(await running.stdout.readline()).split() for _ in range(50)]
        tool = SqliteJournal(path, exclusive=False)
        await tool.open()
        with pytest.raises(JournalError, match="in use by another process"):
            await SqliteJournal(path).open()
        letters = await tool.dead_letters(limit=10)
        assert [letter.delivery_id for letter in letters] == [int(words[1]) for words in said[:10]]
        retried = [letter.delivery_id for letter in letters[:4]]
        dropped = [letter.delivery_id for letter in letters[4:8]]
        assert await tool.retry_dead(retried) == [letters[0].target]
        assert await tool.drop_dead(dropped, at=at(9)) == 4
        revived: list[int] = []
        while len(revived) < 4:
            words = (await running.stdout.readline()).split()
            if words[0] == b"revived":
                revived.append(int(words[1]))
        assert revived == retried
        assert [await tool.dead_letter(number) for number in retried + dropped] == [None] * 8
        assert (await tool.dead_letters(limit=2)) == letters[8:]
        await tool.close()
        assert b"dead" in await running.stdout.readline()  # the daemon goes on
    journal = SqliteJournal(path)
    await journal.open()
    assert (await journal.figures()).dead > 40
    await journal.close()
    connection = sqlite3.connect(path)
    check_references(connection)
    connection.close()


async def test_the_command_line_works_without_a_daemon(tmp_path: Path) -> None:
    path = tmp_path / "bridge.journal"
    journal = SqliteJournal(path)
    await journal.open()
    await accept(journal, created("1"), A)
    await journal.close()
    tool = SqliteJournal(path, exclusive=False)
    await tool.open()
    assert (await tool.figures()).events == 1
    daemon = SqliteJournal(path)
    await daemon.open()  # may start meanwhile
    await accept(daemon, created("2"), A)
    assert (await tool.figures()).events == 2
    await tool.close()
    await daemon.close()
