"""The fault plan: decides which request fails and how. Pure; the server in `base` carries it out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fnmatch import fnmatchcase

from adapters.common.emulation.contract import Fault


class FaultPlan:
    """Rules in the order they were injected; the first that applies to a call wins. `now` is monotonic, in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._rules: list[_Rule] = []

    def add(self, fault: Fault) -> None:
        if fault.every < 1:
            raise ValueError(f"every must be at least 1, not {fault.every}")
        if fault.bytes_per_s <= 0 or fault.after_bytes < 0:
            raise ValueError("bytes_per_s must be more than 0, after_bytes not less")
        if fault.for_s is not None and not 0 < fault.for_s < math.inf:
            raise ValueError(f"for_s must be more than 0 seconds, not {fault.for_s:g}")
        self._rules.append(_Rule(fault, math.inf if fault.for_s is None else self._now() + fault.for_s))

    def clear(self) -> None:
        self._rules.clear()

    def decide(self, operation: str) -> Fault | None:
        """The fault for this call, if any. Counts the call: to be called once per request."""
        chosen: Fault | None = None
        now_s = self._now()
        self._rules = [rule for rule in self._rules if rule.until_s > now_s]
        for rule in self._rules:
            if fnmatchcase(operation, rule.fault.operation) and rule.hit(taken=chosen is not None):
                chosen = rule.fault
        self._rules = [rule for rule in self._rules if not rule.spent]
        return chosen


class _Rule:
    def __init__(self, fault: Fault, until_s: float) -> None:
        self.fault = fault
        self.until_s = until_s
        self._matched = 0
        self._done = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self._done >= self.fault.times

    def hit(self, *, taken: bool) -> bool:
        if self.spent:
            return False
        self._matched += 1
        position = self._matched - self.fault.skip
        if position < 1 or position % self.fault.every or taken:
            return False
        self._done += 1
        return True
