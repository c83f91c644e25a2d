"""The command itself, as a process: it starts, says where the page is, serves it safely, and ends when it is told to."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import aiohttp
import pytest

from adapters.registry import load_platform, platforms
from bridge.config.load import load_config
from bridge.sandbox import Sandbox
from bridge.sandbox.runner import run_sandbox
from bridge.sandbox.selftest.checks import CHECKS
from bridge.sandbox.world import SandboxError
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S

START_LIMIT_S = PATIENCE_S
STOP_LIMIT_S = 60.0
"""It takes less than two, but not on a machine that runs the other tests meanwhile."""


@asynccontextmanager
async def sandbox_process(*options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.cli", "sandbox", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def printed(process: asyncio.subprocess.Process, pattern: str) -> str:
    """What the process has printed up to a line that matches."""
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(START_LIMIT_S):
        while not re.search(pattern, text):
            line = await process.stdout.readline()
            assert line, f"it ended: {text}"
            text += line.decode()
    return text


async def test_it_runs_until_a_signal_and_ends_at_once(tmp_path: Path) -> None:
    port = free_port()
    async with sandbox_process("--port", str(port), "--keep", str(tmp_path / "kept")) as process:
        text = await printed(process, "End ")
        assert "between:" in text, "bridge.yaml is shown"
        assert f"The bridge runs between {len(platforms())} stand-in messengers (TeamSpirit, " in text
        assert f"http://127.0.0.1:{port}/" in text
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/api/changes") as stream:
            assert stream.status == 200  # a page is open, too
            started_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
        assert time.monotonic() - started_s < STOP_LIMIT_S
    config = tmp_path / "kept" / "bridge.yaml"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert load_config(config, {}, load_platform).config is not None


async def test_the_self_test_passes() -> None:
    async with sandbox_process("--self-test", "--json") as process:
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    report = json.loads(out)
    assert report["passed"], [cell for cell in report["cells"] if cell["outcome"] == "failed"] + report["faults"]
    assert process.returncode == 0, err.decode()
    pairs = {(cell["origin"], cell["target"]) for cell in report["cells"]}
    assert pairs == set(itertools.permutations(platforms(), 2))
    assert len(report["cells"]) == len(pairs) * len(CHECKS)
    assert all(cell["reason"] for cell in report["cells"] if cell["outcome"] == "degraded")


def test_a_taken_port_is_told_before_anything_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    def unused(platform: str) -> NoReturn:
        raise AssertionError("nothing is loaded")

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run_sandbox(manifests=unused, platforms=("telegram",), port=port) == 1
    assert f"port {port} is taken" in (told := capsys.readouterr().err)
    assert "--port" in told


async def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="cannot write"):
        async with Sandbox(tmp_path / "file" / "folder", manifests=load_platform, platforms=("slack", "discord")):
            pass


async def test_a_bridge_yaml_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bridge.yaml").write_text("accounts: {}")
    with pytest.raises(SandboxError, match="choose a new folder"):
        async with Sandbox(tmp_path, manifests=load_platform, platforms=("slack", "discord")):
            pass
    assert (tmp_path / "bridge.yaml").read_text() == "accounts: {}"


async def test_the_configuration_needs_no_correction(tmp_path: Path) -> None:
    async with Sandbox(tmp_path, manifests=load_platform, platforms=platforms()) as sandbox:
        await sandbox.wait_connected(60)
        loaded = load_config(sandbox.config_path, {}, load_platform, platforms())
        assert (loaded.faults, loaded.warnings) == ([], [])
        report = await sandbox.app.report()
        assert report["ok"]
        assert {name: found["ends"] for name, found in report["accounts"].items()} == {name: {} for name in platforms()}
