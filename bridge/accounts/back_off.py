"""Back-off: how long to wait between attempts to connect. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits between attempts, in seconds, doubled each time, with full jitter on their upper half. The first `early_failures` waits
    are at most `early_most_s`, so that a short outage ends soon after the platform is back."""

    first_s: float = 1.0
    most_s: float = 60.0
    early_failures: int = 15
    early_most_s: float = 4.0
    parked_first_s: float = 30.0
    parked_most_s: float = 900.0
    healthy_after_s: float = 30.0
    """A connection that lasted this long resets the series."""

    def wait_s(self, failures: int, *, parked: bool) -> float:
        first, most = (self.parked_first_s, self.parked_most_s) if parked else (self.first_s, self.most_s)
        if not parked:
            if failures <= self.early_failures:
                most = min(most, self.early_most_s)
            else:
                failures -= self.early_failures - 3  # continues to double from the early cap
        whole = min(most, first * 2.0 ** min(failures - 1, 30))
        return whole * random.uniform(0.5, 1.0)
