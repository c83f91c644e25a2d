"""Protects a web server on loopback from pages of other sites in the user's browser.

Any page in a browser can send requests to 127.0.0.1, and a hostile name server can point any name there. So the Host header must
name loopback (DNS rebinding), the Origin must be this very server, and every request that changes something must carry a header of
our own, which a browser sends to another origin only after a preflight (cross-site request forgery). Used by the control API and
the sandbox page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

OWN_HEADER = "X-Messenger-Bridge"
"""Every request that is not GET or HEAD carries it, with any value."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_READS = frozenset({"GET", "HEAD"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refusal(request: web.BaseRequest) -> str:
    """Why this request must not be answered, or an empty string."""
    host = request.headers.get("Host", "")
    if _hostname(host) not in _LOOPBACK:
        return f"Host {host[:100]!r} is not loopback"
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != f"{request.scheme}://{host}".lower():
        return f"Origin {origin[:100]!r} is another site"
    # Browsers send this header even where they send no Origin. Following a link to us is harmless: our pages are never framed.
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and request.headers.get("Sec-Fetch-Mode") != "navigate":
        return "the request comes from another site"
    if request.method not in _READS and OWN_HEADER not in request.headers:
        return f"the header {OWN_HEADER} is missing"
    return ""


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers 403 with the reason to everything that `refusal` names."""
    if reason := refusal(request):
        return web.json_response({"error": reason}, status=403)
    return await handler(request)


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
