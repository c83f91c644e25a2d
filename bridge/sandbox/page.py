"""The sandbox's page: its files, what it asks about the bridge, and the emulators' control API below `/api`.

For loopback only. The page shows untrusted text and files, so its content security policy lets it load nothing from elsewhere and
run only its own modules; markup is rebuilt from an allow-list in `static/markup.js`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import resources
from typing import Protocol, TypeVar

import msgspec
from aiohttp import web

from adapters.common.emulation.contract import Emulator
from adapters.common.emulation.control import control_app
from adapters.common.emulation.loopback import loopback_only
from bridge.sandbox.status import PageStatus
from bridge.sandbox.traces import Asked, Mark, Trace

_T = TypeVar("_T")

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".ogg": "audio/ogg",
}


class PagePlatform(msgspec.Struct, frozen=True, kw_only=True):
    """One column. `person` is who writes there at first, `formatting_sample` what a button puts into the text field."""

    platform: str
    title: str
    person: str
    formatting_sample: str
    can: list[str]
    """The optional operations of the control API that its people have."""


class PageChat(msgspec.Struct, frozen=True, kw_only=True):
    """A room's chat in one messenger. `relayed`: whether what is said there crosses."""

    chat_id: str
    name: str
    relayed: bool
    names_threads: bool
    threads_from_messages: bool


class PageRoom(msgspec.Struct, frozen=True, kw_only=True):
    """A chat in each messenger, by platform, that a route joins."""

    name: str
    title: str
    about: str
    chats: dict[str, PageChat]


class PageSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /sandbox.json` answers."""

    platforms: Sequence[PagePlatform]
    rooms: Sequence[PageRoom]
    people: Sequence[str]


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /retry`."""

    deliveries: list[int]


class MarksAsked(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /marks`."""

    messages: list[Asked]


class Inside(Protocol):
    """What the page asks the running bridge."""

    async def status(self) -> PageStatus: ...

    async def retry(self, deliveries: Sequence[int]) -> object:
        """Try deliveries again that were given up."""
        ...

    async def marks(self, asked: Sequence[Asked]) -> Sequence[Mark]: ...

    async def trace(self, asked: Asked) -> Trace: ...


def page_app(emulators: Mapping[str, Emulator], *, setup: PageSetup, inside: Inside) -> web.Application:
    """The web application; `emulators` must have been started."""
    described = msgspec.json.encode(setup)
    policy = content_security_policy([emulator.base_url for emulator in emulators.values()])

    async def sandbox(request: web.Request) -> web.Response:
        return web.Response(body=described, content_type="application/json")

    async def status_now(request: web.Request) -> web.Response:
        return _json(await inside.status())

    async def try_again(request: web.Request) -> web.Response:
        await inside.retry((await _asked(request, Retry)).deliveries)
        return web.json_response({})

    async def marks(request: web.Request) -> web.Response:
        return _json(await inside.marks((await _asked(request, MarksAsked)).messages))

    async def trace(request: web.Request) -> web.Response:
        return _json(await inside.trace(await _asked(request, Asked)))

    app = web.Application(middlewares=[loopback_only])
    app.router.add_get("/sandbox.json", sandbox)
    app.router.add_get("/status.json", status_now)
    app.router.add_post("/retry", try_again)
    app.router.add_post("/marks", marks)
    app.router.add_post("/trace", trace)
    for name, content in _static_files().items():
        app.router.add_get("/" if name == "index.html" else f"/{name}", _serve(name, content, policy))
    app.add_subapp("/api", control_app(emulators))
    return app


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json", headers={"Cache-Control": "no-store"})


async def _asked(request: web.Request, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text=json.dumps({"error": str(error)}), content_type="application/json") from error


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

    charset = None if content_type.startswith("audio/") else "utf-8"

    async def serve(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type, charset=charset, headers=headers)

    return serve


def _static_files() -> dict[str, bytes]:
    folder = resources.files("bridge.sandbox") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.name.endswith(tuple(_TYPES))}
