"""A platform's clock, learned from the `Date` headers of its answers, so that nothing at the platform depends on this machine's
clock.

A host's clock may be minutes or a year wrong, in both directions, and may be changed while the bridge runs. The platform's
timestamps are therefore compared with the platform's own clock, continued by one that never steps. Used by the adapters' transports
(`PlatformTime.learn`), by what reconciles unknown outcomes (`Attempts`) and by catching up. Knows no platform by name."""

from __future__ import annotations

import statistics
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_READINGS = 9
"""How many answers the platform's clock is derived from: their median, so that one odd header (of a proxy, say) has no effect."""
_MIDDLE = timedelta(seconds=0.5)
"""A `Date` is cut to whole seconds: on average it is half a second more."""
_AGREES_S = (-1.0, 3.0)
"""A local clock that is ahead by no more than this counts as right, since a `Date` is no more exact and answers take time."""
_STEPS = 16
_STEP_S = 2.0
"""A local clock that moves by more than this against the steady one was set, by a human or by NTP."""
_TOKENS = 5000
DATE_ERROR = timedelta(seconds=5)
"""How far `now` and `Attempts.begun` may be off: a `Date` is in whole seconds, and an answer takes time on its way."""


def steady_s() -> float:
    """Seconds that never step and, if the system has such a clock, continue while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(slots=True)
class _Stretch:
    """A time without a step of the local clock: since when (steady seconds), and Unix time minus steady time in it."""

    since_s: float
    local_offset_s: float


class PlatformTime:
    """One platform's clock, as one account knows it. Without any answer yet the local clock has to do (`is_known`)."""

    def __init__(self, *, local_s: Callable[[], float] = time.time, steady_s: Callable[[], float] = steady_s) -> None:
        self.local_s = local_s
        """This machine's wall clock, in Unix time. May step."""
        self._steady_s = steady_s
        self._readings: deque[float] = deque(maxlen=_READINGS)
        self._offset_s: float | None = None
        self._stretches: deque[_Stretch] = deque([_Stretch(float("-inf"), local_s() - steady_s())], maxlen=_STEPS)
        self._latest: tuple[str, datetime] | None = None
        """The latest `Date` and what it means: a busy platform gives the same one many times."""

    # -- learning -------------------------------------------------------------------------------------------------------------

    def learn(self, headers: Mapping[str, str]) -> None:
        """Learn from the `Date` of an answer that has just come from the platform itself. An answer without it, with an invalid
        one, or from a cache (`Age`) is ignored."""
        text = headers.get("Date")
        if not text or headers.get("Age", "0").strip() not in ("", "0"):
            return
        if self._latest is None or self._latest[0] != text:
            try:
                stated = parsedate_to_datetime(text)
            except (ValueError, TypeError, IndexError, OverflowError):
                return
            if stated.tzinfo is None:
                stated = stated.replace(tzinfo=UTC)
            self._latest = text, stated + _MIDDLE
        self.learn_moment(self._latest[1])

    def learn_moment(self, moment: datetime) -> None:
        """The same from another time given by the platform: the timestamp of a message that it has just created."""
        try:
            told_s = moment.timestamp()
        except (ValueError, OverflowError):
            return
        self._look()
        self._readings.append(told_s - self._steady_s())
        self._offset_s = statistics.median_low(self._readings)

    def _look(self) -> None:
        """Note whether the local clock has been set since the last look."""
        at_s = self._steady_s()
        offset_s = self.local_s() - at_s
        last = self._stretches[-1]
        if abs(offset_s - last.local_offset_s) > _STEP_S:
            self._stretches.append(_Stretch(at_s, offset_s))
        else:
            last.local_offset_s = offset_s  # it is slewed, a little at a time

    # -- asking ---------------------------------------------------------------------------------------------------------------

    @property
    def is_known(self) -> bool:
        return self._offset_s is not None

    def _local_is_right(self) -> bool:
        least_s, most_s = _AGREES_S
        return self._offset_s is None or least_s < self._stretches[-1].local_offset_s - self._offset_s < most_s

    @property
    def local_ahead_s(self) -> float:
        """By how much the local clock is ahead of the platform's; negative: behind. 0 if the platform's is not known."""
        if self._offset_s is None:
            return 0.0
        return self.local_s() - self._steady_s() - self._offset_s

    def now(self) -> datetime:
        """The time at the platform, to within `DATE_ERROR`."""
        return self.at(self._steady_s())

    def earliest_now(self) -> datetime:
        """The same, not later than the platform's: for where reading begins, since what lies between would be missed. As fine as
        the clock here if that one is right, else up to a second early."""
        return self.now() if self._local_is_right() else self.now() - _MIDDLE

    def at(self, steady_s: float) -> datetime:
        """The platform's time at a moment of the steady clock."""
        self._look()
        told_s = self._offset_s
        offset_s = self._stretches[-1].local_offset_s if told_s is None or self._local_is_right() else told_s
        return datetime.fromtimestamp(steady_s + offset_s, UTC)

    def steady_now_s(self) -> float:
        return self._steady_s()

    def of_local(self, local: datetime) -> datetime | None:
        """The platform's time when the local clock showed `local`, in the past; the earliest where several moments may be meant.
        None if no moment can be: the local clock has been set back since, or it is not this machine's reading.

        Of the time before this process only the present clock is known: a caller that asks about it leaves a margin of its own."""
        self._look()
        now_s = self._steady_s()
        ends = [*(stretch.since_s for stretch in list(self._stretches)[1:]), now_s]
        wanted_s = local.timestamp()
        fitting: list[float] = []
        possible: list[float] = []
        for stretch, end_s in zip(self._stretches, ends, strict=True):
            at_s = wanted_s - stretch.local_offset_s
            if at_s <= now_s + _STEP_S:
                possible.append(at_s)
            if stretch.since_s - _STEP_S <= at_s <= end_s + _STEP_S:
                fitting.append(at_s)
        found = fitting or possible
        return self.at(min(found)) if found else None


class Attempts:
    """When each message was first tried, by the platform's clock: exact whatever the local clock does meanwhile. Bounded; what was
    tried before the process began is not known."""

    def __init__(self, platform_time: PlatformTime) -> None:
        self._time = platform_time
        self._begun_s: OrderedDict[str, float] = OrderedDict()

    def begin(self, token: str) -> None:
        """Call before the request leaves. Later attempts of the same message do not count: the first may have arrived."""
        self._begun_s.setdefault(token, self._time.steady_now_s())
        self._begun_s.move_to_end(token)
        while len(self._begun_s) > _TOKENS:
            self._begun_s.popitem(last=False)

    def begun(self, token: str) -> datetime | None:
        """The platform's time before which nothing of that message was posted; None if it was not tried here."""
        at_s = self._begun_s.get(token)
        return None if at_s is None else self._time.at(at_s) - DATE_ERROR

    def since(self, token: str, sent_after: datetime, *, margin: timedelta) -> datetime | None:
        """From where to look for a message: exact for one that was tried here; else `sent_after`, a reading of the local clock of
        an earlier process, less `margin` for what that clock did since. None: nothing can be said, look at everything."""
        begun = self.begun(token)
        if begun is not None:
            return begun
        found = self._time.of_local(sent_after)
        return None if found is None else found - margin
