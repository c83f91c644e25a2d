"""Files and pages that come with the bridge, wherever it was installed from: the tree, a wheel, Debian's package."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import bridge

if TYPE_CHECKING:
    from bridge.model.platform import Manifest

_SHARE = "share/doc/messenger-bridge"
"""Where setup.py puts them, under the names that they have in the tree."""


def find(name: str) -> Path | None:
    """`name` is relative to the tree: `docs/running.md`."""
    here = Path(bridge.__file__).parents[1] / name
    if here.is_file():
        return here
    try:
        installed = [
            Path(str(one.locate())) for one in files("messenger-bridge") or [] if one.as_posix().endswith(f"{_SHARE}/{name}")
        ]
    except PackageNotFoundError:
        installed = []
    # Debian's package moves it out of the environment; beside the root that it is installed in
    roots = list(Path(sys.prefix).parents)[2:3]
    debian = [root / "usr" / _SHARE / name for root in roots]
    return next((path.resolve() for path in (*installed, *debian) if path.is_file()), None)


def first_page(manifest: Manifest) -> Path | None:
    """Which page leads to a first bridge with that platform; of one from outside the tree, what its package says of itself."""
    page = find(f"docs/first-bridge-{manifest.platform}.md")
    if page is not None:
        return page
    found = find_spec(manifest.package)
    beside = [Path(folder) / "README.md" for folder in (found.submodule_search_locations or () if found else ())]
    return next((path for path in beside if path.is_file()), None)


def as_typed(path: Path) -> str:
    """As somebody in this folder would name it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
