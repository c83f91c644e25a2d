"""What this process has sent: when each token was first tried, and the ids of its latest messages. In memory only.

Filled by `sender`, asked by `reconcile`: a message that is known to be another one is excluded from the search.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from adapters.common.platform_time import Attempts, PlatformTime
from adapters.discord.snowflakes import moment_of
from bridge.model.adapter import Receipt

OWN_IDS_KEPT = 500
CLOCK_SET_BY = timedelta(days=3)
"""By how much this machine's clock may have been set since an earlier process tried."""


class SentMessages:
    def __init__(self, time: PlatformTime) -> None:
        self._time = time
        self._attempts = Attempts(time)
        self._ids: deque[str] = deque(maxlen=OWN_IDS_KEPT)

    def begin(self, token: str) -> None:
        """Call before the first attempt is made."""
        self._attempts.begin(token)

    def note(self, receipt: Receipt) -> None:
        self._ids.extend(receipt.message_ids)
        if not self._time.is_known:  # something on the way takes the `Date` out of answers
            self._time.learn_moment(moment_of(receipt.message_ids[0]))

    def found(self, message_id: str) -> None:
        """One that was sent after all."""
        self._ids.append(message_id)

    def since(self, token: str, sent_after: datetime) -> datetime | None:
        """When a token was first tried, by Discord's clock; None if that moment is impossible."""
        return self._attempts.since(token, sent_after, margin=CLOCK_SET_BY)

    def ids_and(self, others: Iterable[str]) -> frozenset[str]:
        return frozenset({*self._ids, *others})
