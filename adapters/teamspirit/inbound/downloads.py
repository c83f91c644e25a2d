"""Downloads of files that people sent. Used by `adapter`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from adapters.teamspirit.outbound.encode import Encoder
from adapters.teamspirit.transport import Transport
from bridge.model.adapter import FileStream
from bridge.model.events import Attachment

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations


class Downloads:
    def __init__(self, operations: Operations, encoder: Encoder, transport: Transport) -> None:
        self._operations = operations
        self._encoder = encoder
        self._transport = transport

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        call = self._operations.download
        assert call is not None
        request = self._encoder.request("download", call, {"file": {"id": attachment.file_id}})
        async with self._transport.download(request, attachment.size_bytes) as stream:
            yield stream
