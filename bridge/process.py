"""The process's own first and last moment: standard streams that are there, signals that come before anybody listens for them.

Called first thing by `bridge.cli`; imports next to nothing. `daemon` takes over from here.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

_HELD = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that end a process which does not listen for them. SIGINT is Python's own KeyboardInterrupt."""

_came: set[int] = set()


def open_standard_streams() -> None:
    """Descriptors 0 to 2 that whoever started us left closed lead to nowhere instead.

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
    """From now on, until the daemon listens, no signal kills: a reload is remembered, an end is orderly, the others mean nothing.

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
    """The daemon has stopped and only lets go of things: a reload has nothing left to reload, and must not make that a failure."""
    signal.pthread_sigmask(signal.SIG_BLOCK, set(_HELD) - {signal.SIGTERM})
