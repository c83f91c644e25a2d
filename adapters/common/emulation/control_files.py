"""Serves a file of a chat safely: anyone may have sent it, and it has the same origin as the page."""

from __future__ import annotations

from aiohttp import web
from aiohttp.helpers import content_disposition_header

_SHOWN_IN_PLACE = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/avif",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "audio/wav",
        "audio/x-wav",
        "audio/webm",
        "video/mp4",
        "video/webm",
        "video/ogg",
    }
)
"""Types that a browser may show inside the page. No SVG, HTML or PDF: those can contain scripts."""


def file_response(request: web.Request, content: bytes) -> web.Response:
    """The file, or the part of it that a media player requests (`Range`).

    `?mime=` is its type, `?name=` the name to save it under. A type that is not known to be harmless is offered as a download only.
    """
    mime = request.query.get("mime", "").partition(";")[0].strip().lower()
    in_place = mime in _SHOWN_IN_PLACE
    headers = {
        "Content-Disposition": content_disposition_header(
            "inline" if in_place else "attachment", filename=_file_name(request.query.get("name", ""))
        ),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
    }
    content_type = mime if in_place else "application/octet-stream"
    if "Range" not in request.headers:
        return web.Response(body=content, content_type=content_type, headers=headers)
    try:
        start, stop, _ = request.http_range.indices(len(content))
    except ValueError:
        start = stop = len(content)
    if start >= stop:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return web.Response(status=206, body=content[start:stop], content_type=content_type, headers=headers)


def _file_name(name: str) -> str:
    return "".join(" " if ord(character) < 32 or character in '/\\"' else character for character in name).strip()[:200] or "file"
