"""Archived threads: they accept no change until they are reopened. Called by `sender` and `adapter`.

Source: API reference, error 50083 ("tried to perform an operation on an archived thread, such as editing a message"). Posting
reopens a thread by itself, unless it is locked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from adapters.discord.errors import THREAD_ARCHIVED, Refused
from adapters.discord.transport import Route, Transport


class Threads:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def awake(self, thread_id: str | None, call: Callable[[], Awaitable[Any]]) -> Any:
        """The call's answer; refused because its thread is archived, it is made once more after waking the thread.

        Raises the second refusal, or the first one where the thread may not be woken (it is locked)."""
        try:
            return await call()
        except Refused as refused:
            if thread_id is None or refused.code != THREAD_ARCHIVED:
                raise
            try:
                path = f"/channels/{thread_id}"
                await self._transport.call(Route("PATCH", path, f"{path} PATCH"), json={"archived": False})
            except Refused:
                raise refused from None
            return await call()
