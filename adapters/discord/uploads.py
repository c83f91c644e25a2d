"""Uploads: a multipart form streamed from disk, watched so that a stall ends it and a torn upload is recognised.

Called by `transport` only. Source: API reference, "Uploading Files" (`payload_json` and `files[n]`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import msgspec

from adapters.common.transfers import Progress, WatchedFile, open_watched
from bridge.model.adapter import OutboundFile

_MIME = re.compile(r"[A-Za-z0-9!#$&^_.+\-]{1,100}/[A-Za-z0-9!#$&^_.+\-]{1,100}")


def _content_type(mime: str) -> str:
    """The sender's own claim, where it is one: it becomes a header."""
    return mime if _MIME.fullmatch(mime) else "application/octet-stream"


class Upload:
    """One request's files, and how far they got."""

    def __init__(self, payload: Mapping[str, Any], files: Sequence[OutboundFile]) -> None:
        self.progress = Progress()
        self._payload = payload
        self._files = files
        self._handles: list[WatchedFile] = []

    async def form(self) -> aiohttp.FormData:
        """Opens the files. Raises FileHarmed."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("payload_json", msgspec.json.encode(self._payload).decode(), content_type="application/json")
        for number, file in enumerate(self._files):
            handle = await asyncio.to_thread(open_watched, file, self.progress)
            self._handles.append(handle)
            name = file.name.replace('"', "_").replace("\r", "_").replace("\n", "_")
            form.add_field(f"files[{number}]", handle, filename=name, content_type=_content_type(file.mime))
        return form

    def close(self) -> None:
        for handle in self._handles:
            handle.close()
