"""What happens to the machine: a spool somebody tidied away, a backlog larger than memory should be, a journal of the first
release, a clock that jumps, a disk that is full while everything else goes on."""

from __future__ import annotations

import asyncio
import gc
import random
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.journal.contract import OpenDelivery
from bridge.journal.sqlite import migrations
from bridge.model.adapter import Outbound
from bridge.model.checksums import BLOCK_BYTES
from bridge.model.events import Attachment, AttachmentKind
from tests.faults.checks import check
from tests.faults.platform import Faults
from tests.faults.simulation import Plan, play
from tests.support.patience import eventually
from tests.support.scripted import ScriptedPlatform, bridge

VERSION_1 = Path(__file__).parents[1] / "bridge" / "journal" / "journal-version-1.sql"


@pytest.mark.parametrize("harm", ["vanished", "cut", "longer", "one bit", "swapped blocks", "the whole folder"])
async def test_a_spooled_file_that_was_harmed_is_fetched_again(tmp_path: Path, harm: str) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    one.files["f"] = random.Random(1).randbytes(3 * BLOCK_BYTES + 1000)
    harmed: list[Path] = []

    def do_harm(outbound: Outbound) -> None:
        for file in outbound.files:
            if not harmed:
                harmed.append(file.path)
                content = bytearray(one.files["f"])
                if harm == "vanished":
                    file.path.unlink()
                elif harm == "the whole folder":
                    shutil.rmtree(file.path.parent)
                elif harm == "cut":
                    file.path.write_bytes(b"half")
                elif harm == "longer":
                    file.path.write_bytes(content + b"more")
                elif harm == "one bit":
                    content[2 * BLOCK_BYTES + 5] ^= 4
                    file.path.write_bytes(content)
                else:
                    first, second = content[:BLOCK_BYTES], content[BLOCK_BYTES : 2 * BLOCK_BYTES]
                    file.path.write_bytes(second + first + content[2 * BLOCK_BYTES :])

    two.before_send = do_harm
    async with bridge(tmp_path, [one, two]):
        photo = Attachment(kind=AttachmentKind.PHOTO, file_id="f", name="cat.png", size_bytes=len(one.files["f"]))
        one.say("look", attachments=(photo,))
        await eventually(lambda: two.posted())
    assert harmed
    assert [post.files for post in two.posted()] == [(one.files["f"],)]
    assert one.fetched == ["f", "f"]


async def test_a_backlog_waits_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    two.hang = asyncio.Event()
    async with bridge(tmp_path, [one, two]):
        for batch in range(30):
            for number in range(100):
                one.say(f"{batch * 100 + number}")
            await eventually(lambda batch=batch: len(one.confirmed) == (batch + 1) * 100)
        gc.collect()
        in_memory = sum(isinstance(thing, OpenDelivery) for thing in gc.get_objects())
        assert in_memory <= 200, f"{in_memory} of 3000 deliveries are in memory"
        assert len(asyncio.all_tasks()) < 30
        two.hang.set()
        await eventually(lambda: len(" ".join(two.texts()).split()) >= 3000)
    assert " ".join(two.texts()).split() == [str(number) for number in range(3000)]


async def test_a_journal_of_the_first_release_is_taken_up(tmp_path: Path) -> None:
    """A bridge that was stopped, updated and started: what it had accepted is not forgotten, and it goes on."""
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    connection.executescript(VERSION_1.read_text(encoding="utf-8"))
    connection.close()
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    app = bridge(tmp_path, [one, two])
    async with app:
        one.say("after the update")
        await eventually(lambda: two.texts() == ["after the update"])
        assert [letter.reason for letter in await app._journal.dead_letters()][:1] == ["chat not found"]
    connection = sqlite3.connect(tmp_path / "bridge.journal")
    assert connection.execute("PRAGMA user_version").fetchone() == (migrations.NEWEST,)
    connection.close()


@pytest.mark.parametrize("hours", [-49, 49])
def test_a_clock_that_jumps_by_days_loses_and_kills_nothing(tmp_path: Path, hours: int) -> None:
    plan = Plan(seed=21, messages=80, deaths=1, clock_steps=0, faults=Faults(send_refused=0))
    simulation = play(plan, tmp_path, at={600.0: lambda simulation: simulation.clock.step(timedelta(hours=hours))})
    check(simulation)
    assert not simulation.letters


def test_a_disk_that_is_full_half_of_the_time(tmp_path: Path) -> None:
    plan = Plan(seed=22, messages=80, deaths=2, faults=Faults(send_refused=0, disk_full=0.7))
    simulation = play(plan, tmp_path)
    check(simulation)
    assert not simulation.letters
