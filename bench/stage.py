"""The set-up of every figure: the emulators on one core, the relay under test in a process on the other.

The emulators are in this process, except those that a stage keeps apart: each of them has a process of its own.

A relay is the bridge itself or `bench.bare`, the plainest possible one, for comparison.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
import yaml

from adapters.common.emulation.contract import EmulatedChat, EmulatedFile, Emulator, SeenChange, Upload
from adapters.registry import load_emulator
from bench.apart import Apart

READY_WITHIN_S = 60.0
OURS, THEIRS = 0, 1
"""Cores: the emulators' and the relay's."""
_SPARE = frozenset(range(psutil.cpu_count() or 0)) - {OURS, THEIRS}
"""Where emulators apart run, if the machine has more cores."""


@dataclass
class Arrival:
    """When a text was first seen, in seconds of the machine's monotonic clock, and how often."""

    at_s: float
    count: int = 1


@dataclass
class Stage:
    """Emulators with their chats; `arrivals[platform][text]` is filled as bots' messages become visible.

    A platform is in `emulators` (in this process) or, if `keep_apart` names it, in `apart` (in a process of its own)."""

    platforms: Sequence[str] = ("telegram", "discord")
    routes: int = 1
    keep_apart: Collection[str] = ()
    emulators: dict[str, Emulator] = field(default_factory=dict)
    apart: dict[str, Apart] = field(default_factory=dict)
    said: dict[str, dict[str, float]] = field(default_factory=dict)
    """When people's texts were said, on platforms apart: by their own clock, as the arrivals there are."""
    chats: dict[str, list[EmulatedChat]] = field(default_factory=dict)
    arrivals: dict[str, dict[str, Arrival]] = field(default_factory=dict)
    order: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    account_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    account_options: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What accounts need to reach the emulators apart."""
    emulator_options: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    """What bots wrote, per platform, as far as it came with a file or names one: the whole text of each message."""
    files: dict[str, dict[str, EmulatedFile]] = field(default_factory=dict)
    """Bots' files by their SHA-256, per platform."""
    watching: list[asyncio.Task[None]] = field(default_factory=list)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("BENCH_DIR"))))

    async def __aenter__(self) -> Self:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {OURS})
        try:
            for name in self.platforms:
                await self._open(name)
        except BaseException:
            await self.__aexit__()  # processes that did start would run on beside the next figure
            raise
        return self

    async def _open(self, name: str) -> None:
        self.arrivals[name], self.texts[name], self.files[name] = {}, [], {}
        options = self.emulator_options.get(name, {})
        if name in self.keep_apart:
            apart = self.apart[name] = Apart(name, options)
            await apart.start(_SPARE)
            self.chats[name] = [await apart.emulator.add_chat(f"room-{number}") for number in range(self.routes)]
            self.account_options[name] = await apart.emulator.account_options()
        else:
            emulator = load_emulator(name)
            emulator.configure(options)
            await emulator.start()
            self.emulators[name] = emulator
            self.chats[name] = [emulator.add_chat(f"room-{number}") for number in range(self.routes)]
        self.watching.append(asyncio.create_task(self._watch(name), name=f"watch {name}"))

    async def __aexit__(self, *_: object) -> None:
        for task in self.watching:
            task.cancel()
        for emulator in self.emulators.values():
            await emulator.stop()
        for apart in self.apart.values():
            await apart.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _watch(self, name: str) -> None:
        """Note the moment at which each text becomes visible, where it becomes visible."""
        seen = self.arrivals.setdefault(name, {})
        order = self.order.setdefault(name, {})
        said = self.said.setdefault(name, {})
        async for change in self._changes(name):
            message = change.message
            if change.kind != "created":
                continue
            if not message.is_bot:
                if name in self.apart:
                    said[message.text] = change.at_s
                continue
            at_s = change.at_s if name in self.apart else time.perf_counter()
            if message.files or ".bin" in message.text:
                self.texts[name].append(message.text)
                self.files[name].update((file.sha256, file) for file in message.files)
            # a line each: one message may be several that were merged, and some begin with a line that says whose they are
            for text in message.text.split("\n"):
                known = seen.get(text)
                if known is None:
                    seen[text] = Arrival(at_s)
                else:
                    known.count += 1
                order.setdefault(message.chat_id, []).append(text)

    def _changes(self, name: str) -> AsyncIterator[SeenChange]:
        return self.apart[name].changes() if name in self.apart else self.emulators[name].changes()

    def config(self) -> dict[str, Any]:
        here = {name: emulator.account_options() for name, emulator in self.emulators.items()}
        accounts = {
            name: {"platform": name, **options, **self.account_settings.get(name, {})}
            for name, options in (here | self.account_options).items()
        }
        routes = [
            {"name": f"route-{number}", "between": [f"{name}/{self.chats[name][number].address}" for name in self.platforms]}
            for number in range(self.routes)
        ]
        return {
            "accounts": accounts,
            "routes": routes,
            "journal": {"path": str(self.folder / "bridge.journal")},
            "defaults": {"pace": "fast"},
            "log": {"level": "warning"},
            **self.settings,
        }

    async def say(self, platform: str, number: int, text: str, *, files: Sequence[Upload] = ()) -> float:
        """Post as a person; returns the moment. Apart, `said` has a better one."""
        at_s = time.perf_counter()
        emulator = self.apart[platform].emulator if platform in self.apart else self.emulators[platform]
        await emulator.say(self.chats[platform][number].chat_id, "Anna", text, files=files)
        return at_s

    async def until(self, done: Callable[[], bool], within_s: float) -> bool:
        """Whether `done` became true in time."""
        deadline = time.perf_counter() + within_s
        while not done():
            for task in self.watching:
                if task.done():
                    task.result()  # whoever watches has failed: what it did not see says nothing
            if time.perf_counter() > deadline:
                return False
            await asyncio.sleep(0.005)
        return True


