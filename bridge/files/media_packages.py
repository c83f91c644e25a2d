"""Which packages of the extra `[media]` are installed. Apart from `convert`, since `check` asks without needing the rest."""

from __future__ import annotations

import importlib.util

NEEDS = {"PIL": "Pillow", "av": "PyAV", "rlottie_python": "rlottie-python"}
"""What the extra brings, by the name it is imported by."""


def installed_packages() -> frozenset[str]:
    """By the names they are imported by."""
    return frozenset(name for name in NEEDS if importlib.util.find_spec(name) is not None)


def missing_packages() -> tuple[str, ...]:
    """The others, as people name them."""
    there = installed_packages()
    return tuple(title for name, title in NEEDS.items() if name not in there)
