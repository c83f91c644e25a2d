"""A Bot API request's parameters, in any of their forms: query string, JSON, urlencoded or multipart form.

Clients differ: aiogram sends forms with nested JSON strings, others send JSON bodies or none at all.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, web

from adapters.telegram.emulator.errors import ApiError, bad_request
from adapters.telegram.emulator.files import FileStore
from adapters.telegram.emulator.records import StoredFile

_CHUNK_BYTES = 256 * 1024
_FIELD_BYTES = 1024**2


class Params:
    """Typed access to one request's parameters; a value of the wrong type is a 400 in Telegram's form."""

    def __init__(self, values: dict[str, Any], files: dict[str, StoredFile]) -> None:
        self._values = values
        self.files = files

    def __contains__(self, name: str) -> bool:
        return name in self._values or name in self.files

    def text(self, name: str) -> str:
        value = self._values.get(name, "")
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        return json.dumps(value) if isinstance(value, (dict, list)) else "" if value is None else str(value)

    def integer(self, name: str, default: int = 0) -> int:
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise bad_request(f"invalid {name} specified") from None

    def number(self, name: str) -> float:
        try:
            return float(self.text(name))
        except ValueError:
            raise bad_request(f"{name} must be a number") from None

    def boolean(self, name: str) -> bool:
        return self.text(name).lower() in ("1", "true", "yes")

    def json(self, name: str) -> Any:
        """A nested value: native in a JSON body, a JSON string in a form. None when absent."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None


async def read_params(request: web.Request, store: FileStore, *, upload_bytes: int) -> Params:
    """Read a request's body. Raises ApiError 413 if a file is larger than the server accepts."""
    values: dict[str, Any] = dict(request.query)
    files: dict[str, StoredFile] = {}
    content_type = request.content_type
    if content_type == "application/json":
        raw = await request.read()
        if raw.strip():
            try:
                body = json.loads(raw)
            except ValueError:
                raise bad_request("can't parse JSON object") from None
            if isinstance(body, dict):
                values |= body
    elif content_type == "multipart/form-data":
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                continue
            name = part.name or ""
            if part.filename is None:
                values[name] = (await part.read()).decode("utf-8", "replace")
            else:
                mime = part.headers.get("Content-Type", "application/octet-stream")
                files[name] = await store.receive(part.filename, mime, _bounded(part, upload_bytes))
    elif content_type == "application/x-www-form-urlencoded":
        # read here: aiohttp ignores the body of a GET, which pyTelegramBotAPI sends
        values |= dict(parse_qsl((await request.read()).decode("utf-8", "replace"), keep_blank_values=True))
    return Params(values, files)


async def _bounded(part: BodyPartReader, limit_bytes: int) -> AsyncIterator[bytes]:
    read_bytes = 0
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        read_bytes += len(chunk)
        if read_bytes <= limit_bytes:
            yield chunk
    if read_bytes > limit_bytes:  # refused only after the whole body is read, so that the client gets the response
        raise ApiError(413, "Request Entity Too Large")
