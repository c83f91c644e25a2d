"""PyAV's parts. It loads some of them when they are first needed: then it is too late (`confinement.seal`)."""

from __future__ import annotations

import importlib
import pkgutil

import av

_NOT_NEEDED = frozenset({"av.__main__", "av.datasets"})
"""A command, and test files from the network."""


def load() -> None:
    """All of them: which are needed depends on the file."""
    for found in pkgutil.walk_packages(av.__path__, "av."):
        if found.name not in _NOT_NEEDED:
            importlib.import_module(found.name)
