"""Files that people sent, downloaded: from Telegram's servers, or from the disk that a local server shares with us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from adapters.common.lenient import record, whole, words
from adapters.common.transfers import body_bytes, chunks_of
from adapters.telegram.errors import FILE_UNAVAILABLE, Refused
from adapters.telegram.inbound import local_files
from adapters.telegram.transport import Transport
from adapters.telegram.wire import Call
from bridge.model.adapter import FileStream
from bridge.model.errors import Rejected, RetryLater

if TYPE_CHECKING:
    from adapters.telegram.config import TelegramOptions


class Downloads:
    """One account's way to the files of its chats."""

    def __init__(self, transport: Transport, options: TelegramOptions) -> None:
        self._transport = transport
        self._options = options

    @asynccontextmanager
    async def open_file(self, file_id: str) -> AsyncIterator[FileStream]:
        """Download a file by its id. Raises Rejected for one that will never come, RetryLater otherwise; `chunks` raises RetryLater
        when the body ends early."""
        path, size = await self._locate(file_id)
        if self._options.local_server:
            token, root = self._options.token.get_secret_value(), self._options.files_root
            yield FileStream(chunks=local_files.read(path, token=token, files_root=root, size_bytes=size), size_bytes=size)
            return
        async with self._transport.get_file(relative_path(path)) as response:
            expected = body_bytes(response, None) if size is None else size
            yield FileStream(chunks=chunks_of(response, expected), size_bytes=expected)

    async def _locate(self, file_id: str) -> tuple[str, int | None]:
        """Where the server has the file, and its size in bytes."""
        try:
            file = record(await self._transport.call(Call("GetFile", {"file_id": file_id})))
        except Refused as refusal:
            if refusal.says(FILE_UNAVAILABLE):
                raise RetryLater(refusal.reason) from None
            raise
        path, size = words(file.get("file_path")), whole(file.get("file_size"))
        if not path:
            raise RetryLater("Telegram has no path for the file yet")
        return path, size


def relative_path(path: str) -> str:
    """A file's path below the server's address for files, made fit for a URL. Raises Rejected for one that leads elsewhere."""
    if path.startswith("/"):
        raise Rejected("the Bot API server names a path on its own disk: it runs with --local, which local_server: true tells us")
    leads_elsewhere = "\\" in path or ":" in path.split("/")[0] or {".", "..", ""} & set(path.split("/"))
    if leads_elsewhere or not path.isprintable():
        raise Rejected("the Bot API server's path for the file is none")
    return quote(path)
