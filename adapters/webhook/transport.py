"""All network I/O towards the receivers of an account, and nothing else. One attempt per call; errors come out as the bridge's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.webhook.config import WebhookOptions


class Transport:
    """One account's connections to its receivers."""

    def __init__(self, options: WebhookOptions) -> None:
        self._options = options

    async def close(self) -> None:
        """Nothing is open."""
