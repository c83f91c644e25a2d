"""Patience: how a test waits for what must come, and how long. The time is a bound for what never comes, not a measure of
speed: a machine with twenty other programs beside the tests is slow, and that is no fault. What must not come cannot be waited for:
such a test makes something come afterwards, and looks then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_S = 100.0
LOOK_EVERY_S = 0.01
"""At first. Who has waited for long looks less often: on a machine with twenty other programs, looking alone would keep it busy."""
_OF_THE_WAIT = 0.03
_LONGEST_PAUSE_S = 0.25

T = TypeVar("T")


What = str | Callable[[], str]
"""What is missing. A function tells it as it is when the time is over; text was made when the wait began."""


async def eventually(look: Callable[[], T | None], what: What = "", *, within_s: float = PATIENCE_S) -> T:
    """The first true value that `look` gives, asked again and again: for what tells nobody when it happens. Fails with `what` when
    the time is over."""
    began_s = time.monotonic()
    while not (found := look()):
        await _pause(began_s, within_s, what)
    return found


async def eventually_asked(
    ask: Callable[[], Awaitable[T]], what: str = "", *, holds: Callable[[T], object] = bool, within_s: float = PATIENCE_S
) -> T:
    """The same where asking itself must be awaited: the first answer of which `holds` is true."""
    began_s = time.monotonic()
    while not holds(answer := await ask()):
        await _pause(began_s, within_s, what or str(answer))
    return answer


async def _pause(began_s: float, within_s: float, what: What) -> None:
    """Until the next look."""
    waited_s = time.monotonic() - began_s
    assert waited_s < within_s, f"not within {within_s} s: {what if isinstance(what, str) else what()}"
    await asyncio.sleep(min(max(LOOK_EVERY_S, waited_s * _OF_THE_WAIT), _LONGEST_PAUSE_S))


async def stays(look: Callable[[], object], what: str = "", *, for_s: float = 0.2) -> None:
    """Asks again and again, and fails at once with `what` if `look` gives something false: for what must not come, where nothing
    comes after it that could be waited for. A slow machine makes this test weaker, never red."""
    until_s = time.monotonic() + for_s
    while True:
        assert look(), what
        if time.monotonic() >= until_s:
            return
        await asyncio.sleep(LOOK_EVERY_S)
