"""The figures of webhooks: outgoing, in order to many receivers of which some hang; incoming, the time until commit and response.

Outgoing: each message of one chat goes to every receiver. They are one server in this process, one URL each, and every tenth never
answers. Incoming: signed requests of Standard Webhooks, many at once; the 200 comes after the commit.
"""

from __future__ import annotations

import asyncio
import json
import resource
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web
from standardwebhooks import Webhook

from bench.stage import Relay, Stage, free_port, percentile

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of nobody
_HANGS = 10
"""One of this many receivers never answers."""
_WITHIN_S = 600.0

Row = dict[str, Any]


class _Receivers:
    """Their server; `texts[end]` is what each got, in order."""

    def __init__(self, count: int) -> None:
        self.ends = [f"end-{number}" for number in range(count)]
        self.hanging = set(self.ends[_HANGS - 1 :: _HANGS])
        self.healthy = [end for end in self.ends if end not in self.hanging]
        self.texts: dict[str, list[str]] = defaultdict(list)
        self.at_s: dict[tuple[str, str], float] = {}
        self.repeated = 0
        self.base_url = ""
        self._ids: set[str] = set()

    async def handle(self, request: web.Request) -> web.Response:
        end = request.match_info["end"]
        body = await request.read()
        if end in self.hanging:
            await asyncio.sleep(3600)
        webhook_id = f"{end} {request.headers['webhook-id']}"
        if webhook_id in self._ids:
            self.repeated += 1
        else:
            self._ids.add(webhook_id)
            text = json.loads(body)["data"]["text"]
            self.texts[end].append(text)
            self.at_s[end, text] = time.perf_counter()
        return web.Response(status=204)

    def have(self, texts: list[str]) -> bool:
        return all(len(self.texts[end]) >= len(texts) for end in self.healthy)


@asynccontextmanager
async def _receiving(count: int) -> AsyncIterator[_Receivers]:
    receivers = _Receivers(count)
    app = web.Application()
    app.router.add_post("/hook/{end}", receivers.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    receivers.base_url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receivers
    finally:
        await runner.cleanup()


def _more_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))


async def outgoing(*, endpoints: int, messages: int) -> Row:
    """Deliveries per second to the receivers that answer, their delay, and whether all arrived once and in order."""
    _more_files()
    async with _receiving(endpoints) as receivers, Stage(platforms=("telegram",), routes=1) as stage:
        ends = {end: {"url": f"{receivers.base_url}/{end}"} for end in receivers.ends}
        accounts = stage.config()["accounts"]
        accounts["hooks"] = {"platform": "webhook", "secret": SECRET, "allow_hosts": ["127.0.0.0/8"], "ends": ends}
        origin = f"telegram/{stage.chats['telegram'][0].address}"
        stage.settings |= {
            "accounts": accounts,
            "routes": [{"name": "out", "from": origin, "to": [f"hooks/{end}" for end in receivers.ends]}],
        }
        async with Relay(stage) as relay:
            warm = await _warm(stage, receivers)
            relay.forget_peak()
            texts, said_s = [f"message {number}" for number in range(messages)], {}
            began_s = time.perf_counter()
            for text in texts:
                said_s[text] = await stage.say("telegram", 0, text)
            await stage.until(lambda: receivers.have([*warm, *texts]), _WITHIN_S)
            took_s = time.perf_counter() - began_s
            healthy = receivers.healthy
            got = {end: [text for text in receivers.texts[end] if text in said_s] for end in healthy}
            late_ms = [1000 * (at_s - said_s[text]) for (_, text), at_s in receivers.at_s.items() if text in said_s]
            return {
                "endpoints": endpoints,
                "hanging": len(receivers.hanging),
                "messages": messages,
                "deliveries_per_s": round(sum(map(len, got.values())) / took_s),
                "p50_ms": round(percentile(late_ms, 0.5)) if late_ms else None,
                "p99_ms": round(percentile(late_ms, 0.99)) if late_ms else None,
                "lost": sum(len(set(texts) - set(one)) for one in got.values()),
                "doubled": sum(sum(count - 1 for count in Counter(one).values()) for one in got.values()),
                "out_of_order": sum(one != [text for text in texts if text in one] for one in got.values()),
                "peak_mb": round(relay.peak_rss_bytes / 1e6, 1),
            }


async def _warm(stage: Stage, receivers: _Receivers) -> list[str]:
    """Wait until every healthy receiver got a message; returns the texts that were posted for it."""
    said: list[str] = []
    for number in range(60):
        said.append(f"warm {number}")
        await stage.say("telegram", 0, said[-1])
        if await stage.until(lambda: all(receivers.texts[end] for end in receivers.healthy), 2):
            break
    else:
        raise RuntimeError("the receivers are told nothing")
    last = said[-1]
    await stage.until(lambda: all(last in receivers.texts[end] for end in receivers.healthy), 60)
    return list(receivers.texts[receivers.healthy[0]])


async def incoming(*, requests: int, at_once: int) -> Row:
    """Requests per second, and the time until the 200, of concurrent senders that each wait for their response."""
    _more_files()
    port = free_port()
    web_section = {"public": {"listen": f"127.0.0.1:{port}", "url": f"http://127.0.0.1:{port}"}}
    async with Stage(platforms=("telegram",), routes=1) as stage:
        accounts = stage.config()["accounts"]
        signature = {"scheme": "standard", "secret": SECRET}
        accounts["hooks"] = {"platform": "webhook", "ends": {"alerts": {"signature": signature}}}
        target = f"telegram/{stage.chats['telegram'][0].address}"
        stage.settings |= {
            "accounts": accounts,
            "routes": [{"name": "in", "from": "hooks/alerts", "to": target}],
            "web": web_section,
        }
        async with Relay(stage), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            url = f"http://127.0.0.1:{port}/hooks/hooks/alerts"
            while await _post(client, url, "warm") != 200:  # noqa: ASYNC110 - the bridge is asked from outside
                await asyncio.sleep(0.05)
            took_ms: list[float] = []
            statuses: Counter[int] = Counter()
            numbers = iter(range(requests))

            async def sender() -> None:
                for number in numbers:
                    began_s = time.perf_counter()
                    statuses[await _post(client, url, f"number {number}")] += 1
                    took_ms.append(1000 * (time.perf_counter() - began_s))

            began_s = time.perf_counter()
            await asyncio.gather(*(sender() for _ in range(at_once)))
            took_s = time.perf_counter() - began_s
            return {
                "requests": requests,
                "at_once": at_once,
                "per_s": round(requests / took_s),
                "p50_ms": round(percentile(took_ms, 0.5), 1),
                "p99_ms": round(percentile(took_ms, 0.99), 1),
                "not_200": requests - statuses[200],
            }


async def _post(client: aiohttp.ClientSession, url: str, text: str) -> int:
    webhook_id, now = uuid.uuid4().hex, datetime.now(UTC)
    body = json.dumps({"text": text, "author": "bench"})
    headers = {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(webhook_id, now, body),
    }
    async with client.post(url, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status
