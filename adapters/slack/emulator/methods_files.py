"""Web API: files.* with the external upload in three steps. Rules: docs.slack.dev method reference; the bytes: `files`."""

from __future__ import annotations

import mimetypes

from adapters.slack.emulator import rules
from adapters.slack.emulator.arguments import Arguments
from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.files import FileService, make_file
from adapters.slack.emulator.methods_chat import check_thread, require_scope, writable_channel
from adapters.slack.emulator.records import Json, Message, SlackFile
from adapters.slack.emulator.world import Workspace


class FileMethods:
    """The methods over the files of one server."""

    def __init__(self, files: FileService) -> None:
        self._files = files

    async def get_upload_url(self, workspace: Workspace, arguments: Arguments) -> Json:
        name, length = arguments.required("filename"), arguments.number("length", 0)
        if length <= 0:
            raise ApiError("missing_argument")
        self._files.check_allowed(name)
        if length > rules.MAX_FILE_BYTES:
            raise ApiError("file_upload_size_restricted")
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = make_file(workspace, name, mime, None, owner=workspace.bot_user_id, size_bytes=length)
        file.alt_text = arguments.text("alt_txt")
        if len(file.alt_text) > rules.MAX_ALT_TEXT:
            raise ApiError("invalid_arguments")
        return {"upload_url": f"{workspace.base_url()}{self._files.expect(file)}", "file_id": file.file_id}

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
        self._files.share_soon(message)

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
