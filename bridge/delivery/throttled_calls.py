"""The calls that change existing messages, each within the rate that its platform has for that kind of call.

Called by `operations`. New messages are counted where they are sent (`send`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bridge.delivery.execution import Execution
from bridge.model.abilities import ClosesPolls
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


async def edit(adapter: Edits, outbound: OutboundEdit, run: Execution) -> Receipt:
    async with _within(run, Operation.EDIT):
        return await run.target.call(adapter.edit(outbound))


async def remove_files(adapter: RemovesFiles, copy: Copy, indexes: tuple[int, ...], run: Execution) -> Receipt:
    async with _within(run, Operation.EDIT):
        return await run.target.call(adapter.remove_files(copy, indexes))


async def delete(adapter: Deletes, copy: Copy, run: Execution) -> None:
    async with _within(run, Operation.DELETE, len(copy.message_ids)):
        await run.target.call(adapter.delete(OutboundDelete(copy=copy, occurred_at=run.pending.event.meta.occurred_at)))


async def react(adapter: Reacts, outbound: OutboundReaction, run: Execution) -> Sequence[str]:
    added, removed = len(outbound.added), len(outbound.removed)
    if Operation.UNREACT not in run.target.capabilities.rates.changes:
        added, removed = added + removed, 0
    async with _within(run, Operation.UNREACT, removed), _within(run, Operation.REACT, added):
        return await run.target.call(adapter.react(outbound)) or ()


async def close_poll(adapter: ClosesPolls, copy: Copy, run: Execution) -> None:
    async with _within(run, Operation.EDIT):
        await run.target.call(adapter.close_poll(copy))


async def pin(adapter: Pins, copy: Copy, pinned: bool, run: Execution) -> None:
    async with _within(run, Operation.PIN):
        await run.target.call(adapter.pin(copy, pinned))


async def change_thread(change: Callable[[], Coroutine[Any, Any, None]], run: Execution) -> None:
    async with _within(run, Operation.EDIT):
        await run.target.call(change())


@asynccontextmanager
async def _within(run: Execution, operation: Operation, calls: int = 1) -> AsyncIterator[None]:
    if calls == 0 or operation not in run.target.capabilities.rates.changes:
        yield
        return
    await run.admit(calls, operation)
    yield
    run.mark_accepted(calls, operation)
