"""An account that speaks matterbridge's API, behind a plain server: the key is what the test says it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from msgspec.structs import replace

from adapters.webhook.adapter import build
from adapters.webhook.config import WebhookOptions
from bridge.model.adapter import Outbound, Sender
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.original import Original
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName
from bridge.model.rich_text import plain
from bridge.model.tasks import end
from bridge.model.web_mount import KeyDirection, KeyGrant
from tests.adapters.webhook.receivers import MemoryStore
from tests.support.intake import RecordingIntake
from tests.support.patience import PATIENCE_S
from tests.support.web import UnreachedWeb

ENDS: dict[str, Any] = {"one": {}, "two": {"gateway": "the second", "author": "Two"}}


@dataclass
class Served:
    adapter: Any
    client: aiohttp.ClientSession
    intake: RecordingIntake
    store: MemoryStore
    base: str
    grant: KeyGrant = field(
        default_factory=lambda: KeyGrant(key_id="k1", chat="one", direction=KeyDirection.API, label="Mod", most_bytes=10_000_000)
    )
    requests: list[web.Request] = field(default_factory=list)

    def by(self, **changes: Any) -> None:
        """From now on the callers' key is this."""
        self.grant = replace(self.grant, **changes)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        answer: web.StreamResponse = await self.adapter._doors.by_key(request, replace(self.grant, place=request.path[1:]))
        return answer

    async def say(self, text: str, token: str, chat: str = "one", **more: Any) -> None:
        given = {"sender": Sender(name="Anna"), "original": Original(occurred_at=SYSTEM_CLOCK.now()), **more}
        await self.adapter.send(Outbound(token=token, attempt=1, chat_id=chat, text=plain(text), **given))

    async def drained(self) -> list[dict[str, Any]]:
        async with self.client.get("/api/messages") as answer:
            assert answer.status == 200, await answer.text()
            return list(await answer.json())

    async def texts(self) -> list[str]:
        return [one["text"] for one in await self.drained()]

    async def post(self, said: Any, status: int = 200, **more: Any) -> dict[str, Any]:
        async with self.client.post("/api/message", **({"json": said} if said is not None else {}), **more) as answer:
            assert answer.status == status, await answer.text()
            return dict(await answer.json())


@asynccontextmanager
async def serving(
    folder: Path | None = None, store: MemoryStore | None = None, *, clock: Clock = SYSTEM_CLOCK, **options: Any
) -> AsyncIterator[Served]:
    made = WebhookOptions.model_validate({"style": "matterbridge", "ends": ENDS, **options})
    kept, intake = store or MemoryStore(), RecordingIntake(ENDS)
    context = AdapterContext(
        account=AccountName("programs"), options=made, web=UnreachedWeb(), store=kept, clock=clock, folder=folder
    )
    adapter = build(context)
    running = asyncio.create_task(adapter.run(intake), name="adapter programs")
    await intake.up.wait()
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    base = ""
    served: Served | None = None

    async def handle(request: web.Request) -> web.StreamResponse:
        assert served is not None
        return await served.handle(request)

    app.router.add_route("*", "/{path:.*}", handle)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as client:
            served = Served(adapter=adapter, client=client, intake=intake, store=kept, base=base)
            yield served
    finally:
        await end([running])
        await adapter.close()
        await runner.cleanup()
