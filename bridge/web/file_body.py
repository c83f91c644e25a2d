"""Sends a file on disk as the body of a response: the requested range, the file name, and checked pieces. Called by `media`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from bridge.files.spool import Spooled
from bridge.model.checksums import BLOCK_BYTES, is_block
from bridge.model.errors import FileHarmed

if TYPE_CHECKING:
    from aiohttp import web

_STALLED_S = 30.0
"""How long the other side may take for one block: some 9 kB a second are enough."""
_RANGE = re.compile(r"bytes=[ \t]*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})[ \t]*")
_ATTR_CHARS = "!#$&+-.^_`|~"
"""RFC 8187, 3.2.1: what stands unquoted in an extended value, beside letters and digits."""


class Span(NamedTuple):
    """Bytes from `start` up to, and without, `end`."""

    start: int
    end: int


def span_of(headers: Mapping[str, str], size_bytes: int, etag: str) -> Span | None:
    """The part of the file that a request asks for; None: there is no such part (416). Several ranges, other units and invalid
    ranges are answered with the whole file, as RFC 9110 allows (14.2), and so is a part of an older file (`If-Range`)."""
    whole = Span(0, size_bytes)
    asked = headers.get("Range")
    if asked is None or headers.get("If-Range", etag) != etag:
        return whole
    found = _RANGE.fullmatch(asked)
    if found is None or not (found["first"] or found["last"]):
        return whole
    if not found["first"]:
        length = int(found["last"])
        return Span(max(0, size_bytes - length), size_bytes) if length and size_bytes else None
    first = int(found["first"])
    last = int(found["last"]) if found["last"] else size_bytes - 1
    if last < first and found["last"]:
        return whole
    return Span(first, min(last + 1, size_bytes)) if first < size_bytes else None


def disposition(name: str) -> str:
    """`Content-Disposition` of a download (RFC 6266): the name in plain letters, and as it is. `name` is safe already."""
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in name)
    value = f'attachment; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"


async def send_span(answer: web.StreamResponse, spooled: Spooled, span: Span) -> None:
    """Raises FileHarmed when the disk has other bytes than were fetched (the response then breaks off), ConnectionError when
    the client closes the connection or reads too slowly."""
    for index in range(span.start // BLOCK_BYTES, -(-span.end // BLOCK_BYTES)):
        try:
            block = await asyncio.to_thread(_block, spooled.path, index)
        except OSError as error:
            raise FileHarmed(f"cannot be read: {error.strerror or type(error).__name__}", path=spooled.path) from None
        if not is_block(spooled.block_sums, index, block):
            raise FileHarmed("is not what was fetched", path=spooled.path)
        at = index * BLOCK_BYTES
        piece = block[max(0, span.start - at) : span.end - at]
        try:
            async with asyncio.timeout(_STALLED_S):
                await answer.write(piece)
        except TimeoutError:
            raise ConnectionResetError("the other side takes next to nothing") from None


def _block(path: Path, index: int) -> bytes:
    with path.open("rb") as file:
        file.seek(index * BLOCK_BYTES)
        return file.read(BLOCK_BYTES)
