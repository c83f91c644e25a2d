"""Where the pages are that come with the bridge; of an installed one: tests/packaging."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.registry import load_manifest
from bridge.cli.shipped import as_typed, find, first_page
from bridge.model.platform import Manifest

ROOT = Path(__file__).parents[3]


def test_a_file_of_the_tree_is_found_by_its_name_there() -> None:
    assert find("docs/running.md") == ROOT / "docs" / "running.md"
    assert find("docs/nothing.md") is None
    assert find("running.md") is None


def test_a_platform_from_elsewhere_has_what_its_package_says_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "theirs_of_shipped"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    theirs = Manifest(platform="theirs", title="Theirs", package="theirs_of_shipped")
    assert first_page(theirs) is None
    (package / "README.md").touch()
    assert first_page(theirs) == package / "README.md"
    assert first_page(Manifest(platform="theirs", title="Theirs", package="not_there_of_shipped")) is None


def test_ours_have_a_page_that_begins_with_nothing() -> None:
    assert first_page(load_manifest("slack")) == ROOT / "docs" / "first-bridge-slack.md"


def test_a_path_is_short_for_who_stands_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert as_typed(ROOT / "docs" / "running.md") == "docs/running.md"
    monkeypatch.chdir(tmp_path)
    assert as_typed(ROOT / "docs" / "running.md") == str(ROOT / "docs" / "running.md")
