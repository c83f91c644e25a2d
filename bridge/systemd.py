"""Notifications to systemd, which never block: the socket is read by another process, which may be slow, stopped or gone.

Source: https://www.freedesktop.org/software/systemd/man/sd_notify.html, read 2026-11-26: lines `NAME=value`, one datagram a call.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import sdnotify

_AGAIN_S = 0.5
_STATE = "state"
_STATES = ("READY", "RELOADING", "STOPPING")
"""Say the same thing about us: only the latest counts."""


class Notifier:
    """`notify` returns at once. What the socket does not accept is kept, the latest of each kind, and sent again until it does."""

    def __init__(self) -> None:
        self._waiting: dict[str, str] = {}
        self._again: asyncio.TimerHandle | None = None
        self._systemd: sdnotify.SystemdNotifier | None = None
        with suppress(Exception):  # not started by systemd, or its socket is gone
            self._systemd = sdnotify.SystemdNotifier(debug=True)
            self._systemd.socket.setblocking(False)

    def notify(self, text: str) -> None:
        """Lines of `NAME=value`. Call it on the loop."""
        if self._systemd is None:
            return
        for line in text.splitlines():
            name = line.partition("=")[0]
            kind = _STATE if name in _STATES else name
            self._waiting.pop(kind, None)  # the order is that of the latest
            self._waiting[kind] = line
        if self._again is None:
            self._send()

    def close(self) -> None:
        """What was not accepted until now is dropped."""
        if self._again is not None:
            self._again.cancel()
        if self._systemd is not None:
            self._systemd.socket.close()
            self._systemd = None

    def _send(self) -> None:
        assert self._systemd is not None
        self._again = None
        try:
            self._systemd.notify("\n".join(self._waiting.values()))
        except BlockingIOError:
            self._again = asyncio.get_running_loop().call_later(_AGAIN_S, self._send)
            return
        except (OSError, ValueError):
            pass  # nothing listens any more, and nothing depends on it
        self._waiting.clear()
