"""An event loop whose time jumps: whenever every task waits, the clock moves to the next timer. Hours cost nothing, and the order
of events depends on the seed alone, apart from real threads (the journal's), which the loop waits for."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 1, tzinfo=UTC)
_THREAD_PATIENCE_S = 30.0
_STEP_S = 1e-6
"""What a turn of the loop takes: without it, a wait shorter than the clock's resolution would never end."""


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Asks for real events first; jumps only when there are none and no thread of ours is at work."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        self.loop.jump(_STEP_S)
        if ready or timeout == 0:
            return ready
        if self.loop.threads_busy or timeout is None:
            ready = super().select(_THREAD_PATIENCE_S)
            if not ready and timeout is None:
                raise RuntimeError("every task waits for something that never comes")
            return ready
        self.loop.jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`threads_busy` counts what real threads are working on."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        self.threads_busy = 0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual_s

    def jump(self, seconds: float) -> None:
        self._virtual_s += max(seconds, _STEP_S)

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        self.threads_busy += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self.threads_busy -= 1


class VirtualClock:
    """The bridge's clock on a `VirtualLoop`. `step` moves the wall time, as NTP does; durations do not notice."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time()) + self.offset

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            pass
        return event.is_set()

    def step(self, by: timedelta) -> None:
        self.offset += by


def run_virtually(main: Any) -> Any:
    """Run a coroutine on a fresh virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
