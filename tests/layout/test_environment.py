"""What is installed for the checks cannot change what the daemon imports: `scripts/environment.py` says so when it does."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "environment.py"


@pytest.fixture(scope="module")
def environment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["environment"] = module
    spec.loader.exec_module(module)
    return module


def unpack(site: Path, distribution: str, files: Mapping[str, str]) -> None:
    """As pip does it: the last one that brings a file wins."""
    rows = []
    for name, content in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}")
    record = site / f"{distribution}-1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text("\n".join([*rows, f"{distribution}-1.0.dist-info/RECORD,,"]) + "\n")


def test_this_environment_is_sound() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr


def test_no_two_installed_distributions_bring_one_importable_file(environment: ModuleType) -> None:
    site = Path(sysconfig.get_path("purelib"))
    files = list(environment.recorded(site))
    assert {"discord_py", "pytest"} <= {file.distribution for file in files}
    assert environment.contested(files) == {}


def test_a_package_that_brings_the_files_of_another_is_told(environment: ModuleType, tmp_path: Path) -> None:
    unpack(tmp_path, "discord_py", {"discord/__init__.py": "real", "discord/http.py": "real", "discord/LICENSE": "a"})
    unpack(tmp_path, "nextcord", {"discord/__init__.py": "shim", "nextcord/__init__.py": "real", "discord/LICENSE": "b"})
    told, broken = environment.faults(tmp_path)
    assert told == ["discord_py and nextcord bring the same files with different contents: discord/__init__.py"]
    assert broken == ["discord_py", "nextcord"]


def test_the_order_of_unpacking_does_not_hide_it(environment: ModuleType, tmp_path: Path) -> None:
    unpack(tmp_path, "nextcord", {"discord/__init__.py": "shim"})
    unpack(tmp_path, "discord_py", {"discord/__init__.py": "real"})
    assert environment.faults(tmp_path)[1] == ["discord_py", "nextcord"]


def test_packages_that_share_a_file_of_one_content_are_no_fault(environment: ModuleType, tmp_path: Path) -> None:
    unpack(tmp_path, "google_a", {"google/__init__.py": "", "google/a.py": "a"})
    unpack(tmp_path, "google_b", {"google/__init__.py": "", "google/b.py": "b"})
    assert environment.faults(tmp_path) == ([], [])


@pytest.mark.parametrize("damage", [lambda path: path.write_text("other"), Path.unlink], ids=["overwritten", "gone"])
def test_a_file_that_is_not_what_was_brought_is_told(environment: ModuleType, tmp_path: Path, damage: object) -> None:
    """What an uninstalled nextcord leaves: discord.py without its files, or with the shim's."""
    unpack(tmp_path, "discord_py", {"discord/__init__.py": "real", "discord/http.py": "real"})
    assert callable(damage)
    damage(tmp_path / "discord" / "http.py")
    told, broken = environment.faults(tmp_path)
    assert told == ["discord_py: files are not what it brought: discord/http.py"]
    assert broken == ["discord_py"]


def test_what_only_points_to_the_clone_may_change(environment: ModuleType, tmp_path: Path) -> None:
    unpack(tmp_path, "messenger_bridge", {"__editable___messenger_bridge_finder.py": "/old"})
    (tmp_path / "__editable___messenger_bridge_finder.py").write_text("/new")
    assert environment.faults(tmp_path) == ([], [])


INSTALLERS = {"setuptools"}
"""Every virtual environment of Python 3.11 has it, and it hooks into the interpreter's start."""
IMPORTS = """
import json, sys
import bridge.cli.start, bridge.config.reader_process, bridge.observability.logs  # in the order of bridge.cli.start
import bridge.daemon
from adapters.registry import load_platform, platforms
for platform in platforms():
    load_platform(platform).preload()
    load_platform(platform).options()
print(json.dumps(sorted({module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)})))
"""


def needed(project: str) -> set[str]:
    """The distributions that a plain installation of the project brings, by their normalized names."""
    found: set[str] = set()
    waiting = [project]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def test_what_the_daemon_imports_comes_with_a_plain_installation(environment: ModuleType) -> None:
    """Not from a package that is there for the checks alone, be it by a plugin, an optional import or an overwritten file."""
    site = Path(sysconfig.get_path("purelib"))
    owner = {str(site / file.path): canonicalize_name(file.distribution) for file in environment.recorded(site)}
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    imported = {owner[path] for path in json.loads(done.stdout) if path in owner}
    assert {"aiogram", "discord-py", "slack-sdk", "structlog"} <= imported
    assert imported - needed("messenger-bridge") <= INSTALLERS
