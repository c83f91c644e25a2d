"""The skeleton of an adapter: it is well-formed code that names a platform, and says itself what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.new_platform import write
from tests.layout.test_quality import RULES, Package, faults
from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]


def run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_is_written_is_well_formed(tmp_path: Path) -> None:
    written = write("sample", "sample", tmp_path / "sample")
    names = {str(path.relative_to(tmp_path / "sample")) for path in written}
    assert {"__init__.py", "README.md", "adapter.py", "capabilities.py", "config.py", "errors.py", "emulator/server.py"} <= names
    assert {"quality.yaml", "wire.py", "transport.py", "directory.py", "inbound/receiver.py", "outbound/sender.py"} <= names
    assert not any("$" in path.read_text() for path in written if path.suffix == ".py")
    bin_folder = Path(sys.executable).parent
    run(str(bin_folder / "ruff"), "check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path))
    run(str(bin_folder / "ruff"), "format", "--check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path))
    run(str(bin_folder / "mypy"), "--config-file", "", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "sample"))


def test_it_is_a_platform_and_says_what_is_missing(tmp_path: Path) -> None:
    write("sample", "sample", tmp_path / "sample")
    program = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from sample import MANIFEST
from sample.conformance import CASE
from adapters import registry
from bridge.model.platform import AdapterContext
registry._OURS["sample"] = "sample"
platform = registry.load_platform("sample")
async def look():
    emulator = registry.load_emulator("sample")
    options = platform.options().model_validate(emulator.account_options())
    adapter = platform.build(AdapterContext(account="acc", options=options, web=None))
    try:
        await adapter.send(None)
    except NotImplementedError as error:
        print(MANIFEST.platform, list(CASE.codecs), error)
    await adapter.close()
asyncio.run(look())
"""
    assert run(sys.executable, "-c", program, str(tmp_path)).startswith("sample ['sample'] outbound/sender.py: send: one attempt")


def test_its_quality_is_all_to_do_and_complete(tmp_path: Path) -> None:
    write("sample", "sample", tmp_path / "sample")
    said = yaml.safe_load((tmp_path / "sample/quality.yaml").read_text())
    assert list(said) == list(RULES)
    assert {each["status"] for each in said.values()} == {"todo"}
    assert list(faults(said, Package("sample", tmp_path))) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write("sample", "sample", tmp_path / "sample")
    with pytest.raises(FileExistsError):
        write("sample", "sample", tmp_path / "sample")
    for name in ("", "Sample", "../x", "a-b", "1st"):
        with pytest.raises(ValueError, match="no name of a platform"):
            write(name, "sample", tmp_path / "other")
