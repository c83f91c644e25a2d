"""Downloads of files that people sent. Used by `adapter`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

from adapters.teamspirit.outbound.encode import Encoder
from adapters.teamspirit.transport import Transport
from bridge.model.adapter import FileStream
from bridge.model.events import Attachment, AttachmentKind

if TYPE_CHECKING:
    from adapters.teamspirit.dialect.calls import Operations


_FACE = "face:"
"""Before the address of a person's picture, as a file's id."""


class Downloads:
    def __init__(self, operations: Operations, encoder: Encoder, transport: Transport) -> None:
        self._operations = operations
        self._encoder = encoder
        self._transport = transport

    def face(self, url: str) -> Attachment | None:
        """A picture on the server itself, which others may not be able to reach; None for one elsewhere."""
        if not url or not self._encoder.is_own(url):
            return None
        version = blake2b(url.encode(), digest_size=12).hexdigest()
        return Attachment(kind=AttachmentKind.PHOTO, file_id=f"{_FACE}{url}", unique_id=f"{_FACE}{version}")

    @asynccontextmanager
    async def open_file(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        if attachment.file_id.startswith(_FACE):
            request = self._encoder.picture(attachment.file_id.removeprefix(_FACE))
            async with self._transport.download(request, sent_as=attachment) as stream:
                yield stream
            return
        call = self._operations.download
        assert call is not None
        request = self._encoder.request("download", call, {"file": {"id": attachment.file_id}})
        async with self._transport.download(request, attachment.size_bytes, sent_as=attachment) as stream:
            yield stream
