"""Files from Slack: streamed, and never a login page or half a file instead of the whole. Called by `adapter.open_file`.

Without the right scope, or before a file is ready, Slack answers 200 with an HTML page [source: mautrix-slack]. A file that can
never be fetched is reported at once; one that Slack is still processing is waited for, but not for ever."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from adapters.common.transfers import chunks_of
from adapters.slack.errors import classify_bytes
from adapters.slack.inbound.decode_files import EMOJI, GONE, page_kind, unpack_file_id
from adapters.slack.lenient import convert
from adapters.slack.transport import Transport
from adapters.slack.wire import File
from bridge.model.adapter import FileStream
from bridge.model.errors import AccountDown, Rejected, RetryLater
from bridge.model.events import Attachment

_PATIENCE_S = 120.0
"""How long a file may be unready after it was first asked for: a large video takes Slack a minute."""
_AGAIN_S = 2.0
_WAITED_FOR = 500
_PASSING = (401, 407, 408, 425, 429)
"""What may be otherwise a moment later, or is about us (our token, a proxy); any other 4xx is about the file."""
_SCOPE = "files:read"


class Downloads:
    """One account's downloads. Remembers since when files have been unready."""

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._clock = clock
        self._asked_at_s: OrderedDict[str, float] = OrderedDict()

    @asynccontextmanager
    async def open(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        """See `bridge.model.adapter.OpensFiles`."""
        name = attachment.name
        if attachment.file_id.startswith(EMOJI):
            async with self._open_emoji(attachment) as stream:
                yield stream
            return
        if attachment.problem:
            raise Rejected(f"{name}: {attachment.problem}")
        if kind := page_kind(File(mimetype=attachment.mime)):
            raise Rejected(f"{name}: {kind} of Slack, which is no file")
        if self._transport.granted and _SCOPE not in self._transport.granted:
            raise Rejected(f"{name}: the app lacks the scope {_SCOPE}; add it and reinstall the app")
        file_id, url = unpack_file_id(attachment.file_id)
        if not url:
            url = _address(await self._ask(file_id, name))
            if not url:
                self._wait(file_id, f"{name}: Slack does not say where the file is")
        if not self._transport.is_trusted(url):
            raise Rejected(f"{name}: its address is not one of Slack's, so our token does not go there")
        async with self._transport.download(url) as answer:
            await self._check(answer, attachment, file_id)
            expected = answer.content_length if answer.content_length is not None else attachment.size_bytes
            yield FileStream(chunks=chunks_of(answer, expected), size_bytes=expected)
        self._asked_at_s.pop(file_id, None)

    @asynccontextmanager
    async def _open_emoji(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        """Anybody may fetch these: the token stays here."""
        _, url = unpack_file_id(attachment.file_id)
        async with self._transport.open_picture(url) as answer:
            if answer.status in (403, 404, 410):
                raise Rejected(f"{attachment.name}: the emoji is gone")
            if answer.status != 200:
                raise classify_bytes("emoji download", answer.status, answer.headers)
            yield FileStream(chunks=chunks_of(answer, answer.content_length), size_bytes=answer.content_length)

    async def _check(self, answer: aiohttp.ClientResponse, attachment: Attachment, file_id: str) -> None:
        """Whether what comes is the file. Raises Rejected, RetryLater."""
        name, status = attachment.name, answer.status
        if status in (404, 410):
            raise Rejected(f"{name}: the file is gone")
        if 400 <= status < 500 and status not in _PASSING:
            raise Rejected(f"{name}: Slack does not hand it out (HTTP {status})")
        if status != 200:
            raise classify_bytes("file download", status, answer.headers)
        if _is_page(answer, attachment):
            file = await self._ask(file_id, name)  # which says what is wrong, if anything is for good
            if kind := page_kind(file):
                raise Rejected(f"{name}: {kind} of Slack, which is no file")
            self._wait(file_id, f"{name}: Slack gives a page instead of the file, which may not be ready yet")
        stated = attachment.size_bytes
        if stated and attachment.mime and answer.content_length not in (None, stated) and self._has_patience(file_id):
            raise RetryLater(f"{name}: {answer.content_length} bytes would come, {stated} were announced", after_s=_AGAIN_S)

    async def _ask(self, file_id: str, name: str) -> File:
        """What Slack says of a file now. Raises Rejected if it is gone, or not for us."""
        try:
            answer = await self._transport.call("files.info", {"file": file_id})
        except Rejected as error:  # people read the reason: without the name of the method
            raise Rejected(error.reason.removeprefix("files.info: ")) from error
        except AccountDown as error:
            raise RetryLater(error.reason) from error  # of the account that the file comes from, which hears of it by itself
        try:
            file = convert(answer.get("file"), File)
        except msgspec.ValidationError:
            raise RetryLater("files.info: the answer was not understood") from None
        if file.mode in GONE:
            raise Rejected(f"{name}: {GONE[file.mode]}")
        return file

    def _wait(self, file_id: str, reason: str) -> None:
        """Raises RetryLater while there is hope, Rejected after that."""
        if self._has_patience(file_id):
            raise RetryLater(reason, after_s=_AGAIN_S)
        raise Rejected(reason)

    def _has_patience(self, file_id: str) -> bool:
        since_s = self._asked_at_s.setdefault(file_id, self._clock())
        while len(self._asked_at_s) > _WAITED_FOR:
            self._asked_at_s.popitem(last=False)
        return self._clock() - since_s < _PATIENCE_S


def _is_page(answer: aiohttp.ClientResponse, attachment: Attachment) -> bool:
    """An HTML page where none belongs; where one does, one of another length."""
    if answer.content_type != "text/html":
        return False
    if not attachment.mime.startswith("text/html"):
        return True
    return bool(attachment.size_bytes) and answer.content_length not in (None, attachment.size_bytes)


def _address(file: File) -> str:
    return file.url_private_download or file.url_private or ""
