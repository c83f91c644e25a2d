"""Disks that fill up: told before nothing can be kept any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.accounts.disk import FULL_BYTES, LOW_BYTES, condition, free_bytes, room, with_disk

REPORT: dict[str, Any] = {"ok": True, "status": "pass", "to_do": ["something"]}


@pytest.mark.parametrize(
    ("free", "status"),
    [(LOW_BYTES, "pass"), (LOW_BYTES - 1, "warn"), (FULL_BYTES, "warn"), (FULL_BYTES - 1, "fail"), (0, "fail")],
)
def test_the_less_room_the_worse(free: int, status: str) -> None:
    found = condition(free)
    assert found.status.value == status
    assert bool(found.action) == bool(found.reason) == (status != "pass")
    report = with_disk(REPORT, {"journal": free, "spool": LOW_BYTES})
    assert (report["status"], report["ok"]) == (status, True)
    assert len(report["to_do"]) == 1 + (status != "pass")
    assert report["disk"]["journal"]["free_bytes"] == free


def test_a_worse_report_stays_as_bad() -> None:
    assert with_disk({**REPORT, "status": "fail"}, {"journal": LOW_BYTES})["status"] == "fail"


def test_the_room_of_a_folder_that_is_not_made_yet_is_that_of_its_disk(tmp_path: Path) -> None:
    here = free_bytes(tmp_path)
    assert here is not None
    assert here > 0
    found = room(tmp_path / "a.journal", tmp_path / "not" / "yet" / "there")
    assert set(found) == {"journal", "spool"}
    assert all(size > 0 for size in found.values())


def test_a_file_system_that_does_not_answer_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert free_bytes(tmp_path / "file" / "below") is None
