"""Uploads that an embed or component shows: their `attachment://` addresses become signed ones, and they leave the list of files.

Source: API reference, "Uploading Files" (using attachments within embeds) and "Unfurled Media Item".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.discord.emulator.records import StoredAttachment

SCHEME = "attachment://"


def unfurl(value: Any, files: dict[str, StoredAttachment], sign: Callable[[StoredAttachment], str], used: set[int]) -> Any:
    """The same part of a message with the addresses that a reader gets; adds to `used` which files it shows."""
    if isinstance(value, list | tuple):
        return [unfurl(inner, files, sign, used) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {key: unfurl(inner, files, sign, used) for key, inner in value.items()}
    url = value.get("url")
    file = files.get(url.removeprefix(SCHEME)) if isinstance(url, str) and url.startswith(SCHEME) else None
    if file is not None:
        used.add(file.id)
        made |= {"url": sign(file), "proxy_url": sign(file), "content_type": file.mime}
        made |= {"width": file.width, "height": file.height} if file.width else {}
    return made
