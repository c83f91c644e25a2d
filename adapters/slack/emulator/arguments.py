"""The arguments of one Web API call, from query string, form or JSON, and the token that came with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from adapters.slack.emulator.errors import ApiError


class Arguments:
    """The arguments of one Web API call. Structured values arrive as JSON text in forms and as they are in JSON bodies."""

    def __init__(self, values: dict[str, Any], token: str) -> None:
        self._values = {key: value for key, value in values.items() if value is not None}
        self.token = token

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str, default: str = "") -> str:
        value = self._values.get(key, default)
        return value if isinstance(value, str) else str(value)

    def required(self, key: str) -> str:
        value = self.text(key)
        if not value:
            raise ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {key}"]})
        return value

    def flag(self, key: str) -> bool:
        return self._values.get(key) in (True, 1, "1", "true", "True")

    def number(self, key: str, default: int) -> int:
        try:
            return int(self._values.get(key, default))
        except (TypeError, ValueError):
            raise ApiError("invalid_arguments") from None

    def structure(self, key: str, error: str) -> Any:
        """A list or an object; None if it was not given. `error` is the error code if it is no JSON."""
        value = self._values.get(key)
        if not isinstance(value, str):
            return value
        try:
            return msgspec.json.decode(value) if value else None
        except msgspec.DecodeError:
            raise ApiError(error) from None


async def read_arguments(request: web.Request) -> Arguments:
    values: dict[str, Any] = dict(request.query)
    if request.method == "POST":
        if request.content_type == "application/json":
            body = await request.read()
            try:
                decoded = msgspec.json.decode(body) if body else {}
            except msgspec.DecodeError:
                raise ApiError("invalid_json") from None
            if not isinstance(decoded, dict):
                raise ApiError("json_not_object")
            values |= decoded
        elif request.content_type == "multipart/form-data":
            values |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        else:
            values |= dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = bearer if scheme == "Bearer" else str(values.get("token", ""))
    return Arguments(values, token)
