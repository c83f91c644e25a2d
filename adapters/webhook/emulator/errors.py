"""The error responses of a receiver. No standard gives their form: a status, and a line of text."""

from __future__ import annotations

from aiohttp import web

from adapters.common.emulation.contract import Fault, FaultKind


class Refused(Exception):
    """The receiver refuses the request."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def error(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


def of_fault(fault: Fault) -> web.Response:
    status = {FaultKind.RATE_LIMIT: 429, FaultKind.UNAUTHORIZED: 401}.get(fault.kind, fault.status)
    answer = error(status, fault.kind.value)
    if fault.kind is FaultKind.RATE_LIMIT and fault.retry_after_s is not None:
        answer.headers["Retry-After"] = f"{fault.retry_after_s:g}"
    return answer
