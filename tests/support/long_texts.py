"""The thread that works at long texts, held up: what is given to it waits, for as long as a test wants."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.model import pauses
from tests.support.patience import PATIENCE_S, eventually


class HeldUp:
    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    def hold(self) -> None:
        self.begun.set()
        assert self.ended.wait(PATIENCE_S)

    async def until_waiting(self, count: int = 1) -> None:
        """Returns once so much work waits."""
        await eventually(lambda: pauses._thread._work_queue.qsize() >= count, "no work came")

    def end(self) -> None:
        self.ended.set()


@asynccontextmanager
async def thread_held_up() -> AsyncIterator[HeldUp]:
    held = HeldUp()
    holding = asyncio.create_task(pauses.beside(held.hold))
    await eventually(held.begun.is_set, "the thread is not free")
    try:
        yield held
    finally:
        held.end()
        await holding
