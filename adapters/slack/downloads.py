"""Files from Slack: streamed, and never a login page or half a file in place of a whole one. Called by `adapter.open_file`.

Without the right scope, or before a file is ready, Slack answers 200 with an HTML page [source: mautrix-slack].
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from adapters.slack.decode_files import unpack_file_id
from adapters.slack.errors import Effect, classify, classify_network
from adapters.slack.transport import Transport
from bridge.contract import FileStream
from bridge.errors import Rejected, RetryLater
from bridge.events import Attachment

_CHUNK_BYTES = 256 * 1024
_GONE = ("tombstone", "hidden_by_limit")


@asynccontextmanager
async def open_file(transport: Transport, attachment: Attachment) -> AsyncIterator[FileStream]:
    """See `bridge.contract.OpensFiles`."""
    if attachment.problem:
        raise Rejected(f"{attachment.name}: {attachment.problem}")
    file_id, url = unpack_file_id(attachment.file_id)
    if not url:
        url = await _address(transport, file_id)
    if not transport.is_trusted(url):
        raise Rejected(f"{attachment.name}: its address is not one of Slack's, so our token does not go there")
    async with transport.download(url) as answer:
        if answer.status in (404, 410):
            raise Rejected(f"{attachment.name}: the file is gone")
        if answer.status != 200:
            raise classify("file download", "", status=answer.status, effect=Effect.REPEATABLE)
        if answer.content_type == "text/html" and not attachment.mime.startswith("text/html"):
            raise RetryLater(f"{attachment.name}: the file is not ready yet, or the app lacks files:read", after_s=2.0)
        expected = answer.content_length if answer.content_length is not None else attachment.size_bytes
        yield FileStream(chunks=_chunks(answer, attachment, expected), size_bytes=expected)


async def _address(transport: Transport, file_id: str) -> str:
    """The private address of a file of which the message told only the id (Slack Connect)."""
    answer = await transport.call("files.info", {"file": file_id}, tolerate=("file_not_found", "file_deleted"))
    file = answer.get("file")
    if not isinstance(file, dict) or file.get("mode") in _GONE:
        raise Rejected("the file is gone")
    return str(file.get("url_private_download") or file.get("url_private") or "")


async def _chunks(answer: aiohttp.ClientResponse, attachment: Attachment, expected: int | None) -> AsyncIterator[bytes]:
    received = 0
    try:
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            received += len(chunk)
            yield chunk
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise classify_network("file download", error, effect=Effect.REPEATABLE) from None
    if expected is not None and received != expected:
        raise RetryLater(f"{attachment.name}: {received} of {expected} bytes came")
    if attachment.size_bytes is not None and attachment.mime and received != attachment.size_bytes:
        raise RetryLater(f"{attachment.name}: {received} bytes came, {attachment.size_bytes} were announced")
