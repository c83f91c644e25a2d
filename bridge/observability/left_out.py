"""What rules left out in the last hour: by route, target account and rule, for `status`, `/health` and the ops chat. Bounded.
Nobody's words: a rule's text is from bridge.yaml, or the platform's reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.model.clock import Clock
from bridge.model.outcomes import Loss, LossNote, LossOf, SkipRule
from bridge.policy.remedies import FILE_REMEDY, is_missed, remedy

_SLOT_S, _SLOTS = 300.0, 12
_MOST = 200
_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Omission:
    """`account`: the target's. `rule` in words. `action`: what an admin can do."""

    route: str
    account: str
    rule: str
    action: str


@dataclass(slots=True)
class _Count:
    """`slots`: how often, by the stretch of `_SLOT_S`; those of the last hour."""

    slots: dict[int, int]
    last_s: float
    last_at: datetime

    def add(self, now_s: float, now: datetime) -> None:
        slot = int(now_s // _SLOT_S)
        self.slots[slot] = self.slots.get(slot, 0) + 1
        self.last_s, self.last_at = now_s, now
        if len(self.slots) > _SLOTS + 1:
            self.slots = {one: count for one, count in self.slots.items() if one > slot - _SLOTS}

    def lately(self, now_s: float) -> int:
        return sum(count for slot, count in self.slots.items() if slot > now_s // _SLOT_S - _SLOTS)


class LeftOut:
    """`on_omission` is called for each."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[Omission, _Count] = {}
        self.on_omission: Callable[[Omission], None] = lambda _: None

    def skipped(self, account: str, route: str, rule: SkipRule) -> None:
        """A delivery was skipped by a rule; what nobody misses does not count."""
        if is_missed(rule):
            self._add(Omission(route, account, str(rule), remedy(rule)))

    def lost(self, account: str, route: str, loss: LossNote) -> None:
        """A copy lacks something; files that became lines count."""
        if isinstance(loss, LossOf) and loss.loss is Loss.FILE_AS_LINE:
            self._add(Omission(route, account, str(loss), FILE_REMEDY))

    def _add(self, omission: Omission) -> None:
        now_s = self._clock.monotonic_s()
        known = self._counts.pop(omission, None)
        if known is None:
            known = _Count({}, now_s, self._clock.now())
        known.add(now_s, self._clock.now())
        self._counts[omission] = known  # the latest is the last
        if len(self._counts) > _MOST:
            del self._counts[next(iter(self._counts))]
        self.on_omission(omission)

    def lately(self) -> list[dict[str, Any]]:
        """The latest first."""
        now_s = self._clock.monotonic_s()
        for omission in [one for one, count in self._counts.items() if not count.lately(now_s)]:
            del self._counts[omission]
        return [
            {
                "route": omission.route,
                "account": omission.account,
                "rule": omission.rule,
                "action": omission.action,
                "count": count.lately(now_s),
                "last_at": count.last_at.isoformat(),
            }
            for omission, count in list(reversed(self._counts.items()))[:_MOST_SHOWN]
        ]
