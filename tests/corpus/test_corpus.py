"""Payloads as real platforms send them: each is played through the bridge, and what all other platforms show of it is compared with
what a person has read and found right. Adding one: README.md."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.corpus.case import HERE, SECRET, Case, cases, message_ids, read, written
from tests.corpus.stages import Stages

CASES = cases()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages() -> AsyncIterator[Stages]:
    kept = Stages(CASES)
    yield kept
    await kept.close()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
async def test_a_payload_shows_elsewhere_as_reviewed(case: Case, stages: Stages) -> None:
    assert case.expectation.exists(), f"no expectation yet: .venv/bin/python -m tests.corpus {case.name}"
    played = written(case.about, await stages.play(case))
    reviewed = case.expectation.read_text(encoding="utf-8")
    if played != reviewed:
        changes = difflib.unified_diff(reviewed.splitlines(), played.splitlines(), "reviewed", "now", lineterm="")
        then = f"If that is right: .venv/bin/python -m tests.corpus {case.name}"
        pytest.fail("\n".join([*changes, then]), pytrace=False)


def test_no_expectation_is_left_behind() -> None:
    assert {path.with_suffix(".json") for path in HERE.glob("*/*.yaml")} <= {case.path for case in CASES}


def test_no_two_cases_of_a_platform_have_a_message_in_common() -> None:
    """One bridge plays them all: the second would repeat the first. Low numbers are those of other messages of the run."""
    owners: dict[tuple[str, str], list[str]] = {}
    for case in CASES:
        for message_id in message_ids(case):
            owners.setdefault((case.origin, message_id), []).append(case.name)
            assert case.origin != "telegram" or message_id == "0" or int(message_id) > 5000, case.name
    assert {message: names for message, names in owners.items() if len(names) > 1} == {}


def test_no_secret_of_a_payload_is_shown() -> None:
    secretive = [case for case in CASES if SECRET in case.path.read_text(encoding="utf-8")]
    assert len(secretive) >= 5
    assert [case.name for case in secretive if SECRET in case.expectation.read_text(encoding="utf-8")] == []


def test_a_case_with_a_key_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"about": "x", "payloads": [{}], "peyload": 1}')
    with pytest.raises(ValueError, match="a case has the keys"):
        read(path)
