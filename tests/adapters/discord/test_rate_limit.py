"""Rate limits as headers and 429s tell them: what is waited for, what is told instead."""

from __future__ import annotations

import pytest

from adapters.common.http_errors import Effect
from adapters.discord.errors import classify, refusal_of
from adapters.discord.rate_limit import Limiter
from bridge.model.errors import RetryLater, Scope


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 2))
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def headers(remaining: int, reset_after_s: float) -> dict[str, str]:
    return {"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset-After": str(reset_after_s)}


async def test_a_used_up_bucket_is_waited_for_and_only_that_one(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.learn("a", headers(0, 1.0))
    await limiter.admit("b", is_bot=False)
    assert clock.slept == []
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02]
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02], "a new window"


async def test_a_long_wait_is_told_instead_of_slept(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.block("a", 30.0)
    with pytest.raises(RetryLater) as raised:
        await limiter.admit("a", is_bot=False)
    assert raised.value.after_s is not None
    assert 29 < raised.value.after_s < 31
    limiter.block(None, 10.0)
    with pytest.raises(RetryLater) as everything:
        await limiter.admit("c", is_bot=False)
    assert everything.value.scope is Scope.ACCOUNT
    clock.now += 31
    await limiter.admit("a", is_bot=False)
    assert clock.slept == []


async def test_calls_on_their_way_count(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.learn("a", headers(2, 1.0))
    for _ in range(2):
        await limiter.admit("a", is_bot=False)
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02]


async def test_an_answer_that_was_overtaken_does_not_give_tokens_back(clock: Clock) -> None:
    limiter = Limiter(1000, now=clock, sleep=clock.sleep)
    limiter.learn("a", headers(0, 1.0))
    limiter.learn("a", headers(3, 1.0))
    await limiter.admit("a", is_bot=False)
    assert clock.slept == [1.02]


async def test_the_bots_own_rate_is_kept_and_webhooks_do_not_count(clock: Clock) -> None:
    limiter = Limiter(10, now=clock, sleep=clock.sleep)
    for _ in range(10):
        await limiter.admit("a", is_bot=True)
    await limiter.admit("hook", is_bot=False)
    assert clock.slept == []
    await limiter.admit("a", is_bot=True)
    assert clock.slept == [0.1]


def test_nonsense_in_headers_teaches_nothing(clock: Clock) -> None:
    limiter = Limiter(10, now=clock, sleep=clock.sleep)
    limiter.learn("a", {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset-After": "soon"})


@pytest.mark.parametrize("told", ["1e300", "inf", "nan", "-5", "soon", 1e300, None, [], "9" * 400])
def test_no_wait_that_is_told_lasts_for_ever(told: object) -> None:
    clock = Clock()
    limiter = Limiter(10, now=clock, sleep=clock.sleep)
    limiter.learn("a", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": str(told)})
    assert limiter._bucket_wait_s("a") <= 3601
    refusal = refusal_of(429, {"retry_after": told}, {"Retry-After": str(told)})
    error = classify(refusal, effect=Effect.CREATES)
    assert isinstance(error, RetryLater)
    assert error.after_s is None or 0 <= error.after_s <= 3600
