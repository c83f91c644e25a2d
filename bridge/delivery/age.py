"""Late messages: their age, and the line that says when one was written. Also the hold window, in which a message can still be
deleted at the origin before it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bridge.journal.contract import Damaged, DeliveryStatus, OpenDelivery
from bridge.model.clock import Clock
from bridge.model.events import MessageCreated, MessageEdited
from bridge.model.rich_text import EMPTY, Mark, Paragraph, RichText, Text, Timestamp
from bridge.policy.routing import OnLate, RelayOptions, RouteEnd


def is_late(event: MessageCreated | MessageEdited, options: RelayOptions, now: datetime) -> bool:
    """Whether it was written longer ago than the end allows. The bridge's own lines are never late."""
    if options.max_age_min is None or not isinstance(event, MessageCreated) or event.meta.author is None:
        return False
    return now - event.meta.occurred_at > timedelta(minutes=options.max_age_min)


def is_too_old(event: MessageCreated, options: RelayOptions, now: datetime) -> bool:
    """Whether it becomes a dead letter because it is late."""
    return options.on_late is OnLate.DROP and is_late(event, options, now)


def why_too_old(event: MessageCreated, now: datetime) -> str:
    minutes = int((now - event.meta.occurred_at).total_seconds() // 60)
    return f"too old: it was written {minutes // 60} h {minutes % 60} min before it could be sent"


def late_line(event: MessageCreated | MessageEdited, options: RelayOptions, now: datetime) -> RichText:
    """`sent 14:02`, in each reader's own time where the target can show that; empty if it is not late."""
    if not is_late(event, options, now) or options.on_late is OnLate.DROP:
        return EMPTY
    at = event.meta.occurred_at
    is_today = at.date() == now.date()
    shown = f"{at:%H:%M} UTC" if is_today else f"{at:%Y-%m-%d %H:%M} UTC"
    moment = Timestamp(int(at.timestamp()), shown, "t" if is_today else "f", Mark.ITALIC)
    return RichText((Paragraph((Text("🕑 sent ", Mark.ITALIC), moment)),))


Reload = Callable[[int, int], Awaitable[Sequence[OpenDelivery | Damaged]]]


async def after_hold(
    pending: OpenDelivery,
    end: Callable[[], RouteEnd | None],
    clock: Clock,
    sleep: Callable[[float], Awaitable[None]],
    reload: Reload,
) -> OpenDelivery:
    """Returns once the end's hold window is over, with the delivery as the journal has it then, with changes made meanwhile.
    `sleep` may end early: then the end is looked up again, since a reload may have made the window another."""
    is_new = isinstance(pending.event, MessageCreated) and pending.state is DeliveryStatus.WAITING and not pending.parts
    if _hold_s(end()) is None or not is_new or pending.attempt:
        return pending
    came_s = clock.monotonic_s() - max((clock.now() - pending.event.meta.received_at).total_seconds(), 0.0)
    while (hold_s := _hold_s(end())) is not None and (left_s := came_s + hold_s - clock.monotonic_s()) > 0:
        await sleep(left_s)
    fresh = await reload(pending.lane_seq - 1, 1)
    same = [one for one in fresh if isinstance(one, OpenDelivery) and one.delivery_id == pending.delivery_id]
    return same[0] if same else pending


def _hold_s(end: RouteEnd | None) -> float | None:
    return end.options.hold_s if end is not None else None
