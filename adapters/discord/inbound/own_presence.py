"""The bot's own presence, which goes over the gateway's connection. Whoever begins a new session is online again, so it is shown
anew with each connection. Used by `adapter` and `stream`.

Source: API reference, "Update Presence"; read 2026-11-27."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bridge.model.errors import RetryLater

_SHOWN: Mapping[str, str] = {"online": "online", "away": "idle", "busy": "dnd", "offline": "invisible"}
"""The bridge's words for a status, and Discord's."""


class ShowsPresence(Protocol):
    """A connection to the gateway."""

    async def show(self, status: str, text: str) -> None:
        """Raises what reading the connection raises."""
        ...


class Presence:
    """Of one account. `connection`: the one that is open now."""

    def __init__(self) -> None:
        self._connection: ShowsPresence | None = None
        self._wanted: tuple[str, str] | None = None

    async def opened(self, connection: ShowsPresence) -> None:
        self._connection = connection
        if self._wanted is not None:
            await connection.show(*self._wanted)

    def closed(self) -> None:
        self._connection = None

    async def set_status(self, status: str, text: str) -> None:
        """See `bridge.model.adapter.SetsStatus`. Raises RetryLater while there is no connection."""
        self._wanted = _SHOWN.get(status, "online"), text
        if self._connection is None and status == "offline":
            return  # as everybody sees
        if self._connection is None:
            raise RetryLater("there is no connection to the gateway")
        try:
            await self._connection.show(*self._wanted)
        except Exception as error:  # whoever reads the connection hears of it, and says what it means
            raise RetryLater(f"the gateway's connection does not take it: {type(error).__name__}") from error
