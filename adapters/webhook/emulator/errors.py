"""The error answers of a receiver. Their form is nobody's standard: a status, and a line for people."""

from __future__ import annotations

from aiohttp import web

from adapters.common.emulation.contract import Fault, FaultKind


class Refused(Exception):
    """A request that the receiver does not take."""

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
