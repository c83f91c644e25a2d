"""Reads the body of a request from the network: small parts into memory, files block by block to disk."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec.structs import replace

from adapters.webhook.inbound.body import MOST_FIELDS, Body, Kind, of_fields, parse, type_of
from adapters.webhook.inbound.charset import words_of
from adapters.webhook.inbound.downloads import Downloads, check_size
from adapters.webhook.inbound.ntfy import word
from adapters.webhook.inbound.refusal import COMPRESSED, TOO_LARGE, Refusal
from bridge.model.events import Attachment, AttachmentKind
from bridge.model.web_mount import HoldsBytes

if TYPE_CHECKING:
    from aiohttp import BodyPartReader, web

MOST_WORDS_BYTES = 1024**2
"""Limit of a request without its files."""
MOST_FILES = 20
MOST_PARTS = MOST_FIELDS + 2 * MOST_FILES
"""Includes the empty parts of file fields in which no file was chosen."""
_MOST_LINES = 20 * MOST_PARTS
"""Limit of a form without the contents of its parts: boundaries, headers and preamble."""
_NOT_WELL_FORMED = "the multipart body is not well formed: is its boundary the one in Content-Type?"
_PIECE_S = 30.0
"""Longest wait between two pieces of a body."""
_ENCODED_NAME = re.compile(r"(?:[\w.~-]|%[0-9A-Fa-f]{2})+", re.ASCII)
_KINDS = {"image": AttachmentKind.PHOTO, "video": AttachmentKind.VIDEO, "audio": AttachmentKind.AUDIO}
_FILE_HEADERS = ("x-filename", "filename", "file", "f")
_PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""Types that every messenger shows as a picture; other images are sent as files."""


class Reader:
    """Reads the request bodies of one account."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads

    async def read(self, request: web.Request, most_bytes: int, *, by_query: bool = False) -> Body:
        """The parsed body. `by_query`: the query may name a file too. Raises Refusal; files of a refused body are removed."""
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise Refusal(415, COMPRESSED)
        check_size(request.content_length or 0, most_bytes)
        kind, _ = type_of(request.headers.get("Content-Type", ""))
        if kind.startswith("multipart/"):
            return await self._multipart(request, request.content, most_bytes)
        name = _file_name(request.headers) or (_file_name(request.query) if by_query else "")
        if name or _is_file(kind):
            return await self._file(request, name, kind, most_bytes)
        return parse(await request.read(), request.headers.get("Content-Type", ""))

    async def read_known(self, request: web.Request, raw: bytes) -> Body:
        """The same for a body that is in memory already, since its signature was verified."""
        kind, _ = type_of(request.headers.get("Content-Type", ""))
        if kind.startswith("multipart/"):
            return await self._multipart(request, _stream_of(raw), len(raw))
        return parse(raw, request.headers.get("Content-Type", ""))

    async def _file(self, request: web.Request, name: str, kind: str, most_bytes: int) -> Body:
        """Read a body that is a file (`curl -T`)."""
        async with self._downloads.receiving() as incoming:
            while block := await piece_of(request.content.readany()):
                check_size(incoming.size_bytes + len(block), most_bytes)
                await incoming.write(block)
            if not incoming.size_bytes:
                raise Refusal(400, "the file is empty")
            await incoming.done()
            return Body(kind=Kind.NOTHING, files=(attachment_of(incoming.file_id, name, kind, incoming.size_bytes),))

    async def _multipart(self, request: web.Request, content: Any, most_bytes: int) -> Body:
        parts = _Parts(self._downloads, most_bytes, request.hold if isinstance(request, HoldsBytes) else lambda _: None)
        try:
            reader = _reader_class()(request.headers, _FewLines(content, parts.keep))
            while (part := await piece_of(reader.next())) is not None:
                await parts.take(part)
        except (ValueError, AssertionError, RuntimeError, LookupError):
            await self._downloads.forget(tuple(parts.files))
            raise Refusal(400, _NOT_WELL_FORMED) from None
        except BaseException:
            await asyncio.shield(self._downloads.forget(tuple(parts.files)))
            raise
        try:
            return parts.body()
        except Refusal:
            await self._downloads.forget(tuple(parts.files))
            raise


class _Parts:
    """Reads the parts of one form. `hold` counts the bytes kept in memory."""

    def __init__(self, downloads: Downloads, most_bytes: int, hold: Callable[[int], None]) -> None:
        self._downloads = downloads
        self._left_bytes = most_bytes
        self._hold = hold
        self._words_bytes = 0
        self._count = 0
        self._raw: list[tuple[str, bytes, str]] = []
        self.files: list[Attachment] = []

    async def take(self, part: Any) -> None:
        """Raises Refusal."""
        self._count += 1
        if self._count > MOST_PARTS:
            raise Refusal(400, f"the form has more than {MOST_FIELDS} fields")
        if not hasattr(part, "read_chunk"):
            raise Refusal(400, "a part of the form is a form itself: send its fields directly")
        if part.headers.get("Content-Transfer-Encoding", "binary").lower() not in ("binary", "8bit", "7bit"):
            raise Refusal(415, "a part of the form has a Content-Transfer-Encoding: send it unencoded")
        if part.filename is not None:
            await self._file(part)
        elif len(self._raw) >= MOST_FIELDS:
            raise Refusal(400, f"the form has more than {MOST_FIELDS} fields")
        else:
            _, charset = type_of(part.headers.get("Content-Type", "text/plain"))
            self._raw.append((self._in_header(part.name), await self._words(part), charset))

    def keep(self, size_bytes: int) -> None:
        """Count bytes kept in memory. Raises Refusal, and HTTPServiceUnavailable when other requests hold too much."""
        self._words_bytes += size_bytes
        if self._words_bytes > MOST_WORDS_BYTES:
            raise Refusal(413, TOO_LARGE)
        self._hold(size_bytes)

    async def _words(self, part: BodyPartReader) -> bytes:
        pieces = []
        while block := await piece_of(part.read_chunk()):
            self.keep(len(block))
            self._spend(len(block))
            pieces.append(block)
        return b"".join(pieces)

    async def _file(self, part: BodyPartReader) -> None:
        if len(self.files) >= MOST_FILES:
            raise Refusal(413, f"a request has {MOST_FILES} files at most")
        async with self._downloads.receiving() as incoming:
            while block := await piece_of(part.read_chunk()):
                self._spend(len(block))
                await incoming.write(block)
            if not incoming.size_bytes:  # what a browser sends for a field in which no file was chosen
                await incoming.drop()
                return
            await incoming.done()
            kind, _ = type_of(part.headers.get("Content-Type", ""))
            name = self._in_header(part.filename)
            self.files.append(attachment_of(incoming.file_id, name, kind, incoming.size_bytes))

    def _in_header(self, text: str | None) -> str:
        """The name, decoded by the form's charset: aiohttp decodes it as UTF-8."""
        return words_of((text or "").encode("utf-8", "surrogateescape"), self._said())

    def _said(self) -> str:
        """The charset in the field `_charset_`, which browsers fill in."""
        return next((raw.decode("ascii", "ignore") for name, raw, _ in self._raw if name == "_charset_"), "")

    def _spend(self, size_bytes: int) -> None:
        self._left_bytes -= size_bytes
        if self._left_bytes < 0:
            raise Refusal(413, TOO_LARGE)

    def body(self) -> Body:
        """Raises Refusal."""
        said = self._said()
        pairs = [(name, words_of(raw, charset or said)) for name, raw, charset in self._raw if name != "_charset_"]
        body = of_fields(pairs, tuple(self.files))
        return replace(body, kind=Kind.NOTHING) if body.kind is Kind.FORM and not pairs else body


