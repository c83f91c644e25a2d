"""Reads answers, bounded in bytes (as they are after decompression), in nesting and in number of values.

A client session is made with `response_class=BoundedResponse`; then everything that reads a whole answer is bounded, also what a
client library reads by `read`, `text` or `json`. Files are streamed by `content` and are not affected. Time is bounded by the
session's or request's `ClientTimeout`, which holds until the last byte.

The errors are aiohttp's `ClientPayloadError`: an answer came, and it cannot be used. A transport treats them like any other answer
that was cut off: what may be repeated is tried again, and the outcome of a post is unknown."""

from __future__ import annotations

import re
from itertools import accumulate

import aiohttp

MOST_BYTES = 32 * 1024**2
"""A page of 1000 people or 200 long posts has less than 8 MB."""
MOST_DEPTH = 200
"""The deepest real answers (rich blocks in blocks) nest about 30 levels; Python's own readers end at about 1000."""
MOST_VALUES = 1_000_000
"""Bounds what a small text can become in memory: `[[],[],...]` grows to twenty times its size."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS = bytes(1 if byte in b"[{" else 255 if byte in b"]}" else 0 for byte in range(256))
"""+1 for what opens, -1 for what closes, as signed bytes."""
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


class AnswerRefused(aiohttp.ClientPayloadError):
    """An answer that is too large or too deep to be read or parsed."""


class AnswerTooLarge(AnswerRefused):
    """More bytes or values than any honest answer has."""


class AnswerTooDeep(AnswerRefused):
    """Nested deeper than any honest answer is."""


class RedirectRefused(aiohttp.ClientPayloadError):
    """A server redirected a call."""


def no_redirects() -> aiohttp.TraceConfig:
    """For sessions that carry a token, whoever makes the calls: one that a server redirects ends with RedirectRefused. A request
    for one server must not go to another, and a redirected POST would become a GET. Requests that are made with
    `allow_redirects=False` see the redirect itself."""

    async def refuse(_session: object, _context: object, params: aiohttp.TraceRequestRedirectParams) -> None:
        params.response.close()
        raise RedirectRefused(f"the server answers {params.response.status}, which sends the call to another address")

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(refuse)
    return trace


class BoundedResponse(aiohttp.ClientResponse):
    """aiohttp's response whose whole body is at most `MOST_BYTES`, and safe to parse if it is JSON. Otherwise AnswerRefused."""

    async def read(self) -> bytes:
        if self._body is None:
            try:
                self._body = await _read(self.content, self.content_length)
                check_json(self._body)
            except BaseException:
                self.close()
                raise
        return await super().read()


async def _read(content: aiohttp.StreamReader, stated_bytes: int | None) -> bytes:
    body = bytearray()
    while max(stated_bytes or 0, len(body)) <= MOST_BYTES:
        piece = await content.readany()
        if not piece:
            return bytes(body)
        body += piece
    raise AnswerTooLarge(f"the answer is larger than {MOST_BYTES // 1024**2} MiB")


def check_json(text: bytes | str, *, most_depth: int = MOST_DEPTH, most_values: int = MOST_VALUES) -> None:
    """Raise AnswerTooDeep or AnswerTooLarge for JSON that must not be parsed. Linear; text that is no JSON may pass."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    opening = raw.count(b"[") + raw.count(b"{")
    if opening <= most_depth and raw.count(b",") <= most_values:
        return
    bare = _STRING.sub(b"", raw)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > most_values:
        raise AnswerTooLarge(f"the answer has more than {most_values} values")
    steps = memoryview(bare.translate(_STEPS, _NO_BRACKETS)).cast("b")
    if max(accumulate(steps), default=0) > most_depth:
        raise AnswerTooDeep(f"the answer nests deeper than {most_depth} levels")
