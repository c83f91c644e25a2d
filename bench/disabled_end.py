"""The figure of a disabled end: many messages wait for it, and are sent in order once it is enabled, while another end of the same
account goes on. The waiting messages are written into the journal itself, as the intake writes them."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bench.busy import Tally
from bench.stage import Relay, Stage, free_port, percentile
from bench.webhooks import SECRET
from bridge.journal import open_journal
from bridge.journal.contract import AcceptRequest, PlannedDelivery
from bridge.model.events import Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.model.rich_text import plain

OFF, OTHER = "off", "other"
_BATCH = 1000
_EVERY_S = 0.1
_WITHIN_S = 1800.0
_MB = 1_000_000

Row = dict[str, Any]


@dataclass
class _Receivers:
    """`is_gone`: the end that is to be disabled answers 410."""

    is_gone: bool = True
    waiting: Tally = field(default_factory=Tally)
    others: dict[str, float] = field(default_factory=dict)
    base_url: str = ""
    refused: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        text = json.loads(await request.read())["data"]["text"]
        if request.match_info["end"] == OTHER:
            self.others[text] = time.perf_counter()
        elif self.is_gone:
            self.refused += 1
            return web.Response(status=410)
        elif text.startswith("waiting "):
            self.waiting.take(int(text.removeprefix("waiting ")))
        return web.Response(status=204)


@asynccontextmanager
async def _receiving() -> AsyncIterator[_Receivers]:
    receivers = _Receivers()
    app = web.Application()
    app.router.add_post("/hook/{end}", receivers.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receivers.base_url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receivers
    finally:
        await runner.cleanup()


async def disabled_end(*, messages: int, seconds: float = 10) -> Row:
    """Lost, doubled, out of order must be 0. `start_s`, `enable_s`, `trace_s`: what a start and a command take while they wait.
    p50 and p99 are of the other end: alone, beside the messages that wait, and while they are sent."""
    async with _receiving() as receivers, Stage(platforms=("telegram",), routes=2) as stage:
        rooms = [f"telegram/{chat.address}" for chat in stage.chats["telegram"]]
        accounts = stage.config()["accounts"]
        ends = {end: {"url": f"{receivers.base_url}/{end}"} for end in (OFF, OTHER)}
        accounts["hooks"] = {"platform": "webhook", "secret": SECRET, "allow_hosts": ["127.0.0.0/8"], "ends": ends}
        routes = [{"name": end, "from": room, "to": f"hooks/{end}"} for end, room in zip((OFF, OTHER), rooms, strict=True)]
        stage.settings |= {"accounts": accounts, "routes": routes}
        numbers = itertools.count()
        row: Row = {"messages": messages}
        async with Relay(stage) as relay:
            await _warm(stage, receivers)
            row |= await _delays(stage, receivers, "alone", numbers, seconds=seconds)
            row["rss_mb"] = round(relay.rss_bytes / _MB, 1)
        await _fill(stage, messages)
        async with Relay(stage) as relay:
            row["start_s"] = round(relay.ready_after_s, 2)
            relay.forget_peak()
            row |= await _delays(stage, receivers, "beside", numbers, seconds=seconds)
            row["trace_s"] = await _command(stage, "trace", f"telegram/{stage.chats['telegram'][0].chat_id}#{10**6 + messages - 1}")
            row["waiting_mb"] = round(relay.peak_rss_bytes / _MB, 1)
            receivers.is_gone = False
            row["enable_s"] = await _command(stage, "hooks", "enable", f"hooks/{OFF}")
            began_s = time.perf_counter()
            meanwhile = asyncio.create_task(_delays(stage, receivers, "sending", numbers, seconds=seconds), name="the other end")
            await stage.until(lambda: receivers.waiting.arrived >= messages, _WITHIN_S)
            row["sent_per_s"] = round(messages / (time.perf_counter() - began_s))
            row |= await meanwhile
            await relay.quiet(5)
            row["peak_mb"] = round(relay.peak_rss_bytes / _MB, 1)
        tally = receivers.waiting
        return row | {"lost": messages - tally.arrived, "doubled": tally.doubled, "out_of_order": tally.out_of_order}


async def _warm(stage: Stage, receivers: _Receivers) -> None:
    """Until the one end is disabled, and the other gets messages."""
    for number in range(60):
        for place in (0, 1):
            await stage.say("telegram", place, f"warm {number}")
        if await stage.until(lambda: bool(receivers.refused and receivers.others), 2):
            return
    raise RuntimeError("the receivers are told nothing")


async def _fill(stage: Stage, messages: int) -> None:
    origin, now = ChatRef(AccountName("telegram"), stage.chats["telegram"][0].chat_id), datetime.now(UTC)
    deliveries = (PlannedDelivery(route=OFF, target=ChatAddress(AccountName("hooks"), OFF)),)
    async with open_journal(stage.folder / "bridge.journal") as journal:
        for first in range(0, messages, _BATCH):
            entries = [
                AcceptRequest(
                    event=MessageCreated(
                        meta=EventMeta(event_key=f"bench {number}", origin=origin, occurred_at=now, received_at=now),
                        message_id=str(10**6 + number),
                        content=Content(text=plain(f"waiting {number}")),
                    ),
                    deliveries=deliveries,
                )
                for number in range(first, min(first + _BATCH, messages))
            ]
            await journal.accept(journal.lease(origin.account), entries, [], received_at=now)


async def _delays(stage: Stage, receivers: _Receivers, name: str, numbers: itertools.count[int], *, seconds: float) -> Row:
    said_s: dict[str, float] = {}
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        text = f"other {next(numbers)}"
        said_s[text] = await stage.say("telegram", 1, text)
        await asyncio.sleep(_EVERY_S)
    await stage.until(lambda: said_s.keys() <= receivers.others.keys(), 60)
    took_ms = [(receivers.others[text] - at_s) * 1000 for text, at_s in said_s.items() if text in receivers.others]
    p50_ms, p99_ms = (round(percentile(took_ms, share), 1) for share in (0.5, 0.99)) if took_ms else (None, None)
    return {name: f"{p50_ms} / {p99_ms}", f"{name}_lost": len(said_s) - len(took_ms)}


async def _command(stage: Stage, *arguments: str) -> float:
    """How long a command beside the daemon takes, in seconds, its own start included."""
    began_s = time.perf_counter()
    command = (sys.executable, "-m", "bridge.cli", *arguments, "-c", str(stage.folder / "bridge.yaml"))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        if await process.wait() != 0:
            raise RuntimeError(f"{arguments}: exit code {process.returncode}")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    return round(time.perf_counter() - began_s, 2)
