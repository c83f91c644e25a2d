"""The CDN: attachments behind signed, expiring addresses, and avatars.

Source: Discord API reference, "Signed Attachment CDN URLs" (`ex` and `is` are hexadecimal Unix times, `hm` an HMAC).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from adapters.common.emulation.bodies import Body
from adapters.common.emulation.pictures import square
from adapters.discord.emulator.files import FileStore
from adapters.discord.emulator.records import StoredAttachment
from adapters.discord.emulator.wire import AttachmentUrls

LIFETIME_S = 86_400


class Cdn(AttachmentUrls):
    def __init__(self, files: FileStore, base_url: Callable[[], str]) -> None:
        self._files = files
        self._base_url = base_url
        self._secret = secrets.token_bytes(32)
        self.lifetime_s = LIFETIME_S
        self.stickers: dict[str, tuple[bytes, str]] = {}
        """Content and type of stickers by file name; all others are some picture."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/attachments/{channel}/{attachment}/{filename}", self.attachment),
            web.get("/avatars/{user}/{name}", self.avatar),
            web.get("/embed/avatars/{name}", self.avatar),
            web.get("/emojis/{name}", self.emoji),
            web.get("/stickers/{name}", self.sticker),
        ]

    def sign(self, channel_id: int, attachment: StoredAttachment) -> str:
        path = f"/attachments/{channel_id}/{attachment.id}/{quote(attachment.filename)}"
        now = int(time.time())
        expires, issued = f"{now + self.lifetime_s:x}", f"{now:x}"
        return f"{self._base_url()}{path}?ex={expires}&is={issued}&hm={self._mac(str(attachment.id), expires, issued)}&"

    def _mac(self, attachment_id: str, expires: str, issued: str) -> str:
        return hmac.new(self._secret, f"{attachment_id}{expires}{issued}".encode(), hashlib.sha256).hexdigest()

    async def attachment(self, request: web.Request) -> web.StreamResponse:
        attachment_id = request.match_info["attachment"]
        expires, issued = request.query.get("ex", ""), request.query.get("is", "")
        is_signed = hmac.compare_digest(self._mac(attachment_id, expires, issued), request.query.get("hm", ""))
        stored = self._files.get(int(attachment_id)) if attachment_id.isdecimal() else None
        if not is_signed or stored is None or int(expires, 16) < time.time():
            return web.Response(status=404, text="This content is no longer available.")
        return Body.of_file(stored.content, stored.path)

    async def sticker(self, request: web.Request) -> web.StreamResponse:
        content, mime = self.stickers.get(request.match_info["name"], (square(request.path), "image/png"))
        return web.Response(body=content, content_type=mime)

    async def avatar(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=square(request.path), content_type="image/png")

    async def emoji(self, request: web.Request) -> web.StreamResponse:
        """The reference knows sizes that are powers of two, from 16 to 4096 ("Image Formatting")."""
        if request.query.get("size", "16") not in {str(2**power) for power in range(4, 13)}:
            return web.Response(status=400)
        return web.Response(body=square(request.path), content_type="image/png")
