"""Telling by apprise: in order, again when it failed, bounded, and without showing a URL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bridge.config.plain_options import Secret
from bridge.model.clock import SYSTEM_CLOCK
from bridge.ops import other_ways
from bridge.ops.other_ways import OtherWays, notify
from tests.support.clock import ManualClock
from tests.support.patience import eventually


class Service:
    """What takes apprise's `json://` notifications."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.status = 200
        self.asked = 0
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.status == 200:
            self.told.append(json.loads(await request.read())["message"])
        return web.Response(status=self.status)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    app = web.Application()
    app.router.add_post("/", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"json://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_each_message_is_sent_in_order_and_again_when_it_failed(service: Service) -> None:
    ways = OtherWays(ManualClock())
    ways.use(Secret(service.url))
    running = asyncio.create_task(ways.run())
    service.status = 500
    for number in range(3):
        ways.put(f"message {number}")
    await eventually(lambda: service.asked > 1)
    service.status = 200
    await eventually(lambda: service.told == ["message 0", "message 1", "message 2"])
    running.cancel()


async def test_few_are_kept_and_the_next_one_says_how_many_were_not(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_ways, "_KEPT", 2)
    ways = OtherWays(ManualClock())
    ways.use(Secret(service.url))
    for number in range(5):
        ways.put(f"message {number}")
    running = asyncio.create_task(ways.run())
    await eventually(lambda: len(service.told) == 2)
    assert service.told == ["message 3\n(3 earlier messages could not be sent)", "message 4"]
    running.cancel()


async def test_what_waits_is_sent_by_urls_that_were_mended_meanwhile(service: Service) -> None:
    """A pause may be an hour long: it ends then."""
    ways = OtherWays(SYSTEM_CLOCK)
    ways.use(Secret("json://127.0.0.1:9"))
    running = asyncio.create_task(ways.run())
    ways.put("before")
    await eventually(lambda: ways._failures._count > 0)
    ways.put("after")
    ways.use(Secret(service.url))
    await eventually(lambda: service.told == ["before", "after"])
    ways.use(None)
    ways.put("nothing is told any more")
    await eventually(lambda: not ways._waiting)
    running.cancel()
    assert (service.asked, service.told) == (2, ["before", "after"])


def test_a_fault_names_no_url() -> None:
    for urls in ("nonsense://user:a-password@host", "json://user:a-password@127.0.0.1:9"):
        fault = notify("text", urls)
        assert fault
        assert "a-password" not in fault
