"""The error answers that the emulated server gives, in the platform's own form."""

from __future__ import annotations

from aiohttp import web


def error(status: int, code: str) -> web.Response:
    """TODO: the platform's form."""
    return web.json_response({"error": code}, status=status)
