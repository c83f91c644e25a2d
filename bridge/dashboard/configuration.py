"""bridge.yaml as it may be shown, its check, what a reload would change, and the reload."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from bridge.dashboard.acting import Actions
from bridge.dashboard.drawing import page
from bridge.dashboard.parts import Parts, Visit
from bridge.observability.logs import masked
from bridge.reloading import Reloaded

if TYPE_CHECKING:
    from aiohttp import web

_MOST = 200
"""Lines of a difference, and faults, that are shown."""


async def show(parts: Parts, visit: Visit) -> web.Response:
    """Raises ReadingFailed."""
    return await _show(parts, visit)


async def _show(parts: Parts, visit: Visit, *, note: str = "") -> web.Response:
    if not visit.who.is_known:
        said = {"title": "bridge.yaml is for who is signed in", "text": "Give web.admin.dashboard users, or a proxy's user_header."}
        return page(visit, "failed", said, status=403)
    shown = await asyncio.to_thread(parts.shown)
    looked = await parts.reloads.look()
    return page(visit, "config", {"shown": shown, "note": note, "seen": _seen(looked), **_said(looked)})


async def reload(parts: Parts, visit: Visit, actions: Actions) -> web.StreamResponse:
    """What was agreed to is applied: if the file differs in another way by now, that is shown first."""
    if visit.asked("seen", 100) != _seen(await parts.reloads.look()):
        return await _show(parts, visit, note="The file has changed meanwhile. This is what a reload would do now.")

    async def work() -> tuple[Reloaded, str]:
        reloaded = await parts.reloads.reload()
        if reloaded.ok:
            return reloaded, "; ".join(reloaded.difference.lines())
        return reloaded, masked(reloaded.outcome)

    reloaded = await actions.do(visit.who, "reload", "bridge.yaml", work)
    return page(visit, "reloaded", {"reloaded": reloaded, **_said(reloaded)}, status=200 if reloaded.ok else 409)


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


def _seen(looked: Reloaded) -> str:
    """Tells one state of the file from another, as far as a reload does."""
    told = "\n".join([*looked.difference.lines(), *map(str, looked.config_faults), *looked.faults])
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()
