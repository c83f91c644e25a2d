"""Files of the emulated workspace: uploads in progress, their sharing, and the two routes that carry bytes. The Web API's part is
`methods_files`.

Sharing is asynchronous, as in Slack: `files.completeUploadExternal` answers before the message exists; the message then arrives
as a `file_share` event and in `files.info` (`shares`).
"""

from __future__ import annotations

import asyncio
import mimetypes
import time
from collections.abc import Callable, Coroutine
from typing import Any, Literal

from aiohttp import BodyPartReader, web

from adapters.common.emulation.bodies import Body
from adapters.slack.emulator.blobs import Blob
from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.records import Message, SlackFile
from adapters.slack.emulator.world import Workspace

_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Please sign in to see this file.</body></html>"
_KINDS = {"image": "photo", "video": "video", "audio": "audio"}


def kind_of(mime: str, subtype: str = "") -> str:
    """How Slack's clients show a file of this type."""
    if subtype == "slack_audio":
        return "voice"
    return "animation" if mime == "image/gif" else _KINDS.get(mime.partition("/")[0], "document")


def make_file(workspace: Workspace, name: str, mime: str, content: Blob | None, *, owner: str, size_bytes: int) -> SlackFile:
    file = SlackFile(workspace.new_id("F"), name, size_bytes, mime, owner, int(time.time()), blob=content)
    file.kind = kind_of(mime)
    workspace.files[file.file_id] = file
    if len(workspace.files) > workspace.keep.files_kept:
        oldest = workspace.files.pop(next(iter(workspace.files)))
        if oldest.blob is not None:
            oldest.blob.close()
    return file


class FileService:
    """Uploads in progress and their sharing. `spawn` starts the background work that ends with the server."""

    def __init__(self, workspace: Workspace, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._workspace = workspace
        self._spawn = spawn
        self._uploads: dict[str, SlackFile] = {}
        self.allowed: Literal["all", "images", "none"] = "all"
        """Which files the workspace accepts: an admin may forbid uploads, or allow images only."""
        self.share_delay_s = 0.02
        self.download_not_ready = 0
        """Number of the next downloads that get the HTML page of a file that is not ready yet."""

    def check_allowed(self, name: str) -> None:
        is_image = (mimetypes.guess_type(name)[0] or "").startswith("image/")
        if self.allowed == "none":
            raise ApiError("file_uploads_disabled")
        if self.allowed == "images" and not is_image:
            raise ApiError("file_uploads_except_images_disabled")

    def expect(self, file: SlackFile) -> str:
        """The path on this server to send the file's bytes to."""
        ticket = f"{file.file_id}-{self._workspace.new_id('X')}"
        self._uploads[ticket] = file
        return f"/upload/v1/{ticket}"

    def share_soon(self, message: Message) -> None:
        """Post the message after `share_delay_s`."""
        self._spawn(self._share_later(message))

    async def _share_later(self, message: Message) -> None:
        await asyncio.sleep(self.share_delay_s)
        message.ts = self._workspace.clock.next()
        self._workspace.post(message)

    # -- the two routes that carry bytes ------------------------------------------------------------------------------------

    async def receive(self, request: web.Request) -> web.Response:
        """The upload URL: raw bytes or multipart; usable once."""
        file = self._uploads.pop(request.match_info["ticket"], None)
        if file is None:
            return web.Response(status=404, text="no such upload")
        blob = Blob()
        try:
            async for chunk in _body(request):
                blob.write(chunk)
        except BaseException:
            blob.close()
            raise
        blob.finish()
        if blob.size_bytes != file.size_bytes:
            blob.close()
            return web.Response(status=400, text=f"{file.size_bytes} bytes were announced, {blob.size_bytes} came")
        file.blob = blob
        return web.Response(text=f"OK - {blob.size_bytes}")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """url_private and url_private_download: without the token a page with status 200 instead of the file."""
        file = self._workspace.files.get(request.match_info["file"].partition("-")[2])
        if file is None or file.deleted or file.blob is None:
            return web.Response(status=404, text="no such file")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.download_not_ready > 0 or token != self._workspace.bot_token or "files:read" not in self._workspace.scopes:
            self.download_not_ready = max(0, self.download_not_ready - 1)
            return web.Response(text=_LOGIN_PAGE, content_type="text/html")
        return Body(file.blob.chunks, file.blob.size_bytes, content_type=file.mime)


async def _body(request: web.Request) -> Any:
    if request.content_type != "multipart/form-data":
        async for chunk in request.content.iter_chunked(256 * 1024):
            yield chunk
        return
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename is not None:
            while chunk := await part.read_chunk(256 * 1024):
                yield chunk
