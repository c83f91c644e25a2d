"""How much was relayed, and how late, in the last hour: for the lines of the dashboard. In memory, bounded, gone with the process.
No I/O; the daemon runs it where there is a dashboard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.model.clock import Clock

EVERY_S = 10.0
_POINTS = 360
_MOST_ROUTES = 100
"""Of a point: those with the most deliveries. A route that is not among them is shown as idle for that moment."""

Totals = Mapping[tuple[str, str], int]
"""As `Metrics.totals`."""


@dataclass(frozen=True, slots=True)
class Point:
    """What happened in one stretch of time."""

    length_s: float
    came: int
    delivered: int
    lag_s: float | None
    """Mean of what was delivered; None: nothing was."""
    routes: Mapping[str, int]
    """Deliveries by route."""


class History:
    """`totals` and `lags` are asked every ten seconds; `lags` gives how many deliveries there were, and the sum of their lags in
    seconds."""

    def __init__(self, totals: Callable[[], Totals], lags: Callable[[], tuple[int, float]], clock: Clock) -> None:
        self._totals = totals
        self._lags = lags
        self._clock = clock
        self._points: deque[Point] = deque(maxlen=_POINTS)
        self._at_s = clock.monotonic_s()
        self._then, self._lags_then = dict(totals()), lags()

    async def run(self) -> None:
        while True:
            await self._clock.sleep(EVERY_S)
            self.sample()

    def sample(self) -> None:
        now_s, now, lags = self._clock.monotonic_s(), dict(self._totals()), self._lags()
        since = {key: count - self._then.get(key, 0) for key, count in now.items()}
        routes = sorted(((count, name) for (kind, name), count in since.items() if kind == "route" and count), reverse=True)
        count, lag_s = lags[0] - self._lags_then[0], lags[1] - self._lags_then[1]
        point = Point(
            length_s=now_s - self._at_s,
            came=sum(count for (kind, _), count in since.items() if kind == "in"),
            delivered=sum(count for (kind, _), count in since.items() if kind == "out"),
            lag_s=lag_s / count if count > 0 else None,
            routes={name: count for count, name in routes[:_MOST_ROUTES]},
        )
        self._points.append(point)
        self._at_s, self._then, self._lags_then = now_s, now, lags

    @property
    def points(self) -> tuple[Point, ...]:
        """Oldest first, of the last hour at most."""
        return tuple(self._points)
