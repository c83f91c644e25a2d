"""The API's own refusals: HTTP status, JSON error code and, for 50035, the tree of faulty fields.

Source: Discord API reference, "Opcodes and Status Codes" and "Error Messages".
"""

from __future__ import annotations

import time

import msgspec
from aiohttp import web

JSON_HEADERS = {"Content-Type": "application/json"}
"""Without a charset parameter, which breaks discord.py and nextcord."""


def json_response(payload: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=msgspec.json.encode(payload), status=status, headers={**JSON_HEADERS, **(headers or {})})


class ApiError(Exception):
    """A request that the platform refuses; `Api` turns it into the JSON response."""

    def __init__(self, status: int, code: int, message: str, errors: dict[str, object] | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def response(self) -> web.Response:
        payload: dict[str, object] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            payload["errors"] = self.errors
        return json_response(payload, self.status)


class RateLimited(Exception):
    """A bucket is empty; has the fields of the 429."""

    def __init__(self, retry_after_s: float, *, scope: str = "user", is_global: bool = False) -> None:
        super().__init__(f"rate limited for {retry_after_s} s")
        self.retry_after_s = retry_after_s
        self.scope = scope
        self.is_global = is_global

    def response(self) -> web.Response:
        return rate_limit_response(self.retry_after_s, scope=self.scope, is_global=self.is_global)


def rate_limit_response(retry_after_s: float | None, *, scope: str = "user", is_global: bool = False) -> web.Response:
    """A 429 of the API itself, or (`retry_after_s` None) one of the proxy in front of it: no JSON, no `Via`, no wait."""
    if retry_after_s is None:
        return web.Response(status=429, text="error code: 1015", content_type="text/plain")
    headers = {
        "Via": "1.1 google",
        "Retry-After": f"{max(1, round(retry_after_s))}",
        "X-RateLimit-Scope": scope,
        "X-RateLimit-Limit": "5",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": f"{time.time() + retry_after_s:.3f}",
        "X-RateLimit-Reset-After": f"{retry_after_s:.3f}",
        "X-RateLimit-Bucket": "0badc0de",
    }
    if is_global:
        headers["X-RateLimit-Global"] = "true"
    payload = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": is_global}
    return json_response(payload, 429, headers)


def invalid_form(path: str, code: str, message: str) -> ApiError:
    """50035 with one faulty field; `path` is dotted (`embeds.0.title`)."""
    tree: dict[str, object] = {"_errors": [{"code": code, "message": message}]}
    for part in reversed(path.split(".")):
        tree = {part: tree}
    return ApiError(400, 50035, "Invalid Form Body", tree)


def too_long(path: str, limit: int) -> ApiError:
    return invalid_form(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


def unauthorized() -> ApiError:
    return ApiError(401, 0, "401: Unauthorized")


def unknown_channel() -> ApiError:
    return ApiError(404, 10003, "Unknown Channel")


def unknown_guild() -> ApiError:
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    return ApiError(404, 10007, "Unknown Member")


def unknown_message() -> ApiError:
    return ApiError(404, 10008, "Unknown Message")


def unknown_user() -> ApiError:
    return ApiError(404, 10013, "Unknown User")


def unknown_emoji() -> ApiError:
    return ApiError(400, 10014, "Unknown Emoji")


def unknown_webhook() -> ApiError:
    return ApiError(404, 10015, "Unknown Webhook")


def missing_access() -> ApiError:
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    return ApiError(403, 50013, "Missing Permissions")


def empty_message() -> ApiError:
    return ApiError(400, 50006, "Cannot send an empty message")


def request_too_large() -> ApiError:
    return ApiError(413, 40005, "Request entity too large")


def wrong_channel_kind() -> ApiError:
    return ApiError(400, 50024, "Cannot execute action on this channel type")


def not_a_text_channel() -> ApiError:
    return ApiError(400, 50008, "Cannot send messages in a non-text channel")
