"""Collects the faults and warnings of one configuration file, each with its place. Suggests what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from bridge.model.errors import ConfigFault
from bridge.model.one_line import one_line

if TYPE_CHECKING:
    from yaml.nodes import Node

_LONGEST_VALUE = 60
_MOST = 1000
"""Faults, and warnings: nobody reads more, and each takes time to explain."""


class TooManyFaults(Exception):
    """No more are looked for."""


class Faults:
    """Everything found so far. `path` is the file as the user named it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.faults: list[ConfigFault] = []
        self.warnings: list[ConfigFault] = []

    def add(self, at: Node | None, key: str, why: str, *, value: str = "", hint: str = "") -> None:
        """Record a fault at a node of the file (None: the file as a whole). `value` must not be a secret. Raises TooManyFaults."""
        self.faults.append(self._make(at, key, why, value, hint))
        if len(self.faults) >= _MOST:
            self.faults.append(self._make(None, "", f"has {_MOST:,} faults, and maybe more: these were found first", "", ""))
            raise TooManyFaults

    def warn(self, at: Node | None, key: str, why: str, *, value: str = "", hint: str = "") -> None:
        """Record something that does not keep the daemon from starting, unless there is far too much of it."""
        if len(self.warnings) >= _MOST:
            return
        self.warnings.append(self._make(at, key, why, value, hint))

    def _make(self, at: Node | None, key: str, why: str, value: str, hint: str) -> ConfigFault:
        line, column = (at.start_mark.line + 1, at.start_mark.column + 1) if at is not None else (0, 0)
        return ConfigFault(why, path=self.path, line=line, column=column, key=key, value=shorten(value), hint=hint)

    def in_order(self, clean: Callable[[str], str]) -> tuple[list[ConfigFault], list[ConfigFault]]:
        """Faults and warnings by their place in the file, each once, with every text passed through `clean`."""
        return _finish(self.faults, clean), _finish(self.warnings, clean)


def _finish(faults: list[ConfigFault], clean: Callable[[str], str]) -> list[ConfigFault]:
    found: dict[tuple[int, int, str, str], ConfigFault] = {}
    for fault in sorted(faults, key=lambda fault: (fault.line, fault.column)):
        cleaned = ConfigFault(
            clean(fault.why),
            path=fault.path,
            line=fault.line,
            column=fault.column,
            key=clean(fault.key),
            value=clean(fault.value),
            hint=clean(fault.hint),
        )
        found.setdefault((fault.line, fault.column, fault.key, fault.why), cleaned)
    return list(found.values())


def shorten(text: str) -> str:
    return one_line(text, _LONGEST_VALUE)


def did_you_mean(wrong: str, valid: Iterable[str]) -> str:
    """A hint that names the nearest valid word, or else all of them if they are few; empty if there is nothing to say."""
    return _did_you_mean(wrong, tuple(valid))


@lru_cache(maxsize=256)
def _did_you_mean(wrong: str, valid: tuple[str, ...]) -> str:
    import difflib  # only for faults

    by_lower = {word.lower(): word for word in reversed(valid)}
    near = difflib.get_close_matches(wrong.lower(), by_lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {by_lower[near[0]]!r}?"
    if 0 < len(valid) <= 8:
        return "there is " + ", ".join(sorted(valid)) if len(valid) > 1 else f"there is only {valid[0]!r}"
    return ""
