"""Refusals and failures in the form in which Slack's servers answer them. Called by the server, `webapi` and the methods."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web

from adapters.common.emulation.contract import Fault, FaultKind
from adapters.slack.emulator.wire import json_response


class ApiError(Exception):
    """The Web API refuses a call: `{"ok": false, "error": code, **extra}` with HTTP 200."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


def rate_limited(wait_s: float | None) -> web.Response:
    """A 429. Slack's waits are whole seconds; a shorter one, for fast tests, is sent unrounded."""
    headers = {} if wait_s is None else {"Retry-After": f"{wait_s:g}"}
    return json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


def fault_answer(fault: Fault, operation: str) -> web.Response:
    """The response that a fault puts in place of the real one."""
    if fault.kind is FaultKind.RATE_LIMIT:
        return rate_limited(fault.retry_after_s)
    if fault.status == HTTPStatus.BAD_REQUEST and "." in operation and not operation.startswith("files."):
        # what a method refuses for good is told by its code, with HTTP 200 [docs.slack.dev, Web API basics]
        return json_response({"ok": False, "error": "too_many_attachments"})
    if fault.kind is not FaultKind.UNAUTHORIZED:
        return web.Response(status=fault.status, text="<html><body>Server Error</body></html>", content_type="text/html")
    if operation == "files.download":
        return web.Response(text="<!DOCTYPE html><html><body>Sign in</body></html>", content_type="text/html")
    if operation in ("socket", "files.upload"):
        return web.Response(status=401, text="unauthorized")
    return json_response({"ok": False, "error": "invalid_auth"})
