"""Files received on Discord: signed addresses expire, so a fresh one is asked for when the file is fetched. Called by `adapter`.

Source: API reference, "Signed Attachment CDN URLs": an expired address answers 404; the message shows a fresh one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from adapters.discord import wire
from adapters.discord.errors import Refused
from adapters.discord.lenient import mapping, objects, web_address
from adapters.discord.transport import Gone, Route, Transport
from adapters.discord.urls import CDN_URL, MEDIA_URL
from bridge.model.adapter import FileStream
from bridge.model.errors import ChatDown, Rejected, RetryLater
from bridge.model.events import Attachment

MAX_DEPTH = 20


class Downloads:
    def __init__(self, transport: Transport, cdn_url: str) -> None:
        self._transport = transport
        self._cdn_url = cdn_url

    @asynccontextmanager
    async def open(self, attachment: Attachment) -> AsyncIterator[FileStream]:
        """Raises Rejected when the file is gone for good, RetryLater when it cannot be fetched now."""
        url = await self._address(attachment.file_id)
        try:
            async with self._transport.download(url, attachment.size_bytes, sent_as=attachment) as stream:
                yield stream
        except Gone:
            raise Rejected("the file is no longer on Discord") from None

    async def _address(self, file_id: str) -> str:
        kind, _, rest = file_id.partition("/")
        if kind == "emoji":
            return f"{self._cdn_url}/emojis/{rest}?size=128"
        if kind == "sticker":
            is_gif = rest.endswith(".gif") and self._cdn_url == CDN_URL
            return f"{MEDIA_URL if is_gif else self._cdn_url}/stickers/{rest}"
        try:
            channel_id, message_id, attachment_id = file_id.split("/")
        except ValueError:
            raise Rejected("not a file of Discord") from None
        path = f"/channels/{channel_id}/messages"
        try:
            message: wire.Message = await self._transport.call(Route("GET", f"{path}/{message_id}", f"{path}/"))
        except Refused as refused:
            if isinstance(refused.error, ChatDown):
                raise Rejected(refused.error.reason) from None
            raise refused.error from None
        url = _attachment_url(message, attachment_id)
        if url is None:
            raise Rejected("the file was removed from its message")
        if not web_address(url):
            raise RetryLater("Discord told no usable address for the file")
        return url if self._cdn_url == CDN_URL else self._transport.at_home(url, self._cdn_url)


def _attachment_url(message: wire.Message, attachment_id: str) -> str | None:
    """Among the message's own attachments and those of a forwarded message in it; else what an embed or a component shows of it."""
    snapshots = [mapping(s.get("message")) for s in objects(message.get("message_snapshots"))]
    for holder in (message, *snapshots):
        for attachment in objects(holder.get("attachments")):
            if str(attachment.get("id")) == attachment_id:
                return str(attachment.get("url") or "")
    shown = [part for holder in (message, *snapshots) for part in (holder.get("embeds"), holder.get("components"))]
    return next((url for url in _addresses(shown) if attachment_id in urlsplit(url).path.split("/")[:-1]), None)


def _addresses(value: object, depth: int = 0) -> Iterator[str]:
    """All addresses in a part of a message; `url` before the resized `proxy_url`."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        if address := web_address(value.get("url")):
            yield address
        for inner in value.values():
            yield from _addresses(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _addresses(inner, depth + 1)
