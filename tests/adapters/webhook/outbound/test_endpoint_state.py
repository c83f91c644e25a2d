"""Five days of nothing but failures, over restarts, other urls and switches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bridge.model.account_store import StoreDown
from bridge.model.errors import ChatOff, DeliveryError, RetryLater
from tests.adapters.webhook.receivers import MemoryStore, account, message, receiving
from tests.support.clock import ManualClock


async def test_five_days_of_nothing_but_failures_switch_an_end_off() -> None:
    clock, store = ManualClock(), MemoryStore()
    async with receiving() as there:
        for hours in (0, 1, 13, 23, 40, 27):
            async with account(there.url, store=store, clock=clock) as adapter:  # each time after a restart
                clock.forward(hours * 3600)
                there.answers.append(500)
                with pytest.raises(RetryLater):
                    await adapter.send(message())
        async with account(there.url, store=store, clock=clock) as adapter:
            clock.forward(17 * 3600)
            there.answers.append(500)
            with pytest.raises(ChatOff) as raised:
                await adapter.send(message())
            assert "HTTP 500" in raised.value.reason
            assert raised.value.answer is not None


async def fails_for_days(url: str, there: Any, store: MemoryStore, clock: ManualClock, gaps_h: Sequence[int]) -> type[Exception]:
    """What the last of these attempts raises; each is made after a restart."""
    raised: type[Exception] = Exception
    for hours in gaps_h:
        clock.forward(hours * 3600)
        there.answers.append(500)
        async with account(url, store=store, clock=clock) as adapter:
            with pytest.raises(DeliveryError) as last:
                await adapter.send(message())
            raised = last.type
    return raised


FIVE_DAYS_H = (0, 1, 13, 23, 40, 27, 17)


async def test_an_end_that_is_enabled_while_nothing_runs_has_its_five_days_again() -> None:
    clock, store = ManualClock(), MemoryStore()
    async with receiving() as there:
        assert await fails_for_days(there.url, there, store, clock, FIVE_DAYS_H) is ChatOff
        store.notes["off/alerts"] = ""  # as `hooks enable` does
        assert await fails_for_days(there.url, there, store, clock, FIVE_DAYS_H[:-1]) is RetryLater
        assert await fails_for_days(there.url, there, store, clock, FIVE_DAYS_H[-1:]) is ChatOff


async def test_what_failed_at_another_url_says_nothing_about_this_one() -> None:
    clock, store = ManualClock(), MemoryStore()
    async with receiving() as old, receiving() as new:
        assert await fails_for_days(old.url, old, store, clock, FIVE_DAYS_H[:-1]) is RetryLater
        assert await fails_for_days(new.url, new, store, clock, (17, 13, 13)) is RetryLater


@pytest.mark.parametrize("gaps_h", [(0, 130), (0, 1, 130), (0, 30, 30, 30, 40)])
async def test_few_failures_far_apart_switch_nothing_off(gaps_h: tuple[int, ...]) -> None:
    clock = ManualClock()
    async with receiving() as there, account(there.url, store=MemoryStore(), clock=clock) as adapter:
        for hours in gaps_h:
            clock.forward(hours * 3600)
            there.answers.append(500)
            with pytest.raises(RetryLater):
                await adapter.send(message())


async def test_one_success_begins_the_days_anew() -> None:
    clock = ManualClock()
    async with receiving() as there, account(there.url, store=MemoryStore(), clock=clock) as adapter:
        for number in range(30):
            clock.forward(13 * 3600)
            there.answers.append(200 if number % 8 == 7 else 500)
            if number % 8 == 7:
                await adapter.send(message())
            else:
                with pytest.raises(RetryLater):
                    await adapter.send(message())


async def test_what_arrived_has_arrived_although_no_note_can_be_kept() -> None:
    store = MemoryStore()
    async with receiving() as there, account(there.url, store=store) as adapter:
        there.answers.append(500)
        with pytest.raises(RetryLater):
            await adapter.send(message())
        assert store.notes["failing/alerts"]
        store.is_full = True
        assert (await adapter.send(message())).message_ids
        with pytest.raises(StoreDown):  # before it is sent
            await adapter.send(message())
        assert len(there.received) == 2
        store.is_full = False
        await adapter.send(message())
        assert not store.notes["failing/alerts"]


async def test_a_receiver_that_wants_no_more_gets_no_more_although_that_cannot_be_kept_yet() -> None:
    store = MemoryStore()
    async with receiving() as there, account(there.url, store=store) as adapter:
        store.is_full = True
        there.answers.append(web.Response(headers={"webhook-delivery": "disable"}))
        assert (await adapter.send(message())).message_ids
        store.is_full = False
        with pytest.raises(ChatOff):
            await adapter.send(message())
        assert len(there.received) == 1
        assert store.notes["off/alerts"]


class SetClock(ManualClock):
    """One that is set now and then."""

    set_by_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.set_by_s)


@pytest.mark.parametrize("jumps_d", [(365, 0, 0), (0, 6, 0), (0, 6, -6), (-3, 10, -7)])
async def test_a_clock_that_is_set_makes_no_days_of_hours(jumps_d: tuple[int, ...]) -> None:
    clock = SetClock()
    async with receiving() as there, account(there.url, store=MemoryStore(), clock=clock) as adapter:

        async def fails() -> type[Exception]:
            there.answers.append(500)
            with pytest.raises(DeliveryError) as found:
                await adapter.send(message())
            return found.type

        for days in jumps_d:
            assert await fails() is RetryLater
            clock.set_by_s += days * 86400
            assert await fails() is RetryLater
            clock.forward(14 * 3600)
        for _ in range(5):
            assert await fails() is RetryLater, "not yet five days"
            clock.forward(14 * 3600)
        clock.forward(10 * 3600)
        assert await fails() is ChatOff, "five days as they passed"
