"""Public listeners that nobody can reach, for accounts in tests."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from aiohttp import web

LOOPBACK = ip_network("127.0.0.0/8")


class NoWeb:
    """For accounts that need none."""

    public_url = ""

    def mount(self, name: str, handler: Any) -> str:
        raise AssertionError("nothing is mounted")

    def unmount(self, name: str) -> None:
        pass

    def serve_keys(self, handler: Any) -> None:
        raise AssertionError("no key is handed out")


class UnreachedWeb(NoWeb):
    """For accounts of any platform, in tests that call none of their webhooks."""

    def mount(self, name: str, handler: Any) -> str:
        return f"/hooks/account/{name}"

    def serve_keys(self, handler: Any) -> None:
        pass


class LoopbackWeb(NoWeb):
    """A public listener of one account on loopback, for tests of an adapter without the bridge."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._handlers: dict[str, Any] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_post(f"/hooks/{self._account}/{{name}}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.public_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def mount(self, name: str, handler: Any) -> str:
        self._handlers[name] = handler
        return f"/hooks/{self._account}/{name}"

    def unmount(self, name: str) -> None:
        self._handlers.pop(name, None)

    def serve_keys(self, handler: Any) -> None:
        pass

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        handler = self._handlers.get(request.match_info["name"])
        if handler is None:
            return web.Response(status=404)
        answer: web.StreamResponse = await handler(request)
        return answer
