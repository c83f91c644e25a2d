"""How much was relayed in the last minute, from the totals that are counted anyway. No I/O; the daemon runs it for `status`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from bridge.model.clock import Clock

EVERY_S = 10.0
_WINDOW_S = 60.0

Totals = Mapping[tuple[str, str], int]
"""As `Metrics.totals`."""


class Rates:
    """`totals` is asked every ten seconds; seven answers are kept."""

    def __init__(self, totals: Callable[[], Totals], clock: Clock) -> None:
        self._totals = totals
        self._clock = clock
        self._samples: deque[tuple[float, Totals]] = deque(maxlen=int(_WINDOW_S / EVERY_S) + 1)
        self._sample()

    async def run(self) -> None:
        while True:
            await self._clock.sleep(EVERY_S)
            self._sample()

    def _sample(self) -> None:
        self._samples.append((self._clock.monotonic_s(), dict(self._totals())))

    def per_minute(self) -> dict[tuple[str, str], int]:
        """How many there were in the last minute; of a bridge that runs for less than that, since its start. Only what is not
        nothing."""
        now_s = self._clock.monotonic_s()
        # all but the first of them are younger than a minute, unless the loop was held up: then it is the youngest that is not
        since = next((one for at_s, one in reversed(self._samples) if now_s - at_s >= _WINDOW_S), self._samples[0][1])
        return {key: count - since.get(key, 0) for key, count in self._totals().items() if count != since.get(key, 0)}
