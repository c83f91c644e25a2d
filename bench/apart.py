"""An emulator in a process of its own: its work delays neither the measuring process nor another emulator."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

import aiohttp

from adapters.common.emulation.contract import SeenChange
from adapters.common.emulation.control_client import ControlClient, RemoteEmulator

START_WITHIN_S = 60.0
_STOP_WITHIN_S = 10.0
_AGAIN_S = 0.1
_GIVES_WAY = 10


class Apart:
    """`emulator` once started. Everything about it is awaited; see `RemoteEmulator`."""

    emulator: RemoteEmulator

    def __init__(self, platform: str, options: Mapping[str, Any]) -> None:
        self.platform = platform
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._client: ControlClient | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        """Once started."""
        assert self._process is not None
        return self._process

    async def start(self, cores: Collection[int] = ()) -> None:
        """Start it on these cores; none: on those of this process. Raises RuntimeError or TimeoutError if it does not start."""
        options = [f"--option={self.platform}.{name}={json.dumps(value)}" for name, value in self._options.items()]
        command = [sys.executable, "-m", "adapters.common.emulation", self.platform, *options]
        environ = {**os.environ, "PYTHONPATH": os.getcwd()}
        self._process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.PIPE)
        with contextlib.suppress(OSError):
            if cores:
                os.sched_setaffinity(self._process.pid, cores)
        assert self._process.stdout is not None
        async with asyncio.timeout(START_WITHIN_S):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator of {self.platform} did not start")
        self._client = await ControlClient(json.loads(line)["control"]).__aenter__()
        self.emulator = await self._client.emulator(self.platform)

    def give_way(self) -> None:
        """Lower its priority, so that processes on the same core come first: a real server would use no time of this machine."""
        os.setpriority(os.PRIO_PROCESS, self.process.pid, _GIVES_WAY)

    async def changes(self) -> AsyncIterator[SeenChange]:
        """Each change once, also after broken connections. Raises RuntimeError when the process has ended, and ChangesLost: then a
        lost change cannot be distinguished from a message that did not arrive, and the figure would be worthless."""
        at = 0
        while True:
            try:
                async for change in self.emulator.changes(at):
                    at = change.seq
                    yield change
            except (ConnectionError, TimeoutError, aiohttp.ClientError) as broken:
                await asyncio.sleep(_AGAIN_S)  # one that is ending is given the time to have ended
                if self.process.returncode is not None:
                    raise RuntimeError(f"the emulator of {self.platform} has ended") from broken

    async def stop(self) -> None:
        if self._client is not None:
            await self._client.__aexit__(None, None, None)
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
