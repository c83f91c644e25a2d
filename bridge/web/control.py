"""The control socket: what `messenger-bridge status`, `reload`, `check --diff` and `test` ask the daemon. HTTP over a Unix socket,
whose mode says who may ask; so it needs no port, and no password.

aiohttp's server is imported with the first question: an idle daemon does without it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from bridge.web.control_place import InUse, Listening

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.web.door import Door

log = structlog.get_logger("control")

_MOST_CONNECTIONS = 16
_PAUSE_S = 1.0
_PEER = struct.Struct("3i")
"""pid, uid and gid, as SO_PEERCRED gives them: unix(7)."""

Page = Callable[[Mapping[str, str]], Awaitable[dict[str, Any]]]
"""Gets the query, and answers with what is shown as JSON."""


def listen(places: list[Path]) -> Listening | None:
    """On the first of these where it is possible. A daemon that cannot be asked relays all the same: then the log says so."""
    for path in places:
        try:
            return Listening(path)
        except InUse:
            log.warning("another daemon has this control socket", path=str(path))
        except OSError as error:
            log.warning("no control socket here", path=str(path), reason=error.strerror or str(error))
    log.error("no control socket", tried=[str(path) for path in places])
    return None


class ControlWeb:
    """`pages`: by method and path."""

    def __init__(self, listening: Listening, pages: Mapping[tuple[str, str], Page]) -> None:
        self._listening = listening
        self._pages = pages
        self._door: Door | None = None

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    connection, _ = await loop.sock_accept(self._listening.socket)
                except OSError as error:  # no descriptor is free: the next one waits in the backlog
                    log.warning("a command could not be answered", reason=error.strerror or str(error))
                    await asyncio.sleep(_PAUSE_S)
                    continue
                await self._take(connection)
        finally:
            if self._door is not None:
                await self._door.shutdown(timeout=1.0)
            self._listening.close()

    async def _take(self, connection: socket.socket) -> None:
        if self._door is None:
            await asyncio.to_thread(_import_server)
            from bridge.web.door import Door

            self._door = Door(self._dispatch, most=_MOST_CONNECTIONS)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._door, connection)
        except OSError:
            connection.close()  # whoever asked has gone

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        page = self._pages.get((request.method, request.path))
        if page is None:
            return _answer({"ok": False, "error": "this daemon does not know that: it is of another version"}, 404)
        if request.method != "GET":
            log.info("asked", what=request.path, uid=_uid(request))
        try:
            return _answer(await page(request.query), 200)
        except Exception as error:
            log.exception("a command failed unexpectedly", what=request.path)
            return _answer({"ok": False, "error": f"unexpected {type(error).__name__}; the daemon's log says more"}, 500)


def _import_server() -> None:
    import bridge.web.door  # noqa: F401 - in a thread, since it takes long


def _uid(request: web.Request) -> int | None:
    """The user who asks."""
    connected = request.transport.get_extra_info("socket") if request.transport is not None else None
    if connected is None:
        return None
    try:
        return int(_PEER.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1])
    except OSError:
        return None


def _answer(value: dict[str, Any], status: int) -> web.Response:
    from aiohttp import web

    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