async def piece_of(coming: Any) -> Any:
    """The next piece. Raises Refusal if the sender is too slow, or closes the connection."""
    from aiohttp import ClientPayloadError
    from aiohttp.http_exceptions import HttpProcessingError

    try:
        async with asyncio.timeout(_PIECE_S):
            return await coming
    except TimeoutError:
        raise Refusal(408, "too slow") from None
    except HttpProcessingError:
        raise Refusal(400, _NOT_WELL_FORMED) from None
    except (ClientPayloadError, ConnectionError):
        raise Refusal(400, "the body ends too early") from None


class _FewLines:
    """A body with a limit on the lines read one by one, since each costs as much time as a whole block. `keep` counts their bytes,
    since the header lines of a part stay in memory until the last has arrived."""

    def __init__(self, content: Any, keep: Callable[[int], None]) -> None:
        self._content = content
        self._keep = keep
        self._left = _MOST_LINES

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def readline(self, **bounds: Any) -> bytes:
        """Raises ValueError."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many lines")
        line: bytes = await self._content.readline(**bounds)
        self._keep(len(line))
        return line


class _Part:
    """A part that aiohttp's reader does not treat as its own: it would read the beginning of a part named `_charset_` itself, and
    then lose its place in the body."""

    def __init__(self, part: Any) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


@cache
def _reader_class() -> Any:
    from aiohttp import MultipartReader

    class FormReader(MultipartReader):
        async def fetch_next_part(self) -> Any:
            return _Part(await super().fetch_next_part())

    return FormReader


def _stream_of(raw: bytes) -> Any:
    from aiohttp.base_protocol import BaseProtocol
    from aiohttp.streams import StreamReader

    loop = asyncio.get_running_loop()
    # the whole body is in memory: no flow control is needed
    stream = StreamReader(BaseProtocol(loop), max(len(raw), 2**16), loop=loop)
    stream.feed_data(raw)
    stream.feed_eof()
    return stream


def _file_name(told: Mapping[str, str]) -> str:
    return next((found for name in _FILE_HEADERS if (found := word(told.get(name, "")).strip())), "")


def _is_file(kind: str) -> bool:
    if kind.partition("/")[0] in ("image", "video", "audio", "font"):
        return True
    return kind in ("application/pdf", "application/zip", "application/gzip")


def attachment_of(file_id: str, name: str, kind: str, size_bytes: int) -> Attachment:
    """The attachment. Its name is shown as it is: the core makes it safe."""
    if "%" in name and _ENCODED_NAME.fullmatch(name):  # as Python's aiohttp writes names into forms
        name = unquote(name)
    name = name.replace("\\", "/").rpartition("/")[2][:200]
    mime = kind if kind and kind != "application/octet-stream" else mimetypes.guess_type(name)[0] or kind
    family = mime.partition("/")[0]
    is_picture = family != "image" or mime in _PICTURES
    extension = mimetypes.guess_extension(mime) or ""
    return Attachment(
        kind=_KINDS.get(family, AttachmentKind.DOCUMENT) if is_picture else AttachmentKind.DOCUMENT,
        file_id=file_id,
        name=name or f"file{extension}",
        mime=mime,
        size_bytes=size_bytes,
    )
