"""Patience: how a test waits for what must come, and how long. The time is a bound for what never comes, not a measure of
speed: a machine with twenty other programs beside the tests is slow, and that is no fault. What must not come cannot be waited for:
such a test makes something come afterwards, and looks then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 100.0
LOOK_EVERY_S = 0.01

T = TypeVar("T")


async def eventually(look: Callable[[], T], what: str = "", *, within_s: float = PATIENCE_S) -> T:
    """The first true value that `look` gives, asked again and again: for what tells nobody when it happens. Fails with `what` when
    the time is over."""
    deadline_s = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        await asyncio.sleep(LOOK_EVERY_S)
    return found
