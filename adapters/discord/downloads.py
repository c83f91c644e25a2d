"""Files received on Discord: signed addresses expire, so a fresh one is asked for when the file is fetched. Called by `adapter`.

Source: API reference, "Signed Attachment CDN URLs": an expired address answers 404; the message shows a fresh one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.discord.errors import Refused
from adapters.discord.transport import Gone, Route, Transport
from adapters.discord.urls import CDN_URL
from bridge.contract import FileStream
from bridge.errors import ChatDown, Rejected, RetryLater
from bridge.events import Attachment

MEDIA_URL = "https://media.discordapp.net"
"""GIF stickers are served here only. Source: API reference, "CDN Endpoints"."""


class Downloads:
    def __init__(self, transport: Transport, cdn_url: str) -> None:
        self._transport = transport
        self._cdn_url = cdn_url

    @asynccontextmanager
    async def open(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        """Raises Rejected when the file is gone for good, RetryLater when it cannot be had now."""
        url = await self._address(attachment.file_id)
        try:
            async with self._transport.download(url, attachment.size_bytes) as stream:
                yield stream
        except Gone:
            raise Rejected("the file is no longer on Discord") from None

    async def _address(self, file_id: str) -> str:
        kind, _, rest = file_id.partition("/")
        if kind == "sticker":
            is_gif = rest.endswith(".gif") and self._cdn_url == CDN_URL
            return f"{MEDIA_URL if is_gif else self._cdn_url}/stickers/{rest}"
        try:
            channel_id, message_id, attachment_id = file_id.split("/")
        except ValueError:
            raise Rejected("not a file of Discord") from None
        path = f"/channels/{channel_id}/messages"
        try:
            message = await self._transport.call(Route("GET", f"{path}/{message_id}", f"{path}/"))
        except Refused as refused:
            if isinstance(refused.error, ChatDown):
                raise Rejected(refused.error.reason) from None
            raise refused.error from None
        url = _attachment_url(message, attachment_id)
        if url is None:
            raise Rejected("the file was removed from its message")
        if not url.startswith(("https://", "http://")):
            raise RetryLater("Discord told no usable address for the file")
        return url


def _attachment_url(message: dict[str, Any], attachment_id: str) -> str | None:
    """Among the message's own attachments and those of a forwarded message in it."""
    snapshots = (s.get("message") or {} for s in message.get("message_snapshots") or ())
    for holder in (message, *snapshots):
        for attachment in holder.get("attachments") or ():
            if str(attachment.get("id")) == attachment_id:
                return str(attachment.get("url") or "")
    return None
