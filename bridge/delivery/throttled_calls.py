"""The calls that change messages which are there, each within the budget that its platform has for that kind of call.

Called by `operations.edit` and `operations.change`. New messages are counted where they are sent (`send`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.delivery.state import DeliveryContext, ResolvedTarget
from bridge.model.adapter import (
    Copy,
    Deletes,
    Edits,
    OutboundDelete,
    OutboundEdit,
    OutboundReaction,
    Pins,
    Reacts,
    Receipt,
    RemovesFiles,
)
from bridge.model.capabilities import Operation


async def edit(adapter: Edits, outbound: OutboundEdit, place: ResolvedTarget, steps: DeliveryContext) -> Receipt:
    async with _within(place, steps, Operation.EDIT):
        return await place.call(adapter.edit(outbound))


async def remove_files(
    adapter: RemovesFiles, copy: Copy, places: tuple[int, ...], place: ResolvedTarget, steps: DeliveryContext
) -> Receipt:
    async with _within(place, steps, Operation.EDIT):
        return await place.call(adapter.remove_files(copy, places))


async def delete(adapter: Deletes, copy: Copy, place: ResolvedTarget, steps: DeliveryContext) -> None:
    async with _within(place, steps, Operation.DELETE, len(copy.message_ids)):
        await place.call(adapter.delete(OutboundDelete(copy=copy)))


async def react(adapter: Reacts, outbound: OutboundReaction, place: ResolvedTarget, steps: DeliveryContext) -> None:
    added, removed = len(outbound.added), len(outbound.removed)
    if Operation.UNREACT not in place.target.capabilities.rates.changes:
        added, removed = added + removed, 0
    async with _within(place, steps, Operation.UNREACT, removed), _within(place, steps, Operation.REACT, added):
        await place.call(adapter.react(outbound))


async def pin(adapter: Pins, copy: Copy, pinned: bool, place: ResolvedTarget, steps: DeliveryContext) -> None:
    async with _within(place, steps, Operation.PIN):
        await place.call(adapter.pin(copy, pinned))


@asynccontextmanager
async def _within(place: ResolvedTarget, steps: DeliveryContext, operation: Operation, calls: int = 1) -> AsyncIterator[None]:
    if calls == 0 or operation not in place.target.capabilities.rates.changes:
        yield
        return
    await steps.admit(place, calls, operation)
    yield
    steps.mark_accepted(place, calls, operation)
