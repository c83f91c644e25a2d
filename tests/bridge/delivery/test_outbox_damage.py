"""Harmed rows of the journal: each is a dead letter by itself, and its chat goes on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bridge.accounts.state import AccountState
from tests.support.patience import eventually, eventually_asked
from tests.support.scripted import ScriptedPlatform, all_done, bridge


@pytest.fixture
def one() -> ScriptedPlatform:
    return ScriptedPlatform("one")


@pytest.fixture
def two() -> ScriptedPlatform:
    return ScriptedPlatform("two")


def said(count: int) -> list[str]:
    return [f"m{number}" for number in range(count)]


async def five_wait(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    """Five messages are in the journal, and nothing of them was sent."""
    app = bridge(tmp_path, [one, two])
    await app.start()
    await eventually(lambda: app.account_states()["two"].state is AccountState.UP)
    two.hang = asyncio.Event()
    for text in said(5):
        one.say(text)
    await eventually(lambda: len(one.confirmed) == 5)
    await app.stop(drain_s=0)
    two.hang = None


def harm(tmp_path: Path, statement: str, *values: str | bytes | int) -> None:
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    with connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


HARM: dict[str, tuple[str, *tuple[str | bytes | int, ...]]] = {
    "a kind of event that is not known": ("UPDATE body SET json = ? WHERE seq = 2", b'{"type":"newer-kind"}'),
    "no JSON": ("UPDATE body SET json = ? WHERE seq = 2", b"\x00\xff\x00"),
    "nothing": ("UPDATE body SET json = ? WHERE seq = 2", b""),
    "a field of another type": ("UPDATE body SET json = CAST(replace(CAST(json AS TEXT), ?, 17) AS BLOB) WHERE seq = 2", '"Anna"'),
    "deep nesting": ("UPDATE body SET json = ? WHERE seq = 2", b"[" * 100_000),
    "no body": ("DELETE FROM body WHERE seq = 2",),
    "a route that is not there": ("UPDATE delivery SET route = 99 WHERE id = 2",),
    "a moment that there never was": ("UPDATE delivery SET not_before = ? WHERE id = 2", 2**62),
}


@pytest.mark.parametrize("how", HARM)
async def test_a_harmed_row_is_a_dead_letter_and_its_chat_goes_on(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, how: str
) -> None:
    await five_wait(tmp_path, one, two)
    harm(tmp_path, *HARM[how])
    async with bridge(tmp_path, [one, two]) as app:
        one.say("m5")
        await eventually(lambda: "m5" in two.texts())
        await all_done(app)
        letters = await app._journal.dead_letters()
        figures = await app._journal.figures()
    assert two.texts() == ["m0", "m2", "m3", "m4", "m5"]
    assert figures.dead == 1
    assert [letter.delivery_id for letter in letters] == [2]
    assert "cannot read" in letters[0].reason


async def test_many_harmed_rows_in_a_row(tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform) -> None:
    await five_wait(tmp_path, one, two)
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    with connection:
        connection.execute("UPDATE body SET json = x'00' WHERE seq < 5")
    connection.close()
    async with bridge(tmp_path, [one, two]) as app:
        await eventually(lambda: two.texts() == ["m4"])
        await all_done(app)
        assert len(await app._journal.dead_letters()) == 4


async def run(tmp_path: Path, *arguments: str) -> str:
    """What the command says, which an admin types beside the daemon."""
    command = [sys.executable, "-m", "bridge.cli", *arguments, "--journal", str(tmp_path / "bridge.journal")]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    assert process.returncode == 0, (out + err).decode()
    return out.decode()


@pytest.mark.parametrize("how", ["a kind of event that is not known", "no body", "a route that is not there"])
async def test_a_harmed_dead_letter_can_be_listed_shown_retried_and_dropped(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform, how: str
) -> None:
    await five_wait(tmp_path, one, two)
    harm(tmp_path, *HARM[how])
    async with bridge(tmp_path, [one, two]) as app:
        await all_done(app)
    (letter,) = json.loads(await run(tmp_path, "dead", "list", "--json"))["dead"]
    assert letter["id"] == 2
    assert "cannot read" in await run(tmp_path, "dead", "list")
    assert "cannot read" in json.loads(await run(tmp_path, "dead", "show", "2", "--json"))["reason"]
    await run(tmp_path, "dead", "retry", "2")
    async with bridge(tmp_path, [one, two]) as app:  # still harmed: it dies again, alone
        one.say("m5")
        await eventually(lambda: "m5" in two.texts())
        await all_done(app)
        assert [one.delivery_id for one in await app._journal.dead_letters()] == [2]
    await run(tmp_path, "dead", "drop", "2")
    assert json.loads(await run(tmp_path, "dead", "list", "--json"))["dead"] == []


async def test_a_dead_letter_whose_row_is_mended_goes_out_by_a_retry(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    """As after a newer version was installed again, which wrote it."""
    await five_wait(tmp_path, one, two)
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    (whole,) = connection.execute("SELECT json FROM body WHERE seq = 2").fetchone()
    connection.close()
    harm(tmp_path, *HARM["no JSON"])
    async with bridge(tmp_path, [one, two]) as app:
        await all_done(app)
    harm(tmp_path, "UPDATE body SET json = ? WHERE seq = 2", whole)
    await run(tmp_path, "dead", "retry", "2")
    async with bridge(tmp_path, [one, two]) as app:
        await all_done(app)
        assert not await app._journal.dead_letters()
    assert two.texts() == ["m0", "m2", "m3", "m4", "m1"]


async def test_a_chat_whose_name_is_gone_keeps_nobody_from_starting(
    tmp_path: Path, one: ScriptedPlatform, two: ScriptedPlatform
) -> None:
    await five_wait(tmp_path, one, two)
    harm(tmp_path, "UPDATE delivery SET lane = 99 WHERE id = 2")
    async with bridge(tmp_path, [one, two]) as app:
        one.say("m5")
        await eventually(lambda: "m5" in two.texts())

        async def only_the_harmed_one_waits() -> bool:
            lanes = (await app._journal.figures()).lanes
            return [(str(lane.target), lane.waiting) for lane in lanes] == [("/(99)", 1)]

        await eventually_asked(only_the_harmed_one_waits)
    assert two.texts() == ["m0", "m2", "m3", "m4", "m5"]
