"""The control API's change streams as server-sent events: every change once, in order, resumable after a broken connection.

If a requested change is no longer kept, the stream has an event `reset` with `{"platform": ..., "resume_seq": ...}` in its place:
read the transcripts; the stream continues with the oldest change that is kept.

In a stream of several platforms each event id is the whole position, `boot;telegram=3,slack=5`. `boot` identifies this run of the
emulators. A page that reconnects to a new run starts from the beginning, because the event `hello` carries the new `boot`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import aclosing

import msgspec
from aiohttp import web

from adapters.common.emulation.contract import ChangesLost, Emulator, SeenChange

_HEARTBEAT_S = 15.0
_QUEUE_LENGTH = 256
_POSITION = re.compile(r"(?P<boot>[0-9a-f]*);(?P<seqs>(?:[a-z0-9_-]+=\d+(?:,[a-z0-9_-]+=\d+)*)?)")


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """The data of an event `reset`: this platform's changes up to `resume_seq` are lost to this reader."""

    platform: str
    resume_seq: int


class BadPosition(ValueError):
    """The client sent a position that cannot be read."""


class PlatformChange(msgspec.Struct, frozen=True, kw_only=True):
    """The data of an event `change`."""

    platform: str
    seq: int
    kind: str
    at_s: float
    message: msgspec.Raw


def parse_positions(since: str, *, boot: str) -> dict[str, int]:
    """The `seq` per platform to continue after. A position of another run, or none, is the beginning. Raises BadPosition."""
    if not since:
        return {}
    found = _POSITION.fullmatch(since)
    if found is None:
        raise BadPosition(f"{since[:80]!r} is no position of this stream")
    if found["boot"] != boot or not found["seqs"]:
        return {}
    pairs = (entry.split("=") for entry in found["seqs"].split(","))
    return {platform: int(seq) for platform, seq in pairs}


async def serve(
    request: web.Request, emulators: Mapping[str, Emulator], positions: Mapping[str, int], *, boot: str = ""
) -> web.StreamResponse:
    """Stream until the client disconnects. With `boot` the ids are whole positions, without it the change's own `seq`."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    )
    await response.prepare(request)
    at = {platform: positions.get(platform, 0) for platform in emulators}
    queue: asyncio.Queue[tuple[str, SeenChange | Reset]] = asyncio.Queue(_QUEUE_LENGTH)

    async def pump(platform: str, emulator: Emulator) -> None:
        since = at[platform]
        while True:
            try:
                async with aclosing(emulator.changes(since)) as changes:  # type: ignore[type-var]
                    async for change in changes:
                        await queue.put((platform, change))
            except ChangesLost as lost:
                since = lost.resume_seq
                await queue.put((platform, Reset(platform=platform, resume_seq=since)))

    async def write() -> None:
        greeting = f"id: {_position(boot, at)}\nevent: hello\ndata: {boot}\n\n" if boot else ": hello\n\n"
        await response.write(greeting.encode())
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT_S):
                    platform, change = await queue.get()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            at[platform] = change.resume_seq if isinstance(change, Reset) else change.seq
            await response.write(_event(platform, change, _position(boot, at) if boot else str(at[platform])))

    try:
        async with asyncio.TaskGroup() as tasks:
            for platform, emulator in emulators.items():
                tasks.create_task(pump(platform, emulator), name=f"control changes {platform}")
            tasks.create_task(write(), name="control changes write")
    except* ConnectionError:
        pass  # the client has disconnected
    return response


def _event(platform: str, change: SeenChange | Reset, position: str) -> bytes:
    if isinstance(change, Reset):
        return b"id: %s\nevent: reset\ndata: %s\n\n" % (position.encode(), msgspec.json.encode(change))
    message = msgspec.Raw(msgspec.json.encode(change.message))
    data = msgspec.json.encode(
        PlatformChange(platform=platform, seq=change.seq, kind=change.kind, at_s=change.at_s, message=message)
    )
    return b"id: %s\nevent: change\ndata: %s\n\n" % (position.encode(), data)


def _position(boot: str, at: Mapping[str, int]) -> str:
    return f"{boot};{','.join(f'{platform}={seq}' for platform, seq in at.items())}"
