"""The figures of files: what a big one costs in memory, and whether a slow or broken-off download arrives whole."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from typing import Any

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from bench.stage import Relay, Stage

Row = dict[str, Any]
_MB = 1_000_000
_PATIENCE_S = 300.0

DOWNLOADS = {
    "telegram": "file",
    "slack": "files.download",
    "discord": "GET /attachments/*",
    "teamspirit": "GET /files/*",
}
"""What an emulator calls the request for a file's bytes."""

_LARGE: dict[str, dict[str, Any]] = {
    "telegram": {"local": True},
    "slack": {},
    "discord": {"boost": 2},
    "teamspirit": {"max_upload_mb": 2000},
}
"""Emulators that take files as large as the platform ever does: a local Bot API server, a boosted guild, an own server."""


@dataclass
class _Sent:
    """A file as a person sends it, and what tells it apart."""

    size_mb: int
    upload: Upload = field(init=False)
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        content = os.urandom(_MB) * self.size_mb
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.upload = Upload(name=f"{self.size_mb}-mb.bin", mime="application/octet-stream", content=content)


async def big_file(*, size_mb: int, origin: str, target: str) -> Row:
    """Peak resident size over idle while one file crosses, and whether it arrives whole."""
    options = {platform: _LARGE[platform] for platform in (origin, target)}
    async with Stage(platforms=(origin, target), emulator_options=options) as stage, Relay(stage) as relay:
        await relay.warm_up(origin=origin, target=target)
        await relay.quiet()
        idle_bytes = relay.rss_bytes
        relay.forget_peak()
        sent = _Sent(size_mb)
        seconds = await _cross(stage, origin, target, sent)
        return {
            "size_mb": size_mb,
            "way": f"{origin} -> {target}",
            "arrived": _verdict(stage, target, sent) or "NOTHING",
            "idle_mb": round(idle_bytes / _MB, 1),
            "peak_over_idle_mb": round((relay.peak_rss_bytes - idle_bytes) / _MB, 1),
            "seconds": round(seconds, 1),
        }


async def slow_file(*, origin: str, target: str, size_mb: int = 20, mb_per_s: float = 1.0) -> Row:
    """A file that its origin serves slowly: whole, or a visible line; never a part of it."""
    fault = Fault(kind=FaultKind.SLOW_BODY, operation=DOWNLOADS[origin], bytes_per_s=mb_per_s * _MB)
    return await _disturbed(origin, target, _Sent(size_mb), fault, note=f"{mb_per_s:g} MB/s")


async def cut_file(*, origin: str, target: str, size_mb: int = 4, cuts: int = 2) -> Row:
    """A file whose download breaks off in the middle a few times."""
    fault = Fault(kind=FaultKind.CUT_BODY, operation=DOWNLOADS[origin], after_bytes=size_mb * _MB // 2, times=cuts)
    return await _disturbed(origin, target, _Sent(size_mb), fault, note=f"cut {cuts} times")


async def _disturbed(origin: str, target: str, sent: _Sent, fault: Fault, *, note: str) -> Row:
    options = {target: _LARGE[target], origin: {"boost": 2} if origin == "discord" else {}}
    async with Stage(platforms=(origin, target), emulator_options=options) as stage, Relay(stage) as relay:
        await relay.warm_up(origin=origin, target=target)
        stage.emulators[origin].inject(fault)
        seconds = await _cross(stage, origin, target, sent)
        return {
            "way": f"{origin} -> {target}",
            "size_mb": sent.size_mb,
            "download": note,
            "arrived": _verdict(stage, target, sent) or "NOTHING",
            "seconds": round(seconds, 1),
        }


async def _cross(stage: Stage, origin: str, target: str, sent: _Sent) -> float:
    """Seconds until something came of the file on the other side."""
    began_s = time.perf_counter()
    chat_id = stage.chats[origin][0].chat_id
    await stage.emulators[origin].say(chat_id, "Anna", f"about {sent.size_mb} MB", files=[sent.upload])
    await stage.until(lambda: bool(_verdict(stage, target, sent)), _PATIENCE_S)
    return time.perf_counter() - began_s


def _verdict(stage: Stage, target: str, sent: _Sent) -> str:
    """`whole`, or what stands in its place; empty while nothing does."""
    if sent.sha256 in stage.files[target]:
        return "whole"
    lines = [text for text in stage.texts[target] if sent.upload.name in text]
    if lines:
        return f"a line: {lines[-1]}"
    others = [file.size_bytes for file in stage.files[target].values() if file.name == sent.upload.name]
    return f"NOT THE SAME: {others[-1]} bytes" if others else ""
