"""Ending asyncio tasks that one has started oneself. For whoever owns a task: supervisors, adapters, the app."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


async def end(tasks: Iterable[asyncio.Task[Any]], *, within_s: float | None = None) -> set[asyncio.Task[Any]]:
    """Cancel tasks and wait until they are over, whatever they end with. Returns those that are not after `within_s` seconds.

    To await a cancelled task and to swallow the CancelledError that comes of it would also swallow the caller's own: whoever is
    cancelled while it waits here is cancelled."""
    doomed = set(tasks)
    for task in doomed:
        task.cancel()
    if not doomed:
        return set()
    over, left = await asyncio.wait(doomed, timeout=within_s)
    for task in over:
        if not task.cancelled():
            task.exception()  # seen: nobody else asks for it
    return left
