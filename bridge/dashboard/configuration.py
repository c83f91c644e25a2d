"""bridge.yaml as it may be shown, its check, what a reload would change, and the reload."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from typing import TYPE_CHECKING

from bridge.config.showing import Shown
from bridge.dashboard.acting import Actions, Busy
from bridge.dashboard.drawing import page
from bridge.dashboard.parts import Parts, Visit
from bridge.model.tasks import end
from bridge.observability.logs import masked
from bridge.reloading import Reloaded

if TYPE_CHECKING:
    from aiohttp import web

_MOST = 200
"""Lines of a difference, and faults, that are shown."""
_KEPT_S = 5.0
_END_S = 5.0
_CHANGED = "The file has changed meanwhile. This is what a reload would do now."


class File:
    """bridge.yaml for everybody who asks: two processes read it at a time, however many ask, come and go; and what they found is
    shown again for 5 s."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._key = secrets.token_bytes(32)
        """Hides the hash of a file with secrets in it."""
        self._reading: asyncio.Task[tuple[Shown, Reloaded]] | None = None
        self._read_at_s = 0.0

    async def close(self) -> None:
        if self._reading is not None:
            await end([self._reading], within_s=_END_S)

    async def show(self, parts: Parts, visit: Visit) -> web.Response:
        """Raises ReadingFailed, Busy."""
        return await self._show(visit)

    async def reload(self, parts: Parts, visit: Visit, actions: Actions) -> web.StreamResponse:
        """What was agreed to is applied: if the file differs from it by now, that is shown instead. Raises ReadingFailed, Busy."""
        agreed = visit.asked("seen", 100)

        async def work() -> tuple[Reloaded, str]:
            reloaded = await parts.reloads.reload(
                agreed=lambda seen: hmac.compare_digest(self._seen(seen).encode(), agreed.encode())
            )
            if reloaded.is_other:
                return reloaded, "not reloaded: the file had changed meanwhile"
            if reloaded.ok:
                return reloaded, "; ".join(reloaded.difference.lines())
            return reloaded, masked(reloaded.outcome)

        reloaded = await actions.do(visit.who, "reload", "bridge.yaml", work)
        self._reading = None
        if reloaded.is_other:
            return await self._show(visit, note=_CHANGED)
        return page(visit, "reloaded", {"reloaded": reloaded, **_said(reloaded)}, status=200 if reloaded.ok else 409)

    async def _show(self, visit: Visit, *, note: str = "") -> web.Response:
        if not visit.who.is_known:
            said = {
                "title": "bridge.yaml is for who is signed in",
                "text": "Give web.admin.dashboard users, or a proxy's user_header.",
            }
            return page(visit, "failed", said, status=403)
        shown, looked = await self._read()
        return page(visit, "config", {"shown": shown, "note": note, "seen": self._seen(looked.seen), **_said(looked)})

    async def _read(self) -> tuple[Shown, Reloaded]:
        reading = self._reading
        if reading is None or (reading.done() and self._parts.clock.monotonic_s() - self._read_at_s >= _KEPT_S):
            reading = self._reading = asyncio.create_task(self._ask(), name="dashboard bridge.yaml")
            reading.add_done_callback(self._is_read)
        return await asyncio.shield(reading)

    async def _ask(self) -> tuple[Shown, Reloaded]:
        shown = await asyncio.to_thread(self._parts.shown)
        looked = await self._parts.reloads.look()
        if looked.is_crowded:
            raise Busy  # no fault of the file
        return shown, looked

    def _is_read(self, reading: asyncio.Task[tuple[Shown, Reloaded]]) -> None:
        if not reading.cancelled():
            reading.exception()  # retrieved here, where nobody waits for it any more
        if reading is self._reading:
            self._read_at_s = self._parts.clock.monotonic_s()

    def _seen(self, read: str) -> str:
        """Tells one state of the file from another, to who may not know what is in it."""
        return hmac.digest(self._key, read.encode(), "sha256").hex()


def _said(found: Reloaded) -> dict[str, object]:
    faults = [masked(str(fault)) for fault in (*found.config_faults, *found.faults)]
    lines = list(found.difference.lines())
    return {
        "faults": faults[:_MOST],
        "more_faults": max(0, len(faults) - _MOST),
        "warnings": [masked(str(one)) for one in found.warnings[:_MOST]],
        "lines": lines[:_MOST],
        "more_lines": max(0, len(lines) - _MOST),
        "differs": bool(found.difference),
    }
