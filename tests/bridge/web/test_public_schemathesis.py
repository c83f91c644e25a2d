"""`docs/openapi.yaml` as schemathesis reads it, against a running listener: a client of its own, which sends what it allows
and what not. It runs as a command, apart from this run of pytest."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.model.web_mount import KeyDirection
from bridge.policy.access_keys import new_secret
from tests.support.keyed_door import Door

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.yaml"
CHECKS = "not_a_server_error,status_code_conformance,response_headers_conformance,content_type_conformance,ignored_auth"
FORM = {"is_form": True, "origins": ("https://example.com",)}


async def driven(door: Door, folder: Path, key: str, *options: str) -> str:
    """What schemathesis reports of the listener, which it calls with this key. Asserts that it finds nothing."""
    (folder / "schemathesis.toml").write_text(f"[parameters]\nkey = {json.dumps(key)}\n", encoding="utf-8")
    command = ["run", str(DOCUMENT), "--url", f"http://127.0.0.1:{door.port}", "--header", f"Authorization: Bearer {key}"]
    bounds = ["--phases", "coverage,fuzzing", "--max-examples", "10", "--seed", "1", "--generation-database", "none", "--no-color"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", *command, *bounds, "--checks", CHECKS, *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        report = (await process.communicate())[0].decode(errors="replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, report
    return report


@pytest.mark.parametrize(
    ("more", "operations", "mode", "methods"),
    [
        (
            {"direction": KeyDirection.IN},
            ["say", "called", "sayWithBearer", "sayAsToMattermost", "sayAsToNtfy", "sayAsToTopic"],
            "all",
            {"GET", "POST"},
        ),
        ({"direction": KeyDirection.OUT}, ["read", "readWithBearer"], "all", {"GET"}),
        (
            {"direction": KeyDirection.API},
            ["apiHealth", "apiDrain", "apiPost", "apiDrainByPath"],
            "all",
            {"GET", "POST"},
        ),
        # one visitor of a form soon has posted enough
        ({"direction": KeyDirection.IN, **FORM}, ["say", "preflight"], "positive", {"POST"}),
    ],
    ids=["in", "out", "api", "form"],
)
async def test_schemathesis_finds_nothing_with_a_key(
    door: Door, tmp_path: Path, more: dict[str, Any], operations: list[str], mode: str, methods: set[str]
) -> None:
    key = await door.key(per_minute=1_000_000, most_bytes=2000, **more)
    wanted = [word for name in operations for word in ("--include-operation-id", name)]
    report = await driven(door, tmp_path, key, "--mode", mode, *wanted)
    assert f"Tested: {len(operations)}" in report
    assert methods <= {method for method, *_ in door.account.calls}, report


async def test_schemathesis_opens_nothing_without_a_key(door: Door, tmp_path: Path) -> None:
    await door.key()
    report = await driven(door, tmp_path, new_secret())
    assert "Tested: 21" in report, report
    assert not door.account.entered
    assert [key.key_id for key in await door.journal.keys()] == ["k1"]
    assert await door.journal.arrivals("k1") == []
