"""Slack's JSON as the emulator writes it: messages, files, users, channels, and the answers that carry them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from aiohttp import web

from adapters.slack.emulator.records import Channel, Json, Message, SlackFile, User

if TYPE_CHECKING:
    from adapters.slack.emulator.world import Workspace


def json_response(body: Json, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json", charset="utf-8", headers=headers
    )


def message_wire(message: Message, workspace: Workspace) -> Json:
    """A message as history and events carry it.

    A message of the app has bot_id and app_id. With a custom name it has `subtype: bot_message` and `username` instead of `user`
    (seen so in 2020, unconfirmed for current apps; `Workspace.persona_as_bot_message` switches the shape).
    """
    wire: Json = {"type": "message", "ts": message.ts, "text": message.text, "team": workspace.team_id}
    if message.subtype:
        wire["subtype"] = message.subtype
    if message.user:
        wire["user"] = message.user
    if message.by_bot:
        _add_bot(wire, message, workspace)
    if message.client_msg_id:
        wire["client_msg_id"] = message.client_msg_id
    if message.blocks:
        wire["blocks"] = message.blocks
    if message.attachments:
        wire["attachments"] = message.attachments
    if message.files:
        wire["files"] = [file_wire(file, workspace) for file in message.files]
        wire["upload"] = False
    if message.thread_ts:
        wire["thread_ts"] = message.thread_ts
    if message.is_reply:
        parent = workspace.channels[message.channel].messages.get(message.thread_ts)
        if parent is not None and parent.user:
            wire["parent_user_id"] = parent.user
    if message.broadcast:
        wire["subtype"] = "thread_broadcast"
    if message.replies:
        wire |= {"reply_count": len(message.replies), "latest_reply": message.replies[-1]}
    if message.metadata is not None:
        wire["metadata"] = message.metadata
    if message.edited is not None:
        wire["edited"] = message.edited
    if message.reactions:
        wire["reactions"] = [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()]
    return wire


def _add_bot(wire: Json, message: Message, workspace: Workspace) -> None:
    wire |= {"bot_id": workspace.bot_id, "app_id": workspace.app_id}
    has_persona = bool(message.username or message.icon_url or message.icon_emoji)
    if has_persona and workspace.persona_as_bot_message and not message.files:
        wire["subtype"] = "bot_message"
        wire.pop("user", None)
    else:
        wire["bot_profile"] = {
            "id": workspace.bot_id,
            "app_id": workspace.app_id,
            "name": workspace.users[workspace.bot_user_id].name,
            "team_id": workspace.team_id,
            "deleted": False,
        }
    if message.username:
        wire["username"] = message.username
    if message.icon_url or message.icon_emoji:
        wire["icons"] = {"image_48": message.icon_url} if message.icon_url else {"emoji": message.icon_emoji}


def file_wire(file: SlackFile, workspace: Workspace) -> Json:
    if file.deleted:
        return {"id": file.file_id, "mode": "tombstone"}
    base = f"{workspace.base_url()}/files-pri/{workspace.team_id}-{file.file_id}"
    suffix = file.name.rpartition(".")[2].lower() if "." in file.name else "binary"
    wire: Json = {
        "id": file.file_id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mime,
        "filetype": suffix,
        "pretty_type": suffix.upper(),
        "user": file.owner,
        "size": file.size_bytes,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(file.shares),
        "url_private": f"{base}/{quote(file.name)}",
        "url_private_download": f"{base}/download/{quote(file.name)}",
        "permalink": f"{workspace.base_url()}/files/{file.owner}/{file.file_id}/{quote(file.name)}",
        "file_access": "visible",
    }
    if file.alt_text:
        wire["alt_txt"] = file.alt_text
    if file.subtype:
        wire["subtype"] = file.subtype
    if file.duration_ms is not None:
        wire["duration_ms"] = file.duration_ms
    return wire


def user_wire(user: User, workspace: Workspace) -> Json:
    return {
        "id": user.user_id,
        "team_id": workspace.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": "Etc/UTC",
        "profile": {
            "real_name": user.real_name,
            "display_name": user.display_name,
            "image_72": user.avatar_url,
            "image_192": user.avatar_url,
            **({"email": user.email} if user.email and "users:read.email" in workspace.scopes else {}),
            **({"bot_id": workspace.bot_id, "api_app_id": workspace.app_id} if user.is_bot else {}),
        },
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 1700000000,
    }


def channel_wire(channel: Channel, workspace: Workspace) -> Json:
    return {
        "id": channel.channel_id,
        "name": channel.name,
        "name_normalized": channel.name,
        "previous_names": channel.previous_names,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "is_archived": channel.archived,
        "is_general": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_member": workspace.bot_user_id in channel.members,
        "created": channel.created,
        "creator": channel.creator,
        "context_team_id": workspace.team_id,
        "num_members": len(channel.members),
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }
