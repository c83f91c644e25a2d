"""Converting files: what decodes a stranger's file runs in a child process of its own, for seconds at the most.

The child has little memory, little processor time, no network, and no file but the one it converts (`decoding.confinement`). Few
run at a time, and one for each chat, so that a chat full of harmful files costs the others nothing. Called by `conversions`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import structlog

from bridge.files.guards import child_command, child_environment, guards_of
from bridge.files.media_packages import installed_packages
from bridge.model.clock import Clock
from bridge.model.media import GIF, LOTTIE, M4A, MP4, OGG, PNG, TGS, WEBM, Form
from bridge.model.refs import ChatRef

log = structlog.get_logger("media")

_AT_ONCE = 2
_QUEUE_S = 30.0
"""How long a file waits for its turn; then it is sent as it is."""
_WALL_S = 90.0
"""How long a child may take on a busy machine. The processor time that it has is less (`decoding.bounds`)."""
SOURCE_BYTES = 20_000_000
"""Larger files are not converted."""
_OUTPUT_BYTES = 8_000_000
_HEAD_BYTES = 16_384

_CHILD = """
import sys
_, parent, source, target, waveform, *sys.path = sys.argv
from bridge.files.decoding.child import main
main(int(parent), source, target, waveform=waveform == "1")
"""


class NotConverted(Exception):
    """The file stays as it is. `is_final`: it would not become another one by being tried again."""

    def __init__(self, reason: str, *, is_final: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.is_final = reason, is_final


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The result. `data` is empty if the file itself stays, and only its waveform was wanted."""

    data: bytes = b""
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    waveform: str = ""


def needs(source: str, made: str) -> frozenset[str]:
    """The packages, as imported, without which files of that type cannot be made into the other."""
    if made in (OGG, M4A):
        return frozenset({"av"})
    by_source = {TGS: {"rlottie_python"}, LOTTIE: {"rlottie_python"}, WEBM: {"av"}, MP4: {"av"}}
    return frozenset({"PIL", *by_source.get(source, ())}) if made in (GIF, PNG) else frozenset()


@dataclass(slots=True)
class _Turns:
    """Those of one chat."""

    free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    users: int = 0


class Converter:
    """`is_on` is called for each file: whether the configuration wants it."""

    def __init__(self, clock: Clock, *, is_on: Callable[[], bool] = lambda: True, wall_s: float = _WALL_S) -> None:
        self._clock = clock
        self._is_on = is_on
        self._wall_s = wall_s
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._turns: dict[Hashable, _Turns] = {}
        self._there = installed_packages()
        self._children: set[asyncio.subprocess.Process] = set()
        self._guards_told = False

    def can(self, source: str, form: Form) -> bool:
        """Whether files of that MIME type can be made into that form here."""
        return self._is_on() and needs(source, form.mime) <= self._there

    async def convert(self, path: Path, source: str, form: Form, chat: ChatRef) -> Made:
        """One file, made to what is wanted. Raises NotConverted."""
        try:
            if (await asyncio.to_thread(os.stat, path)).st_size > SOURCE_BYTES:
                raise NotConverted("it is too large")
            async with self._turn(chat):
                made = await self._run(path, source, form)
        except OSError as error:
            raise NotConverted(f"no process can be started: {error.strerror or error}", is_final=False) from error
        log.debug("file converted", source=source, made=form.mime, size_bytes=len(made.data))
        return made

    async def close(self) -> None:
        """End the children: nobody waits for them any more."""
        for child in list(self._children):
            await _end(child)

    @asynccontextmanager
    async def _turn(self, chat: ChatRef) -> AsyncIterator[None]:
        turns = self._turns.setdefault(chat, _Turns())
        turns.users += 1
        held: list[asyncio.Semaphore] = []
        try:
            try:
                async with asyncio.timeout(_QUEUE_S):
                    for one in (turns.free, self._free):
                        await one.acquire()
                        held.append(one)
            except TimeoutError:
                raise NotConverted("too many files wait to be converted", is_final=False) from None
            yield
        finally:
            for one in held:
                one.release()
            turns.users -= 1
            if not turns.users:
                del self._turns[chat]

    async def _run(self, path: Path, source: str, form: Form) -> Made:
        async with _pipe() as (reader, end):
            arguments = (str(os.getpid()), source, form.mime, "1" if form.waveform else "0")
            with path.open("rb") as stream:
                child = await asyncio.create_subprocess_exec(
                    *child_command(_CHILD, *arguments),
                    stdin=stream,
                    stdout=end,
                    stderr=asyncio.subprocess.DEVNULL,
                    cwd="/",
                    env=child_environment(),
                    start_new_session=True,
                )
            end.close()  # what the child does not hold is at its end with it
            self._children.add(child)
            try:
                async with asyncio.timeout(self._wall_s):
                    return await self._result(child, reader)
            except TimeoutError:
                raise NotConverted(f"it took longer than {self._wall_s:g} s") from None
            finally:
                self._children.discard(child)
                await _end(child)

    async def _result(self, child: asyncio.subprocess.Process, reader: asyncio.StreamReader) -> Made:
        """Never more than is allowed is read, whatever the child writes."""
        try:
            facts = json.loads(await reader.readuntil(b"\n"))
        except (asyncio.LimitOverrunError, ValueError, RecursionError):
            raise NotConverted("its process said what makes no sense") from None
        except asyncio.IncompleteReadError:
            raise NotConverted(f"its process ended with {await child.wait()}") from None
        self._tell_guards(facts)
        if not isinstance(facts, dict) or "error" in facts:
            raise NotConverted(str(facts.get("error") if isinstance(facts, dict) else "no answer")[:200])
        data = bytearray()
        while chunk := await reader.read(1 << 16):
            data += chunk
            if len(data) > _OUTPUT_BYTES:
                raise NotConverted("it became too large")
        if await child.wait():
            raise NotConverted(f"its process ended with {child.returncode}")
        return _made(facts, bytes(data))

    def _tell_guards(self, facts: object) -> None:
        """Once: they are the same for all files."""
        guards = guards_of(facts)
        if guards is None or self._guards_told:
            return
        self._guards_told = True
        told = log.info if guards.are_whole else log.warning
        told(guards.in_words())


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, IO[bytes]]]:
    """A pipe of our own: with one of the event loop's, waiting for a process would also wait until all of its output was read."""
    read, write = os.pipe()
    ours = os.fdopen(read, "rb", 0)
    with os.fdopen(write, "wb", 0) as theirs:
        reader = asyncio.StreamReader(limit=_HEAD_BYTES)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), ours)
        try:
            yield reader, theirs
        finally:
            transport.close()


def _made(facts: dict[str, object], data: bytes) -> Made:
    """What the child says may be what the file made it say: numbers within reason, letters of base64."""
    width, height, length_s = facts.get("width"), facts.get("height"), facts.get("duration_s")
    waveform = facts.get("waveform")
    return Made(
        data=data,
        width=width if isinstance(width, int) and 0 < width < 10_000 else None,
        height=height if isinstance(height, int) and 0 < height < 10_000 else None,
        duration_s=float(length_s) if isinstance(length_s, int | float) and 0 < length_s < 1e6 else None,
        waveform=waveform if isinstance(waveform, str) and len(waveform) <= 400 and waveform.isascii() else "",
    )


async def _end(child: asyncio.subprocess.Process) -> None:
    """Kill it if it still runs, and take its end: it leaves no zombie."""
    if child.returncode is None:
        try:
            os.killpg(child.pid, 9)
        except (ProcessLookupError, PermissionError):
            pass
    await asyncio.shield(child.wait())
