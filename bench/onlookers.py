"""Who looks on, in a process of their own: what a browser, a monitoring server and a log collector ask of a running bridge.

`python -m bench.onlookers ORIGIN TOKEN...`. Each onlooker is a user of the dashboard with a token, renews the overview as the page
itself does, and has the live tail open; one scrapes `/metrics` every second. Prints `ready` once each has been answered, and at
SIGTERM what each kind got, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

import aiohttp

_OVERVIEW_S = 5.0
"""`EVERY_MS` of the dashboard's own script."""
_SCRAPE_S = 1.0
_PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"


class Onlookers:
    """`got`: how many of each kind; `failed`: what was answered otherwise."""

    def __init__(self, session: aiohttp.ClientSession, origin: str, tokens: Sequence[str]) -> None:
        self._session = session
        self._origin = origin
        self._tokens = tokens
        self.got: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.answered = asyncio.Event()
        """Each of them was, once."""

    def _count(self, kind: str) -> None:
        self.got[kind] += 1
        if min(self.got["overview"], self.got["tails"]) >= len(self._tokens) and self.got["scrapes"]:
            self.answered.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as all_of_them:
            for token in self._tokens:
                all_of_them.create_task(self._again(lambda token=token: self._overview(token), _OVERVIEW_S))  # type: ignore[misc]
                all_of_them.create_task(self._again(lambda token=token: self._tail(token), _SCRAPE_S))  # type: ignore[misc]
            all_of_them.create_task(self._again(self._scrape, _SCRAPE_S))

    async def _again(self, ask: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            try:
                await ask()
            except (aiohttp.ClientError, ConnectionError) as error:
                self.failed[type(error).__name__] += 1
            await asyncio.sleep(every_s)

    async def _overview(self, token: str) -> None:
        await self._whole("overview", "/dashboard/", {"Accept": "text/html", **_known(token)})

    async def _scrape(self) -> None:
        await self._whole("scrapes", "/metrics", {"Accept": _PROMETHEUS})

    async def _whole(self, kind: str, path: str, headers: Mapping[str, str]) -> None:
        async with self._session.get(self._origin + path, headers=headers) as answer:
            await answer.read()
            if answer.status == 200:
                self._count(kind)
            else:
                self.failed[f"{kind} {answer.status}"] += 1

    async def _tail(self, token: str) -> None:
        async with self._session.get(f"{self._origin}/dashboard/events", headers=_known(token)) as answer:
            if answer.status != 200:
                self.failed[f"tail {answer.status}"] += 1
                return
            self._count("tails")
            async for line in answer.content:
                self.got["steps"] += line.startswith(b"data:")


def _known(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def main(origin: str, tokens: Sequence[str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        onlookers = Onlookers(session, origin, tokens)
        looking = asyncio.create_task(onlookers.run(), name="onlookers")
        await onlookers.answered.wait()
        print("ready", flush=True)
        await stop.wait()
        looking.cancel()
        await asyncio.wait({looking})
        print(json.dumps({"got": onlookers.got, "failed": onlookers.failed}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
