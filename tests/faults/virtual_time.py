"""An event loop whose time jumps: whenever every task waits, the clock moves to the next timer. Hours cost nothing, and the order
of events depends on the seed alone: what else would run on a thread runs at once, on the loop."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
V = TypeVar("V")
Ts = TypeVarTuple("Ts")
START = datetime(2026, 3, 1, tzinfo=UTC)
_STEP_S = 1e-6
"""What a turn of the loop takes: without it, a wait shorter than the clock's resolution would never end."""


class _JumpingSelector(selectors.DefaultSelector):
    """Nothing outside ever happens: the time jumps to what is due next."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("every task waits for something that never comes")
        self.loop.jump(timeout)
        return []


def _unless_done(future: asyncio.Future[T], settle: Callable[[V], None], value: V) -> None:
    """Whoever waits may have given it up in the meantime."""
    if not future.done():
        settle(value)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual_s = 0.0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self._virtual_s

    def jump(self, seconds: float) -> None:
        self._virtual_s += max(seconds, _STEP_S)

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Done at once, told at the loop's next turn, as a thread would."""
        future: asyncio.Future[T] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:
            self.call_soon(_unless_done, future, future.set_exception, error)
        else:
            self.call_soon(_unless_done, future, future.set_result, result)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""


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
