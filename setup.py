"""What pyproject.toml cannot say: files for people and for the system, which go below `share` of where the bridge is installed."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup

GENERATED = "packaging/generated"
"""Made by scripts/manual.py before a release is built; without them there is no man page and no completion."""
SHARE = {
    "share/doc/messenger-bridge": [
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE",
        "bridge.yaml.example",
        "docs/*.md",
        "docs/*.json",
        "docs/*.yaml",
    ],
    "share/doc/messenger-bridge/monitoring": ["monitoring/*"],
    "share/doc/messenger-bridge/systemd": ["systemd/*"],
    "share/man/man1": [f"{GENERATED}/messenger-bridge.1"],
    "share/bash-completion/completions": [f"{GENERATED}/messenger-bridge"],
    "share/zsh/site-functions": [f"{GENERATED}/_messenger-bridge"],
    "share/fish/vendor_completions.d": [f"{GENERATED}/messenger-bridge.fish"],
}


def found(patterns: list[str]) -> list[str]:
    return sorted(str(path) for pattern in patterns for path in Path().glob(pattern) if path.is_file())


setup(data_files=[(folder, files) for folder, patterns in SHARE.items() if (files := found(patterns))])
