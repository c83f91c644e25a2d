"""Reactions of the bridge to messages. Used by `adapter`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.teamspirit.client import Client
from adapters.teamspirit.errors import Gone
from adapters.teamspirit.outbound.encode import Encoder
from bridge.model.adapter import OutboundReaction
from bridge.model.errors import Rejected

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations


class Reactions:
    def __init__(self, operations: Operations, encoder: Encoder, client: Client) -> None:
        self._operations = operations
        self._encoder = encoder
        self._client = client

    async def react(self, outbound: OutboundReaction) -> None:
        """The bot reacts once for everyone; a reaction that is there already, or gone already, is a success."""
        operations = self._operations
        assert operations.react is not None
        assert operations.unreact is not None
        refused: Rejected | None = None
        for operation, call, wanted in (
            ("react", operations.react, outbound.added),
            ("unreact", operations.unreact, outbound.removed),
        ):
            for reaction in wanted:
                try:
                    values = self._encoder.reaction_values(outbound.copy, reaction)
                    await self._client.call(operation, call, values)
                except Gone:
                    if operation == "react":
                        raise
                except Rejected as error:
                    refused = error
        if refused is not None:
            raise refused
