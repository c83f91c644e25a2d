"""What pyproject.toml cannot say: files for people and for the system, which go below `share` of where the bridge is installed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from setuptools import setup

GENERATED = "packaging/generated"
"""Made by scripts/manual.py before a release is built; without them there is no man page and no completion."""
DOC = "share/doc/messenger-bridge"
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "bridge.yaml.example",
    "compose.yaml",
    "docs/*.md",
    "docs/*.json",
    "docs/*.yaml",
    "docs/decisions/*.md",
    "adapters/*/README.md",
    "adapters/quality_rules.yaml",
    "monitoring/*",
    "systemd/*",
)
"""They keep the folders that they have in the tree, so that links from one to another still lead there."""
SHARE = {
    "share/man/man1": [f"{GENERATED}/messenger-bridge.1"],
    "share/bash-completion/completions": [f"{GENERATED}/messenger-bridge"],
    "share/zsh/site-functions": [f"{GENERATED}/_messenger-bridge"],
    "share/fish/vendor_completions.d": [f"{GENERATED}/messenger-bridge.fish"],
}


def found(patterns: Iterable[str]) -> list[str]:
    return sorted(str(path) for pattern in patterns for path in Path().glob(pattern) if path.is_file())


def by_folder(pages: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for page in pages:
        folders.setdefault(str(Path(DOC, page).parent), []).append(page)
    return folders


setup(
    data_files=[
        *by_folder(found(PAGES)).items(),
        *((folder, files) for folder, patterns in SHARE.items() if (files := found(patterns))),
    ]
)
