"""Web API: auth.*, team.info, users.*, bots.info, conversations.*. Rules: docs.slack.dev method reference."""

from __future__ import annotations

from adapters.slack.emulator.arguments import Arguments
from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.records import Channel, Json, Message
from adapters.slack.emulator.wire import channel_wire, user_wire
from adapters.slack.emulator.world import Workspace

_MAX_PAGE = 999


async def auth_test(workspace: Workspace, arguments: Arguments) -> Json:
    return {
        "url": f"{workspace.base_url()}/",
        "team": workspace.team_name,
        "user": workspace.users[workspace.bot_user_id].name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


async def team_info(workspace: Workspace, arguments: Arguments) -> Json:
    return {"team": {"id": workspace.team_id, "name": workspace.team_name, "domain": "emulated"}}


async def bots_info(workspace: Workspace, arguments: Arguments) -> Json:
    bot_id = arguments.required("bot")
    if bot_id in workspace.bots:
        return {"bot": {"id": bot_id, "deleted": False, "name": workspace.bots[bot_id], "updated": 0}}
    if bot_id != workspace.bot_id:
        raise ApiError("bot_not_found")
    bot = {"id": workspace.bot_id, "app_id": workspace.app_id, "user_id": workspace.bot_user_id, "deleted": False}
    return {"bot": {**bot, "name": workspace.users[workspace.bot_user_id].name}}


async def usergroups_list(workspace: Workspace, arguments: Arguments) -> Json:
    team = workspace.team_id
    groups = [{"id": group_id, "team_id": team, "handle": name, "name": name} for group_id, name in workspace.groups.items()]
    return {"usergroups": groups}


async def users_info(workspace: Workspace, arguments: Arguments) -> Json:
    user = workspace.users.get(arguments.required("user"))
    if user is None:
        raise ApiError("user_not_found")
    return {"user": user_wire(user, workspace)}


async def users_list(workspace: Workspace, arguments: Arguments) -> Json:
    users = list(workspace.users.values())
    page, cursor = _page(len(users), arguments, default=200)
    return {"members": [user_wire(user, workspace) for user in users[page]], **_cursor(cursor)}


async def users_conversations(workspace: Workspace, arguments: Arguments) -> Json:
    """Public channels of a person. Source: docs.slack.dev, users.conversations."""
    user_id = arguments.text("user") or workspace.bot_user_id
    if user_id not in workspace.users:
        raise ApiError("user_not_found")
    channels = [channel for channel in workspace.channels.values() if user_id in channel.members]
    if arguments.flag("exclude_archived"):
        channels = [channel for channel in channels if not channel.archived]
    page, cursor = _page(len(channels), arguments, default=100)
    return {"channels": [channel_wire(channel, workspace) for channel in channels[page]], **_cursor(cursor)}


async def conversations_list(workspace: Workspace, arguments: Arguments) -> Json:
    kinds = arguments.text("types", "public_channel").split(",")
    channels = [channel for channel in workspace.channels.values() if "public_channel" in kinds]
    if arguments.flag("exclude_archived"):
        channels = [channel for channel in channels if not channel.archived]
    page, cursor = _page(len(channels), arguments, default=100)
    return {"channels": [channel_wire(channel, workspace) for channel in channels[page]], **_cursor(cursor)}


async def conversations_info(workspace: Workspace, arguments: Arguments) -> Json:
    return {"channel": channel_wire(_channel(workspace, arguments), workspace)}


async def conversations_members(workspace: Workspace, arguments: Arguments) -> Json:
    members = sorted(_channel(workspace, arguments).members)
    page, cursor = _page(len(members), arguments, default=100)
    return {"members": members[page], **_cursor(cursor)}


async def conversations_join(workspace: Workspace, arguments: Arguments) -> Json:
    channel = _channel(workspace, arguments)
    if channel.archived:
        raise ApiError("is_archived")
    workspace.join(channel, workspace.bot_user_id)
    return {"channel": channel_wire(channel, workspace)}


async def conversations_history(workspace: Workspace, arguments: Arguments) -> Json:
    channel = _readable_channel(workspace, arguments)
    limit = min(arguments.number("limit", 100), _MAX_PAGE)
    latest = arguments.text("cursor").removeprefix("before:") or arguments.text("latest")
    inclusive = arguments.flag("inclusive") and not arguments.text("cursor")
    found: list[Message] = []
    for ts in channel.newest_first(arguments.text("oldest"), latest, inclusive=inclusive):
        message = channel.messages.get(ts)
        if message is None or (message.is_reply and not message.broadcast):
            continue
        if len(found) == limit:
            return _messages(workspace, arguments, found, f"before:{found[-1].ts}")
        found.append(message)
    return _messages(workspace, arguments, found, "")


async def conversations_replies(workspace: Workspace, arguments: Arguments) -> Json:
    channel = _readable_channel(workspace, arguments)
    parent = channel.messages.get(arguments.required("ts"))
    if parent is None:
        raise ApiError("thread_not_found")
    inclusive, oldest, latest = arguments.flag("inclusive"), arguments.text("oldest"), arguments.text("latest")
    wanted = set(channel.newest_first(oldest, latest, inclusive=inclusive)) if oldest or latest else None
    thread = [channel.messages[ts] for ts in parent.replies if ts in channel.messages and (wanted is None or ts in wanted)]
    page, cursor = _page(len(thread), arguments, default=_MAX_PAGE)
    return _messages(workspace, arguments, [parent, *thread[page]], cursor)


def _messages(workspace: Workspace, arguments: Arguments, messages: list[Message], cursor: str) -> Json:
    with_metadata = arguments.flag("include_all_metadata") and "metadata.message:read" in workspace.scopes
    wires = [workspace.wire(message) for message in messages]
    if not with_metadata:
        for wire in wires:
            wire.pop("metadata", None)
    return {"messages": wires, "has_more": bool(cursor), "pin_count": 0, **_cursor(cursor)}


def _channel(workspace: Workspace, arguments: Arguments) -> Channel:
    channel = workspace.channels.get(arguments.required("channel"))
    if channel is None:
        raise ApiError("channel_not_found")
    return channel


def _readable_channel(workspace: Workspace, arguments: Arguments) -> Channel:
    channel = _channel(workspace, arguments)
    if workspace.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    return channel


def _page(total: int, arguments: Arguments, *, default: int) -> tuple[slice, str]:
    start_text = arguments.text("cursor").removeprefix("from:") or "0"
    if not start_text.isdigit():
        raise ApiError("invalid_cursor")
    start = int(start_text)
    end = start + min(arguments.number("limit", default) or default, _MAX_PAGE)
    return slice(start, end), f"from:{end}" if end < total else ""


def _cursor(cursor: str) -> Json:
    return {"response_metadata": {"next_cursor": cursor}}