class Relay:
    """The process under test; `kind` is `bridge` or `bare`."""

    def __init__(self, stage: Stage, kind: str = "bridge") -> None:
        self.stage = stage
        self.kind = kind
        self.process: asyncio.subprocess.Process | None = None
        self.started_s = 0.0
        self.ready_after_s = 0.0

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()  # one that did not become ready would run on beside the next figure
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        path = self.stage.folder / "bridge.yaml"
        path.touch(mode=0o600)  # it holds tokens, if only of emulators
        path.write_text(yaml.safe_dump(self.stage.config()))
        notify_path = str(self.stage.folder / f"notify-{time.monotonic_ns()}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(notify_path)
            notify.setblocking(False)
            command = [sys.executable, "-m", "bridge.cli", "run", "--config", str(path)]
            if self.kind == "bare":
                command = [sys.executable, "-m", "bench.bare", str(path)]
            environ = {**os.environ, "NOTIFY_SOCKET": notify_path, "PYTHONPATH": os.getcwd()}
            self.started_s = time.perf_counter()
            self.process = await asyncio.create_subprocess_exec(
                *command, env=environ, stdout=asyncio.subprocess.DEVNULL, stderr=None
            )
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.process.pid, {THEIRS})
            said: list[str] = []
            if not await self.stage.until(lambda: _hear(notify, said) or self._ended(), READY_WITHIN_S) or self._ended():
                raise RuntimeError(f"{self.kind} did not become ready")
        self.ready_after_s = time.perf_counter() - self.started_s

    def _ended(self) -> bool:
        return self.process is not None and self.process.returncode is not None

    async def warm_up(self, *, origin: str = "telegram", target: str = "discord") -> None:
        """Until a message of every route has crossed, so that figures do not hold connection set-up."""
        arrivals = self.stage.arrivals[target]
        missing = set(range(self.stage.routes))
        deadline = time.perf_counter() + READY_WITHIN_S
        # an account relays what is said once it is connected, which is some time after the daemon is ready
        while missing and time.perf_counter() < deadline:
            texts = {f"warm {number} {time.monotonic_ns()}": number for number in missing}
            for text, number in texts.items():
                await self.stage.say(origin, number, text)
            await self.stage.until(lambda texts=texts: texts.keys() <= arrivals.keys(), 5)  # type: ignore[misc]
            missing -= {number for text, number in texts.items() if text in arrivals}
        if missing:
            raise RuntimeError(f"{self.kind}: {len(missing)} routes do not relay")

    @property
    def rss_bytes(self) -> int:
        assert self.process is not None
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def forget_peak(self) -> None:
        """From now on `peak_rss_bytes` is the peak since this call (Linux: /proc/PID/clear_refs)."""
        assert self.process is not None
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    @property
    def peak_rss_bytes(self) -> int:
        """The largest resident size since `forget_peak`, as the kernel counted it: no moment is missed."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))

    async def quiet(self, within_s: float = 30.0) -> None:
        """Until the process has used next to no CPU for a second: whatever it still had to do is done."""
        assert self.process is not None
        process = psutil.Process(self.process.pid)
        deadline = time.perf_counter() + within_s
        while time.perf_counter() < deadline:
            before_s = sum(process.cpu_times()[:2])
            await asyncio.sleep(1)
            if sum(process.cpu_times()[:2]) - before_s < 0.05:
                return

    async def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(30):
                await self.process.wait()
        except TimeoutError:
            await self.kill()


def _hear(notify: socket.socket, said: list[str]) -> bool:
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(notify.recv(4096).decode())
    return any("READY=1" in word for word in said)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def dump(results: Any, path: Path) -> None:
    path.write_text(json.dumps(results, indent=2) + "\n")
