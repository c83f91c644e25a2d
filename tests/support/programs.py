"""Programs in other languages that tests run as they are: packages of npm in `.node`, of Debian in `.debian`. `setup.sh test`
brings them; where one could not be had, the test that asks for it is skipped."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".node"
DEBIAN = ROOT / ".debian" / "root"


async def node(source: str, *arguments: str) -> str:
    """What this program prints: an ES module, which may import what is in tests/node/package.json. `process.argv[1]` is the first
    argument. Fails if it fails."""
    program = shutil.which("node")
    if program is None or not (NODE / "asked").exists():
        pytest.skip("Node or its packages are missing: scripts/setup.sh test")
    process = await asyncio.create_subprocess_exec(
        *(program, "--input-type=module", "--eval", source, "--", *arguments),
        cwd=NODE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, err.decode()
    return out.decode()


async def debian_once(name: str, *arguments: str, given: bytes = b"") -> tuple[int, str]:
    """That program of Debian, run to its end with that input: its exit code, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *(str(_program(name)), *arguments),
        cwd=DEBIAN,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(given), PATIENCE_S)
    assert process.returncode is not None
    return process.returncode, said.decode()


def _program(name: str) -> Path:
    program = DEBIAN / "usr" / "bin" / name
    if not program.exists():
        pytest.skip(f"Debian's {name} is missing: scripts/setup.sh test")
    return program


@asynccontextmanager
async def debian(name: str, *arguments: str) -> AsyncIterator[None]:
    """That program of Debian runs as long as the context is open. What it says is shown where the test fails."""
    program = _program(name)
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(str(program), *arguments, cwd=DEBIAN, stdout=log, stderr=log)
        try:
            yield
            assert process.returncode is None, f"{name} ended by itself"
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            log.seek(0)
            print(log.read().decode(errors="replace"))
