"""The sandbox's page: its files, what it asks about the bridge, and the emulators' control API below `/api`.

For loopback only. The page shows untrusted text and files, so its content security policy lets it load nothing from elsewhere and
run only its own modules; markup is rebuilt from an allow-list in `static/markup.js`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import resources

import msgspec
from aiohttp import web

from adapters.common.emulation.contract import Emulator
from adapters.common.emulation.control import control_app
from adapters.common.emulation.loopback import loopback_only
from bridge.sandbox.status import PageStatus

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class PagePlatform(msgspec.Struct, frozen=True, kw_only=True):
    """One column. `person` is who writes there at first, `formatting_sample` what a button puts into the text field."""

    platform: str
    title: str
    chat_id: str
    chat_name: str
    person: str
    formatting_sample: str


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /retry`."""

    deliveries: list[int]


def page_app(
    emulators: Mapping[str, Emulator],
    *,
    platforms: Sequence[PagePlatform],
    people: Sequence[str],
    status: Callable[[], Awaitable[PageStatus]],
    retry: Callable[[Sequence[int]], Awaitable[object]],
) -> web.Application:
    """The web application; `emulators` must have been started. `retry` takes deliveries that were given up."""
    described = msgspec.json.encode({"platforms": platforms, "people": people})
    policy = content_security_policy([emulator.base_url for emulator in emulators.values()])

    async def sandbox(request: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json")

    async def status_now(request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(await status()), content_type="application/json")

    async def try_again(request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=Retry)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            return web.json_response({"error": str(error)}, status=400)
        await retry(asked.deliveries)
        return web.json_response({})

    app = web.Application(middlewares=[loopback_only])
    app.router.add_get("/sandbox.json", sandbox)
    app.router.add_get("/status.json", status_now)
    app.router.add_post("/retry", try_again)
    for name, content in _static_files().items():
        app.router.add_get("/" if name == "index.html" else f"/{name}", _serve(name, content, policy))
    app.add_subapp("/api", control_app(emulators))
    return app


def content_security_policy(avatar_origins: Sequence[str]) -> str:
    """Own files only; pictures also from the emulators, which host the people's avatars. No string becomes markup unasked."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            f"img-src 'self' blob: {' '.join(avatar_origins)}".rstrip(),
            "media-src 'self' blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types inert-parse",
        ]
    )


def _serve(name: str, content: bytes, policy: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
    content_type = _TYPES[name[name.rindex(".") :]]

    async def serve(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type, charset="utf-8", headers=headers)

    return serve


def _static_files() -> dict[str, bytes]:
    folder = resources.files("bridge.sandbox") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.name.endswith(tuple(_TYPES))}
