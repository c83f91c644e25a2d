"""The time before which old entries are removed, by a wall clock that may be wrong. Pure; the app's maintenance asks.

A clock that is far ahead, for a minute or for a day, must not make everything look old. The moment moves on with the time that the
bridge itself measures, at most twice as fast, so that it catches up after a time in which the bridge did not run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_CATCHING_UP = 2.0
_NO_EARLIER = datetime(2020, 1, 1, tzinfo=UTC)
"""A moment before this is of a clock that began at 1970 and was not set yet."""


class TrustedNow:
    """`known` is what the last run came to, or None at the first one; `now` and `monotonic_s` are the clocks at the start."""

    def __init__(self, known: datetime | None, now: datetime, monotonic_s: float) -> None:
        self._moment = known if known is not None else now
        self._at_s = monotonic_s

    def stamp(self, now: datetime, monotonic_s: float) -> datetime:
        """When something that comes now is said to have come: a clock that was set back must not make it look old at once."""
        return max(now, self.moment(now, monotonic_s))

    def moment(self, now: datetime, monotonic_s: float) -> datetime:
        """Moves towards `now`, never faster than the time that has passed allows."""
        passed_s = max(monotonic_s - self._at_s, 0.0)
        self._at_s = monotonic_s
        if self._moment < _NO_EARLIER:
            self._moment = max(now, self._moment)
        elif now > self._moment:
            self._moment = min(now, self._moment + timedelta(seconds=passed_s * _CATCHING_UP))
        return self._moment
