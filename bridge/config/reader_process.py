"""Reading bridge.yaml in a process of its own: what reading takes (pydantic, YAML, models, the tree of the file) ends with it, at
the start and at every reload. The daemon gets the result, a pickle from its own child.

The child runs a function that the composition root names; it calls `answer` with what it read.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.config.model import Config, Loaded
from bridge.config.plain_options import bare
from bridge.config.showing import Shown
from bridge.model.platform import Platform

_WITHIN_S = 300.0
"""Much longer than reading 100,000 routes takes."""

_CHILD = """
import importlib, sys
_, module, function, path, *sys.path = sys.argv
getattr(importlib.import_module(module), function)(path)
"""


class ReadingFailed(Exception):
    """The process that reads the configuration ended without a result: killed, or a bug that it reported on stderr."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading a file, and every text in it that must never be shown."""

    loaded: Loaded
    secrets: frozenset[str]


class ConfigReader:
    """`function` (of `module`) is called with the path in the other process, and answers there; so is `show`, for the file as it
    may be shown."""

    def __init__(self, path: Path, module: str, function: str, show: str = "") -> None:
        self._path = path
        self._module = module
        self._function = function
        self._show = show
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start reading; meanwhile this process can do something else. `read` takes the result."""
        self._child = self._started(self._function)

    def read(self) -> Reading:
        """Wait for the result. Raises ReadingFailed."""
        try:
            if self._child is None:
                self.begin()
        except OSError as error:
            raise ReadingFailed(f"cannot read {self._path}: {error}") from error
        child, self._child = self._child, None
        assert child is not None
        reading = self._answer(child)
        assert isinstance(reading, Reading)
        return reading

    def shown(self) -> Shown:
        """The file as it may be shown. Blocks. Raises ReadingFailed."""
        try:
            child = self._started(self._show)
        except OSError as error:
            raise ReadingFailed(f"cannot read {self._path}: {error}") from error
        found = self._answer(child)
        assert isinstance(found, Shown)
        return found

    def _started(self, function: str) -> subprocess.Popen[bytes]:
        # not `-m`: the child finds its modules where this process does, and nowhere else
        command = [sys.executable, "-c", _CHILD, self._module, function, str(self._path), *sys.path]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def _answer(self, running: subprocess.Popen[bytes]) -> object:
        try:
            with running as child:
                try:
                    answered, _ = child.communicate(timeout=_WITHIN_S)
                except BaseException:
                    child.kill()
                    raise
        except (OSError, subprocess.SubprocessError) as error:
            raise ReadingFailed(f"cannot read {self._path}: {error}") from error
        if child.returncode != 0:
            raise ReadingFailed(f"cannot read {self._path}: its reader ended with {child.returncode}")
        try:
            return pickle.loads(answered)
        except (EOFError, pickle.UnpicklingError) as error:
            raise ReadingFailed(f"cannot read {self._path}: its reader gave no answer") from error


def answer(load: Callable[[], Loaded], manifests: Callable[[str], Platform]) -> None:
    """In the child: load, and hand the result to the parent. stdout is the parent's alone."""
    out = _answer_place()
    loaded = load()
    secrets: frozenset[str] = frozenset()
    if loaded.config is not None:
        from bridge.config.secrets import secrets_of

        secrets = frozenset(secrets_of(loaded.config))
        loaded = replace(loaded, config=_without_models(loaded.config, manifests))
    with os.fdopen(out, "wb") as pipe:
        pickle.dump(Reading(loaded, secrets), pipe, protocol=pickle.HIGHEST_PROTOCOL)


def answer_shown(load: Callable[[], Shown]) -> None:
    """The same, for the file as it may be shown."""
    out = _answer_place()
    found = load()
    with os.fdopen(out, "wb") as pipe:
        pickle.dump(found, pipe, protocol=pickle.HIGHEST_PROTOCOL)


def _answer_place() -> int:
    """Where the answer goes; what is printed goes to stderr."""
    for number in (signal.SIGINT, signal.SIGPIPE):  # the parent has ended or is about to end
        signal.signal(number, signal.SIG_DFL)
    out = os.dup(1)
    os.dup2(2, 1)
    return out


def _without_models(config: Config, manifests: Callable[[str], Platform]) -> Config:
    """Platforms that say so take bare options; others get their model."""
    accounts = {
        name: replace(account, options=bare(account.options)) if manifests(account.platform).manifest.plain_options else account
        for name, account in config.accounts.items()
    }
    return replace(config, accounts=accounts)
