"""The daemon as systemd runs it: a process of its own, with a notify socket, that can be signalled and killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.patience import PATIENCE_S, eventually


class Daemon:
    """`messenger-bridge run` in a process. `notified` collects what it told systemd."""

    def __init__(self, config: Path, **environ: str) -> None:
        self.config = config
        self.environ = environ
        self.notified: list[str] = []
        self.process: asyncio.subprocess.Process | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="mb-")
        self._output: asyncio.Task[bytes] | None = None
        self.output = ""

    async def start(self, *, ready: bool = True, closed: Sequence[int] = ()) -> None:
        """`closed`: descriptors that it is started without."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(self._folder.name, f"notify-{len(os.listdir(self._folder.name))}")
        notify.bind(path)
        notify.setblocking(False)
        self._notify = notify
        environ = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000", "COLUMNS": "200", **self.environ}
        self.process = await asyncio.create_subprocess_exec(
            *(("sh", "-c", f'exec "$@" {" ".join(f"{number}>&-" for number in closed)}', "sh") if closed else ()),
            sys.executable, "-m", "bridge.cli", "run", "--config", str(self.config),
            env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        assert self.process.stdout is not None
        self._output = asyncio.create_task(self.process.stdout.read(), name="daemon output")
        if ready:
            try:
                await eventually(lambda: self._has("READY=1") or self.process.returncode is not None, what="the daemon is ready")  # type: ignore[union-attr]
                assert self.process.returncode is None
            except AssertionError:
                await self.kill()
                raise AssertionError(f"the daemon did not start:\n{self.output}") from None

    def _has(self, word: str, times: int = 1) -> bool:
        with contextlib.suppress(BlockingIOError):
            while True:
                self.notified.append(self._notify.recv(4096).decode())
        return sum(word in message for message in self.notified) >= times

    def stop_reading(self) -> None:
        """From now on systemd's socket is full, and nobody reads it."""
        self._has("")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, contextlib.suppress(BlockingIOError):
            other.setblocking(False)
            while True:
                other.sendto(b"STATUS=full", self._notify.getsockname())

    async def until_notified(self, word: str, times: int = 1) -> None:
        await eventually(lambda: self._has(word, times), what=f"systemd was told {word}; it was told {self.notified}")

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, within_s: float = PATIENCE_S) -> int:
        """Wait for its end; returns the exit code."""
        assert self.process is not None
        assert self._output is not None
        async with asyncio.timeout(within_s):
            code = await self.process.wait()
            self.output += (await self._output).decode()
        self._notify.close()
        return code

    async def kill(self) -> None:
        """SIGKILL, as power loss does it."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.ended()

    def close(self) -> None:
        self._folder.cleanup()
