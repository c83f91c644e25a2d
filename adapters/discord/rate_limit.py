"""Rate limits learned from Discord's headers and 429s, per bucket; delays calls that would certainly be refused.

Short waits happen here, before the request is made (only the lane of one chat waits); longer ones are `RetryLater`, so that the
core knows. Pure apart from waiting. Called by `transport` only.

Source: Discord API reference, "Rate Limits", August 2026: buckets by `X-RateLimit-*` headers, 50 requests a second for a bot.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bridge.model.errors import RetryLater, Scope

LONGEST_WAIT_S = 2.5
"""For a bucket to be refilled."""
LONGEST_TURN_S = 10.0
"""For one's turn among the bot's own calls: a burst at start asks for every channel's webhook."""
LONGEST_RESET_S = 3600.0
"""The longest wait, whatever an answer says: then Discord is asked again."""
MARGIN_S = 0.02
BUCKETS_KEPT = 4096


@dataclass(slots=True)
class _Bucket:
    remaining: int
    resets_at_s: float


class Limiter:
    def __init__(
        self,
        requests_per_s: float,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._per_s = requests_per_s
        self._now = now
        self._sleep = sleep
        self._buckets: dict[str, _Bucket] = {}
        self._blocked_until_s = 0.0
        self._tokens = requests_per_s
        self._filled_at_s = now()

    async def admit(self, bucket: str, *, is_bot: bool) -> None:
        """Returns when the call may be made, having counted it. Raises RetryLater when that would take long."""
        waited_s = 0.0
        while (wait_s := self._bucket_wait_s(bucket)) > 0:
            if waited_s + wait_s > LONGEST_WAIT_S:
                scope = Scope.ACCOUNT if self._blocked_until_s > self._now() else Scope.CHAT
                raise RetryLater(f"rate limit of {bucket}", after_s=wait_s, scope=scope, rate_limited=True)
            await self._sleep(wait_s)
            waited_s += wait_s
        known = self._buckets.get(bucket)
        if known is not None and known.resets_at_s > self._now():
            known.remaining -= 1
        if is_bot:
            await self._take_turn()

    def _bucket_wait_s(self, bucket: str) -> float:
        now = self._now()
        wait_s = max(0.0, self._blocked_until_s - now)
        known = self._buckets.get(bucket)
        if known is not None and known.remaining <= 0 and known.resets_at_s > now:
            wait_s = max(wait_s, known.resets_at_s - now + MARGIN_S)
        return wait_s

    async def _take_turn(self) -> None:
        """The bot's own rate over all its calls; whoever comes first goes first."""
        now = self._now()
        self._tokens = min(self._per_s, self._tokens + (now - self._filled_at_s) * self._per_s)
        self._filled_at_s = now
        wait_s = (1 - self._tokens) / self._per_s
        if wait_s > LONGEST_TURN_S:
            raise RetryLater("the bot's own rate limit", after_s=wait_s, rate_limited=True)
        self._tokens -= 1
        if wait_s > 0:
            await self._sleep(wait_s)

    def learn(self, bucket: str, headers: Mapping[str, str]) -> None:
        """Takes in the headers of an answer. Answers may overtake each other: the smaller remainder of one window counts."""
        try:
            remaining = int(headers["X-RateLimit-Remaining"])
            after_s = float(headers["X-RateLimit-Reset-After"])
        except (KeyError, ValueError):
            return
        if not after_s >= 0:  # a NaN is neither
            return
        resets_at_s = self._now() + min(after_s, LONGEST_RESET_S)
        known = self._buckets.get(bucket)
        if known is not None and abs(known.resets_at_s - resets_at_s) < 0.25:
            remaining = min(remaining, known.remaining)
        if len(self._buckets) >= BUCKETS_KEPT and known is None:
            self._forget_old()
        self._buckets[bucket] = _Bucket(remaining, resets_at_s)

    def block(self, bucket: str | None, after_s: float) -> None:
        """A 429 was answered: nothing to this bucket (None: to Discord at all) until then."""
        until_s = self._now() + after_s
        if bucket is None:
            self._blocked_until_s = max(self._blocked_until_s, until_s)
        else:
            self._buckets[bucket] = _Bucket(0, until_s)

    def _forget_old(self) -> None:
        now = self._now()
        self._buckets = {key: kept for key, kept in self._buckets.items() if kept.resets_at_s > now}
