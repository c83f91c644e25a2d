"""Hears where something is said, as an adapter's intake, without accepting or confirming anything: what was heard comes again when
the daemon runs. For `finding_chats`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

from bridge.model.adapter import Adapter, Cursor
from bridge.model.events import ChatEvent
from bridge.model.tasks import end

MOST_CHATS = 1000
_CLOSE_S = 5.0
_PAUSE_S = 2.0
"""Between two connections: each is given up once it has heard something."""


async def listen(adapter: Adapter, listen_s: float, enough: int) -> list[tuple[str, str | None]]:
    """Chats and threads in which something was said, in the order in which they were heard. Raises what `run` raises, if nothing
    was heard."""
    heard: dict[tuple[str, str | None], None] = {}
    loop = asyncio.get_running_loop()
    until_s = loop.time() + listen_s
    while (left_s := until_s - loop.time()) > 0 and len(heard) < enough:
        intake = _Listener(heard)
        running = asyncio.create_task(adapter.run(intake), name=f"listen {adapter.account}")
        something = asyncio.create_task(intake.something.wait(), name="something heard")
        try:
            await asyncio.wait({running, something}, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if running.done() and not running.cancelled() and (error := running.exception()) is not None and not heard:
                raise error
        finally:
            await end([running, something], within_s=_CLOSE_S)
        await asyncio.sleep(min(_PAUSE_S, max(until_s - loop.time(), 0)))
    return list(heard)


class _Listener:
    """An intake that notes where something was said, and never accepts it."""

    def __init__(self, heard: dict[tuple[str, str | None], None]) -> None:
        self._heard = heard
        self.something = asyncio.Event()

    async def accept(self, events: Sequence[ChatEvent], *, cursors: Sequence[Cursor] = ()) -> None:
        for event in events:
            meta = event.meta
            self._heard[meta.origin.chat_id, None] = None
            if meta.thread_id is not None:
                self._heard[meta.origin.chat_id, meta.thread_id] = None
        if events:
            self.something.set()
            await asyncio.Event().wait()

    async def undecodable(self, raw: bytes, reason: str, *, cursors: Sequence[Cursor] = ()) -> None:
        await asyncio.Event().wait()

    def ignored(self, reason: str) -> None: ...

    async def cursor(self, name: str) -> str | None:
        return None

    async def is_known(self, event_key: str) -> bool:
        return False

    async def message_ids(self, chat_id: str, limit: int) -> Sequence[str]:
        return ()

    def routed_chats(self) -> frozenset[str]:
        return frozenset()

    def is_end(self, chat_id: str, thread_id: str | None) -> bool:
        return False

    def hears_private(self) -> bool:
        return False

    def connected(self) -> None: ...

    def may_send(self) -> None: ...

    async def set_own_names(self, names: Iterable[str]) -> None: ...

    def notice(self, reason: str, action: str, *, chat_id: str = "") -> None: ...

    def chat_restored(self, chat_id: str) -> None: ...

    async def gap(self, chat_id: str, *, since: datetime, until: datetime, reason: str) -> None: ...

    async def chat_moved(self, old_chat_id: str, new_chat_id: str) -> None: ...
