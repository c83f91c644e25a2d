"""The live tap: every outcome is a line with its number, one goes on from any number, and nothing is missed in between."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.following import Explained, OneFile, follow
from bridge.config.model import Config
from bridge.journal.contract import Dead, Deferred, Delivered
from bridge.journal.sqlite import SqliteJournal
from bridge.journal.tracing import Step, StepKind
from bridge.model.outcomes import Skip
from bridge.model.refs import AccountName, ChatRef
from bridge.tracing.known import Known
from bridge.tracing.steps import Wanted, line
from tests.bridge.cli.traced import GUILD, NOW, TEAM, TG, TS, Fill, accept, relayed, said, sent
from tests.support.patience import PATIENCE_S, eventually

CHAT = ChatRef(AccountName("team"), "C024BE7LH")
MESSAGE = f"team/C024BE7LH#{TS}"


async def waits_and_goes(journal: SqliteJournal) -> None:
    """A message that waits for one chat, and went to the other only after a try."""
    seq, tg, guild = await accept(journal, said(TS, CHAT), (TG, None), (GUILD, None))
    lease = journal.lease(TG.account)
    await journal.record(lease, [Deferred(delivery_id=tg, attempt=1, not_before=NOW, error="busy")])
    await journal.record(lease, [sent(tg, seq, TG, "-1001234567890", "45"), Delivered(delivery_id=tg, at=NOW)])
    later = Deferred(delivery_id=guild, attempt=1, not_before=NOW + timedelta(hours=5), error="rate limit")
    await journal.record(lease, [later])


def test_each_outcome_is_a_line(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(relayed)
    done = cli("trace", "--from", "1")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert [one.split()[:4:3] for one in lines] == [["1", "came"], ["2", "skipped"], ["3", "delivered"], ["4", "dead"]]
    rest = [one[one.index("team/") :] for one in lines]
    assert rest[0] == f"{MESSAGE} by Anna -> {TG} (lobby), {GUILD} (lobby), spirit/lobby (lobby)"
    assert rest[1].startswith(
        f"{MESSAGE} by Anna -> spirit/lobby (lobby): filter 1: drop text ^DEBUG (filter) - if it should cross, "
    )
    assert rest[2].startswith(f"{MESSAGE} by Anna -> {TG} (lobby): as 45, 46; sender shown as a line in the text")
    assert rest[3] == f"{MESSAGE} by Anna -> {GUILD} (lobby): refused: Missing Access; `dead retry 2` tries again"
    assert "the words" not in done.out + done.err


def test_what_waits_says_why_and_until_when(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(waits_and_goes)
    lines = cli("trace", "--from", "1").out.splitlines()
    assert [one.split()[0] for one in lines] == ["1", "2", "3", "4"]
    assert lines[1].endswith("it has gone on since, and is delivered now")
    assert "attempt 1 failed: rate limit" in lines[3]
    assert f"tried again at {NOW + timedelta(hours=5):%Y-%m-%d %H:%M:%S}" in lines[3]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--from", "3"], [3, 4]),
        (["--from", "1", "--outcome", "skipped"], [2]),
        (["--from", "1", "--outcome", "dead", "--outcome", "delivered"], [3, 4]),
        (["--from", "1", "--route", "alerts"], []),
        (["--from", "1", "--route", "lobby", "--outcome", "came"], [1]),
        (["--from", "5"], []),
    ],
)
def test_less_of_it(cli: Any, traced_journal: Callable[[Fill], None], options: list[str], numbers: list[int]) -> None:
    traced_journal(relayed)
    done = cli("trace", *options, "--json")
    assert done.code == 0, done.err
    assert [json.loads(one)["step"] for one in done.out.splitlines()] == numbers


def test_as_json(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(relayed)
    came, skipped, delivered, dead = map(json.loads, cli("trace", "--from", "1", "--json").out.splitlines())
    assert (came["outcome"], came["message"], came["author"], len(came["deliveries"])) == ("came", MESSAGE, "Anna", 3)
    assert skipped["deliveries"][0]["rule"] == "filter"
    assert delivered["deliveries"][0]["copies"] == ["tg/-1001234567890#45", "tg/-1001234567890#46"]
    assert (dead["outcome"], dead["deliveries"][0]["id"], dead["is_past"]) == ("dead", 2, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--follow", MESSAGE], "name none"),
        ([], "name a message, or give --follow"),
        ([MESSAGE, "--route", "lobby"], "belong to --follow"),
        (["--follow", "--route", "lobbi"], "there is no route 'lobbi' - did you mean 'lobby'?"),
        (["--follow", "--outcome", "lost"], "lost"),
        (["--from", "0"], "Invalid value for '--from'"),
    ],
)
def test_wrong_usage(cli: Any, traced_journal: Callable[[Fill], None], arguments: list[str], words: str) -> None:
    traced_journal(relayed)
    done = cli("trace", *arguments)
    assert done.code == 2
    assert words in done.err


def test_a_number_of_another_journal_is_told(cli: Any, traced_journal: Callable[[Fill], None]) -> None:
    traced_journal(relayed)
    done = cli("trace", "--from", "900")
    assert (done.code, done.out) == (0, "")
    assert "the journal has no step 899" in done.err


# -- live -------------------------------------------------------------------------------------------------------------------


class Seen:
    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.lines: list[str] = []
        self.gaps: list[str] = []

    def step(self, step: Step, known: Known) -> None:
        self.steps.append(step)
        self.lines.append(line(step, known))

    def gap(self, line: str) -> None:
        self.gaps.append(line)


def configuration(folder: Path) -> Config:
    from bridge.cli.options import load

    config = load(folder / "bridge.yaml", without_secrets=True).config
    assert config is not None
    return config


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(path)
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def test_it_goes_on_until_the_file_is_another(traced_journal: Callable[[Fill], None], folder: Path) -> None:
    await asyncio.to_thread(traced_journal, relayed)
    path = folder / "messenger-bridge.journal"
    seen, this = Seen(), OneFile(path)
    explained = Explained(folder / "bridge.yaml", configuration(folder), lambda _: None)
    async with opened(path) as journal:
        following = asyncio.create_task(follow(journal, 4, Wanted(), seen, explained, this.is_there), name="tap")
        ids = [f"17150000{number:02}.000100" for number in range(10, 15)]
        for number, message in enumerate(ids):
            seq, tg = await accept(journal, said(message, CHAT), (TG, None))
            await journal.record(
                journal.lease(TG.account), [sent(tg, seq, TG, "-100", str(number)), Delivered(delivery_id=tg, at=NOW)]
            )
            if number == 2:
                await eventually(lambda: any(step.kind is StepKind.DELIVERED for step in seen.steps), "the first are shown")
        await eventually(lambda: len(seen.steps) == 10, "all are shown")
        path.rename(folder / "former")
        assert await asyncio.wait_for(following, PATIENCE_S) == 14
    assert [step.number for step in seen.steps] == list(range(5, 15))
    assert seen.gaps == []


async def test_without_a_number_it_begins_with_what_comes(traced_journal: Callable[[Fill], None], folder: Path) -> None:
    await asyncio.to_thread(traced_journal, relayed)
    seen, looks = Seen(), 0
    explained = Explained(folder / "bridge.yaml", configuration(folder), lambda _: None)

    def goes_on() -> bool:
        nonlocal looks
        looks += 1
        return looks < 2

    async with opened(folder / "messenger-bridge.journal") as journal:
        assert await follow(journal, None, Wanted(), seen, explained, goes_on) == 4
    assert seen.steps == []


async def test_a_changed_file_is_read_again_and_a_faulty_one_is_not_used(
    traced_journal: Callable[[Fill], None], folder: Path
) -> None:
    await asyncio.to_thread(traced_journal, waits_and_goes)
    config, found = folder / "bridge.yaml", Seen()
    from bridge.cli.options import load

    explained = Explained(config, configuration(folder), lambda path: load(path, without_secrets=True).config)
    async with opened(folder / "messenger-bridge.journal") as journal:
        for text in (config.read_text(), "accounts: [", config.read_text().replace("name: lobby", "name: hall")):
            config.write_text(text)
            os.utime(config, ns=(len(found.lines), len(found.lines)))
            await follow(journal, 3, Wanted(), found, explained, lambda: False)
    assert ["no longer in bridge.yaml" in one for one in found.lines] == [False, False, True]


async def test_beside_another_process_and_ended_by_ctrl_c(traced_journal: Callable[[Fill], None], folder: Path) -> None:
    await asyncio.to_thread(traced_journal, relayed)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.cli", "trace", "--follow", "--from", "2", "--json", "-c", str(folder / "bridge.yaml"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            for number in (2, 3, 4):
                assert json.loads(await process.stdout.readline())["step"] == number
            async with opened(folder / "messenger-bridge.journal") as journal:
                rule = Skip.BOTS_OFF
                _, guild, _ = await accept(journal, said("1715000001.000100", CHAT), (GUILD, None), (TEAM, rule))
                assert json.loads(await process.stdout.readline())["outcome"] == "came"
                assert json.loads(await process.stdout.readline())["deliveries"][0]["rule"] == "bots_off"
                await journal.record(journal.lease(GUILD.account), [Dead(delivery_id=guild, reason="gone", at=NOW)])
                assert json.loads(await process.stdout.readline())["outcome"] == "dead"
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, err) == (130, b"")
