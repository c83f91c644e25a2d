"""Refusals and failures as the server answers them: `{"error": {"code", "message"}}`. Raised by what carries out a call."""

from __future__ import annotations

from aiohttp import web

from adapters.common.emulation.contract import Fault, FaultKind

PROXY_413 = """<html>
<head><title>413 Request Entity Too Large</title></head>
<body>
<center><h1>413 Request Entity Too Large</h1></center>
<hr><center>nginx</center>
</body>
</html>
"""
"""The page of a proxy before the server."""


class Refused(Exception):
    """Answered with this HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message

    def response(self, headers: dict[str, str] | None = None) -> web.Response:
        body = {"error": {"code": self.code, "message": self.message}}
        return web.json_response(body, status=self.status, headers=headers)


class RefusedByProxy(Refused):
    """The server never saw the call."""

    def response(self, headers: dict[str, str] | None = None) -> web.Response:
        return web.Response(status=self.status, text=self.message, content_type="text/html", headers=headers)


def fault_answer(fault: Fault) -> web.Response:
    """The response that a fault puts in place of the real one."""
    match fault.kind:
        case FaultKind.RATE_LIMIT:
            wait = {} if fault.retry_after_s is None else {"Retry-After": f"{fault.retry_after_s:g}"}
            return Refused(429, "rate_limited", "too many requests").response(wait)
        case FaultKind.UNAUTHORIZED:
            return Refused(401, "unauthorized", "unknown API key").response()
        case _:
            return Refused(fault.status, "internal_error", "something went wrong").response()
