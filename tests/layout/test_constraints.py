"""What gets installed is pinned with hashes: the files that `make constraints` writes cover what pyproject.toml asks for."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NEXTCORD = ROOT / "tests" / "adapters" / "discord" / "nextcord"
FILES = (ROOT / "constraints.txt", ROOT / "constraints-test.txt", NEXTCORD / "requirements.txt")
NODE = ROOT / "tests" / "node"
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(path: Path) -> dict[str, tuple[Requirement, int]]:
    """Name -> what is pinned, and how many files of it have a hash there."""
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    found: dict[str, tuple[Requirement, int]] = {}
    for entry in filter(None, text.replace("\\\n", " ").splitlines()):
        requirement = Requirement(entry.partition(" --hash")[0].strip())
        found[canonicalize_name(requirement.name)] = (requirement, len(HASH.findall(entry)))
    return found


def missing(wanted: list[str], pinned: dict[str, tuple[Requirement, int]]) -> list[str]:
    """What is not pinned, or at a version that is not admitted."""
    found = []
    for requirement in map(Requirement, wanted):
        pin, _ = pinned.get(canonicalize_name(requirement.name), (None, 0))
        versions = [specifier.version for specifier in pin.specifier] if pin else []
        if not versions or not requirement.specifier.contains(versions[0], prereleases=True):
            found.append(str(requirement))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_pin_is_exact_and_has_hashes(path: Path) -> None:
    entries = pins(path)
    assert entries
    for name, (requirement, hashes) in entries.items():
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], name
        assert hashes, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_index_is_named(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or re.match(r"\s*--(?!hash=)", line)]


def test_what_the_project_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run, checks, nextcord = map(pins, FILES)
    assert not missing(project["dependencies"], run)
    for extra in ("test", "media", "ops"):
        assert not missing(project["optional-dependencies"][extra], run | checks)
    assert not missing((NEXTCORD / "requirements.in").read_text(encoding="utf-8").split(), nextcord)


def test_one_package_has_one_version() -> None:
    run, checks, nextcord = map(pins, FILES)
    assert not run.keys() & checks.keys()
    both = run.keys() & nextcord.keys()
    assert "aiohttp" in both
    assert not [name for name in both if run[name][0].specifier != nextcord[name][0].specifier]


def test_nodes_packages_have_hashes_and_no_address() -> None:
    asked = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    itself, *locked = json.loads((NODE / "package-lock.json").read_text(encoding="utf-8"))["packages"].items()
    assert itself[1]["dependencies"] == asked
    assert {f"node_modules/{name}" for name in asked} <= {path for path, _ in locked}
    for path, package in locked:
        assert package["integrity"].startswith("sha512-"), path
        assert "resolved" not in package, path


def test_what_is_not_pinned_is_found() -> None:
    pinned = {"aiohttp": (Requirement("aiohttp==3.14.5"), 1)}
    assert missing(["aiohttp>=3.14,<4"], pinned) == []
    assert missing(["aiohttp>=4", "yarl"], pinned) == ["aiohttp>=4", "yarl"]
