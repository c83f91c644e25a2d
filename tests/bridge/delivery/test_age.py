"""Late messages, and the hold window."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bridge.delivery.age import after_hold, is_late, is_too_old, late_line, why_too_old
from bridge.journal.contract import DeliveryStatus, OpenDelivery
from bridge.model.events import Author, Content, EventMeta, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.refs import ChatAddress, ChatRef
from bridge.model.rich_text import plain, text_of
from bridge.policy.routing import OnLate, RelayOptions, RouteEnd
from tests.support.clock import ManualClock
from tests.support.strategies import TEAM, TG

ANNA = Author(user_id="1", name="Anna")
OPTIONS = RelayOptions(max_age_min=60)


def message(clock: ManualClock, *, age_min: float = 0, author: Author | None = ANNA) -> MessageCreated:
    at = clock.now() - timedelta(minutes=age_min)
    meta = EventMeta(event_key="k", origin=ChatRef(TG, "1"), occurred_at=at, received_at=clock.now(), author=author)
    return MessageCreated(meta=meta, message_id="1", content=Content(text=plain("hi")))


@pytest.mark.parametrize(("age_min", "late"), [(0, False), (60, False), (61, True), (-600, False)])
def test_when_a_message_is_late(age_min: float, late: bool) -> None:
    clock = ManualClock()
    event = message(clock, age_min=age_min)
    assert is_late(event, OPTIONS, clock.now()) == late
    assert bool(late_line(event, OPTIONS, clock.now())) == late
    assert not is_late(event, RelayOptions(), clock.now())
    assert is_too_old(event, replace(OPTIONS, on_late=OnLate.DROP), clock.now()) == late
    assert not is_too_old(event, OPTIONS, clock.now())


def test_what_is_never_late() -> None:
    clock = ManualClock()
    old = message(clock, age_min=600)
    assert not is_late(message(clock, age_min=600, author=None), OPTIONS, clock.now()), "a line of the bridge's own"
    assert not is_late(MessageEdited(meta=old.meta, message_id="1", content=old.content), OPTIONS, clock.now())


def test_what_is_said() -> None:
    clock = ManualClock()
    event = message(clock, age_min=90)
    at = event.meta.occurred_at
    day = "" if at.date() == clock.now().date() else f"{at:%Y-%m-%d} "
    assert text_of(late_line(event, OPTIONS, clock.now())) == f"🕑 sent {day}{at:%H:%M} UTC"
    assert why_too_old(event, clock.now()) == "too old: it was written 1 h 30 min before it could be sent"


def delivery(event: MessageCreated) -> OpenDelivery:
    return OpenDelivery(
        delivery_id=7,
        lane_seq=3,
        event_seq=1,
        route="r",
        target=ChatAddress(TEAM, "2"),
        thread_id=None,
        event=event,
        state=DeliveryStatus.WAITING,
        attempt=0,
        first_attempt_at=None,
        not_before=None,
        last_error="",
        parts=(),
    )


async def test_the_window_is_waited_out_and_what_came_meanwhile_is_known() -> None:
    clock = ManualClock()
    pending = delivery(message(clock))
    deleted = MessageDeleted(meta=pending.event.meta, message_id="1")
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.forward(min(seconds, 2))  # it is woken early

    async def reload(after: int, limit: int) -> list[OpenDelivery]:
        assert (after, limit) == (2, 1)
        return [replace(pending, later=deleted)]

    held = RouteEnd(chat=pending.target, options=RelayOptions(hold_s=5))
    assert (await after_hold(pending, lambda: held, clock, sleep, reload)).later is deleted
    assert slept == [5, 3, 1]
    clock.forward(100)
    assert (await after_hold(pending, lambda: held, clock, sleep, reload)).later is deleted
    assert len(slept) == 3, "its window is over"
    assert await after_hold(pending, lambda: RouteEnd(chat=pending.target), clock, sleep, reload) is pending
    begun = replace(pending, state=DeliveryStatus.SENDING)
    assert await after_hold(begun, lambda: held, clock, sleep, reload) is begun


async def test_a_clock_that_was_set_back_makes_the_window_no_longer() -> None:
    clock = ManualClock()
    event = message(clock)
    pending = delivery(replace(event, meta=replace(event.meta, received_at=clock.now() + timedelta(days=30))))
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.forward(seconds)

    async def reload(after: int, limit: int) -> list[OpenDelivery]:
        return []

    held = RouteEnd(chat=pending.target, options=RelayOptions(hold_s=5))
    assert await after_hold(pending, lambda: held, clock, sleep, reload) is pending
    assert slept == [5]


@pytest.mark.parametrize(("hold_s", "slept"), [(None, [60]), (3.0, [60, 2]), (90.0, [60, 89])])
async def test_a_reload_may_make_the_window_another(hold_s: float | None, slept: list[float]) -> None:
    clock = ManualClock()
    pending = delivery(message(clock))
    end = RouteEnd(chat=pending.target, options=RelayOptions(hold_s=60))
    asked: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal end
        clock.forward(seconds if asked else 1)  # the first is ended by the reload
        asked.append(seconds)
        end = RouteEnd(chat=pending.target, options=RelayOptions(hold_s=hold_s))

    async def reload(after: int, limit: int) -> list[OpenDelivery]:
        return []

    assert await after_hold(pending, lambda: end, clock, sleep, reload) is pending
    assert asked == slept
