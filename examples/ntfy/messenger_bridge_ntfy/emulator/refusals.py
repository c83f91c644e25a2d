"""ntfy's errors as it writes them. Source: server/errors.go of binwiederhier/ntfy, read 2026-11-26."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

_DOCS = "https://ntfy.sh/docs/"
_ERRORS: dict[int, tuple[str, str]] = {
    40007: ("invalid priority parameter", "publish/#message-priority"),
    40008: ("invalid since parameter", "subscribe/api/#fetch-cached-messages"),
    40009: ("invalid request: topic invalid", ""),
    40010: ("invalid request: topic name is disallowed", ""),
    40013: ("invalid request: attachment URL is invalid", "publish/#attachments"),
    40014: ("invalid request: attachments not allowed", "config/#attachments"),
    40017: ("invalid request: request body must be message JSON", "publish/#publish-as-json"),
    40021: ("invalid request: icon URL is invalid", "publish/#icons"),
    40101: ("unauthorized", "publish/#authentication"),
    40301: ("forbidden", "publish/#authentication"),
    40401: ("page not found", ""),
    41301: ("attachment too large, or bandwidth limit reached", "publish/#limitations"),
    41303: ("JSON body too large", ""),
    42901: ("limit reached: too many requests", "publish/#limitations"),
    42908: ("limit reached: daily message quota reached", "publish/#limitations"),
    50001: ("internal server error", ""),
}


class Refused(Exception):
    """An error response with this code, whose first three digits are the HTTP status."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def answer(code: int, *, status: int = 0, headers: Mapping[str, str] | None = None) -> web.Response:
    words, page = _ERRORS[code]
    status = status or code // 100
    body = {"code": code, "http": status, "error": words, **({"link": _DOCS + page} if page else {})}
    return web.json_response(body, status=status, headers=headers)
