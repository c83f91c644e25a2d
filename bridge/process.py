"""The start and end of the process: standard streams that may be closed, and signals that arrive before anything handles them.

Called first thing by `bridge.cli`; imports next to nothing. `daemon` takes over from here.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

_HELD = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that end a process that does not handle them. SIGINT is Python's own KeyboardInterrupt."""

_came: set[int] = set()


def open_standard_streams() -> None:
    """Open /dev/null for those of descriptors 0 to 2 that the parent left closed.

    Otherwise the first files and sockets opened get those numbers: they are written to as if they were a terminal, and libuv, which
    takes them for standard streams, aborts the process when it closes them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process


def hold_signals() -> None:
    """From now on, until the daemon handles signals, none kills: a reload is remembered, an end is orderly, others are ignored.

    Handlers, not a mask and not "ignore": those would be inherited by child processes."""
    for number in _HELD:
        signal.signal(number, _came_early)


def came_early(number: int) -> bool:
    """Whether that signal came while it was held."""
    return number in _came


def _came_early(number: int, _: FrameType | None) -> None:
    _came.add(number)
    if number == signal.SIGTERM:
        raise SystemExit(0)  # nothing was accepted yet: there is nothing to finish


def past_signals() -> None:
    """The daemon has stopped and only cleans up: a reload signal has nothing to reload, and must not turn that into a failure."""
    signal.pthread_sigmask(signal.SIG_BLOCK, set(_HELD) - {signal.SIGTERM})
