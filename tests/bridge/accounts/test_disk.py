"""Disks that fill up: told before nothing can be kept any more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts import disk as module
from bridge.accounts.disk import FULL_BYTES, LOW_BYTES, Disks, Room, condition, folders, room_of, with_disk
from tests.support.patience import PATIENCE_S, eventually

REPORT: dict[str, Any] = {"ok": True, "status": "pass", "to_do": ["something"]}


@pytest.mark.parametrize(
    ("free", "status"),
    [(LOW_BYTES, "pass"), (LOW_BYTES - 1, "warn"), (FULL_BYTES, "warn"), (FULL_BYTES - 1, "fail"), (0, "fail")],
)
def test_the_less_room_the_worse(free: int, status: str) -> None:
    found = condition(Room(free_bytes=free))
    assert found.status.value == status
    assert bool(found.action) == bool(found.reason) == (status != "pass")
    report = with_disk(REPORT, {"journal": Room(free_bytes=free), "spool": Room(free_bytes=LOW_BYTES)})
    assert (report["status"], report["ok"]) == (status, True)
    assert len(report["to_do"]) == 1 + (status != "pass")
    assert report["disk"]["journal"]["free_bytes"] == free


def test_a_worse_report_stays_as_bad() -> None:
    assert with_disk({**REPORT, "status": "fail"}, {"journal": Room(free_bytes=LOW_BYTES)})["status"] == "fail"


def test_a_disk_of_which_nothing_is_known_is_told_and_has_no_figures() -> None:
    report = with_disk(REPORT, {"journal": Room(error="stale file handle"), "spool": Room(free_bytes=LOW_BYTES)})
    assert (report["status"], report["ok"]) == ("warn", True)
    assert report["to_do"][1].startswith("disk of the journal: stale file handle - ")
    assert "free_bytes" not in report["disk"]["journal"]


async def test_the_room_of_a_folder_that_is_not_made_yet_is_that_of_its_disk(tmp_path: Path) -> None:
    here = room_of(tmp_path)
    assert 0 < here.free_bytes <= here.total_bytes
    found = await Disks(folders(tmp_path / "a.journal", tmp_path / "not" / "yet" / "there")).room()
    assert set(found) == {"journal", "spool"}
    assert all(one.free_bytes > 0 and not one.error for one in found.values())


async def test_a_file_system_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = await Disks(folders(tmp_path / "a.journal", tmp_path / "file" / "below")).room()
    assert found["spool"] == Room(error="Not a directory")
    assert not found["journal"].error


class Hanging:
    """The disk of the spool does not answer."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked: list[Path] = []

    def __call__(self, path: Path) -> Room:
        assert threading.current_thread() is not threading.main_thread(), "beside the loop"
        self.asked.append(path)
        if path.name == "s":
            self.answer.wait(PATIENCE_S)
        return Room(free_bytes=len(self.asked))


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    one = Hanging()
    monkeypatch.setattr(module, "room_of", one)
    yield one
    one.answer.set()


async def test_a_disk_that_does_not_answer_is_asked_once_and_holds_up_nothing(hanging: Hanging) -> None:
    disks = Disks({"journal": Path("j"), "spool": Path("s")}, within_s=0.05)
    for found in await asyncio.gather(*(disks.room() for _ in range(20))):
        assert found["spool"].error == "the disk does not answer within 0.05 s"
    await eventually(lambda: set(disks._asked) == {"spool"})
    disks._within_s = PATIENCE_S
    assert not (await disks.room())["journal"].error, "the other one is asked as ever"
    assert hanging.asked.count(Path("s")) == 1
    hanging.answer.set()  # the loop waits for the thread at its end


async def test_what_was_answered_too_late_is_not_told_later(hanging: Hanging) -> None:
    disks = Disks({"spool": Path("s")}, within_s=0.05)
    assert (await disks.room())["spool"].error
    hanging.answer.set()
    await eventually(lambda: not disks._asked)
    disks._within_s = PATIENCE_S
    assert (await disks.room())["spool"] == Room(free_bytes=2)


async def test_a_disk_that_is_known_to_hang_is_not_waited_for(hanging: Hanging) -> None:
    disks = Disks({"spool": Path("s")}, within_s=0.05)
    await disks.room()
    disks._within_s = 10 * PATIENCE_S
    async with asyncio.timeout(PATIENCE_S):
        assert (await disks.room())["spool"].error
    hanging.answer.set()
