"""Files of messages in matterbridge's form: what is kept of one beside its bytes, and what readers get of it. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.webhook.outbound.encode_data import cut
from bridge.model.adapter import OutboundFile

_NAME_BYTES, _URL_CHARS = 600, 2000


def file_entry(kept_as: str, file: OutboundFile, *, is_line: bool) -> dict[str, Any]:
    """What is kept of a file beside its bytes. `is_line`: the text names it even while its bytes are there."""
    url = file.url if len(file.url) <= _URL_CHARS else ""
    return {"id": kept_as, "name": cut(file.name, _NAME_BYTES), "size": file.size_bytes, "url": url, "line": is_line}


def file_lines(entries: Iterable[Mapping[str, Any]]) -> str:
    """A line for each file, as those of files that are not sent."""
    return "\n".join(
        " ".join(part for part in (f"📎 {one['name']}", f"({_size(one['size'])})", one["url"]) if part) for one in entries
    )


def file_info(entry: Mapping[str, Any], data: bytes) -> dict[str, Any]:
    """Source: 42wim/matterbridge, bridge/config/config.go (`FileInfo`), gateway/handlers.go (`handleFiles`: with a `URL` a
    `SHA`)."""
    url = entry["url"]
    return {
        "Name": entry["name"],
        "Data": base64.b64encode(data).decode(),
        "Comment": "",
        "URL": url,
        "Size": len(data),
        "Avatar": False,
        "SHA": hashlib.sha1(data, usedforsecurity=False).hexdigest()[:8] if url else "",
        "NativeID": "",
    }


def _size(size_bytes: int) -> str:
    for unit, power in (("B", 1), ("kB", 1000)):
        if size_bytes < 1000 * power:
            return f"{size_bytes / power:.0f} {unit}"
    return f"{size_bytes / 1_000_000:.1f} MB"
