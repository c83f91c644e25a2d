"""Web API: files.* with the external upload in three steps, and the two file routes (upload URL, private download).

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
from adapters.slack.emulator import rules
from adapters.slack.emulator.arguments import Arguments
from adapters.slack.emulator.blobs import Blob
from adapters.slack.emulator.methods_chat import check_thread, require_scope, writable_channel
from adapters.slack.emulator.records import ApiError, Json, Message, SlackFile
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
        """Which files the workspace takes: an admin may switch uploads off, or leave images only."""
        self.share_delay_s = 0.02
        self.download_not_ready = 0
        """How many of the next downloads are answered with the HTML page of a file that is not ready yet."""

    async def get_upload_url(self, workspace: Workspace, arguments: Arguments) -> Json:
        name, length = arguments.required("filename"), arguments.number("length", 0)
        if length <= 0:
            raise ApiError("missing_argument")
        self._check_allowed(name)
        if length > rules.MAX_FILE_BYTES:
            raise ApiError("file_upload_size_restricted")
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = make_file(workspace, name, mime, None, owner=workspace.bot_user_id, size_bytes=length)
        ticket = f"{file.file_id}-{workspace.new_id('X')}"
        self._uploads[ticket] = file
        return {"upload_url": f"{workspace.base_url()}/upload/v1/{ticket}", "file_id": file.file_id}

    def _check_allowed(self, name: str) -> None:
        is_image = (mimetypes.guess_type(name)[0] or "").startswith("image/")
        if self.allowed == "none":
            raise ApiError("file_uploads_disabled")
        if self.allowed == "images" and not is_image:
            raise ApiError("file_uploads_except_images_disabled")

    async def complete_upload(self, workspace: Workspace, arguments: Arguments) -> Json:
        wanted = arguments.structure("files", "invalid_arguments")
        if not isinstance(wanted, list) or not wanted:
            raise ApiError("invalid_arguments")
        if any(key in arguments for key in ("username", "icon_url", "icon_emoji")):
            require_scope(workspace, "chat:write.customize")
        files: list[SlackFile] = []
        for entry in wanted:
            file = workspace.files.get(str(entry.get("id"))) if isinstance(entry, dict) else None
            if file is None or file.blob is None:
                raise ApiError("file_not_found")
            file.title = str(entry.get("title") or file.name)
            files.append(file)
        if arguments.text("channel_id"):
            self._share(workspace, arguments, files)
        return {"files": [{"id": file.file_id, "title": file.title} for file in files]}

    def _share(self, workspace: Workspace, arguments: Arguments, files: list[SlackFile]) -> None:
        channel = writable_channel(workspace, arguments.text("channel_id"))
        thread_ts = arguments.text("thread_ts")
        if thread_ts:
            check_thread(channel, thread_ts)
        comment = arguments.text("initial_comment")
        blocks = None if comment else arguments.structure("blocks", "invalid_blocks_format")
        if blocks:
            if any(isinstance(block, dict) and block.get("type") == "markdown" for block in blocks):
                raise ApiError("internal_error")
            rules.check_blocks(blocks)
        message = Message(
            channel.channel_id,
            "",
            workspace.bot_user_id,
            comment,
            blocks=blocks,
            files=files,
            thread_ts=thread_ts,
            subtype="file_share",
            by_bot=True,
            username=arguments.text("username"),
            icon_url=arguments.text("icon_url"),
            icon_emoji=arguments.text("icon_emoji"),
        )
        self._spawn(self._share_later(message))

    async def _share_later(self, message: Message) -> None:
        await asyncio.sleep(self.share_delay_s)
        message.ts = self._workspace.clock.next()
        self._workspace.post(message)

    async def info(self, workspace: Workspace, arguments: Arguments) -> Json:
        file = workspace.files.get(arguments.required("file"))
        if file is None:
            raise ApiError("file_not_found")
        if file.deleted:
            raise ApiError("file_deleted")
        return {"file": {**workspace.file(file), "shares": {"public": file.shares} if file.shares else {}}, "comments": []}

    async def delete(self, workspace: Workspace, arguments: Arguments) -> Json:
        file = workspace.files.get(arguments.required("file"))
        if file is None:
            raise ApiError("file_not_found")
        if file.owner != workspace.bot_user_id:
            raise ApiError("cant_delete_file")
        workspace.delete_file(file)
        return {}

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
