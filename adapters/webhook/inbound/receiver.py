"""Requests become events: answered once the core has them on disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adapters.webhook.inbound.downloads import Downloads
from bridge.model.adapter import Intake
from bridge.model.platform import AdapterContext
from bridge.model.web_mount import KeyDirection

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.model.web_mount import KeyGrant, KeyHandler


class Receiver:
    """Serves one account's ends. `read` answers who fetches. Requests that come before `run` are asked to come again."""

    def __init__(self, context: AdapterContext, downloads: Downloads, read: KeyHandler) -> None:
        self._read = read
        self._context = context
        self._downloads = downloads
        self._intake: Intake | None = None
        context.web.serve_keys(self._by_key)

    async def run(self, intake: Intake) -> None:
        self._intake = intake
        await intake.set_own_names([])
        intake.connected()
        await asyncio.get_running_loop().create_future()

    async def _by_key(self, request: web.Request, grant: KeyGrant) -> web.StreamResponse:
        from aiohttp import web

        if grant.direction is KeyDirection.OUT:
            return await self._read(request, grant)
        return web.Response(status=503, text="try again later\n", headers={"Retry-After": "10"})
