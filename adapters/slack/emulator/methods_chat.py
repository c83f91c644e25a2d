"""Web API: chat.*, reactions.*, pins.*, emoji.list. Rules: docs.slack.dev method reference; tokens and scopes: `webapi`."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from adapters.slack.emulator import rules
from adapters.slack.emulator.arguments import Arguments
from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.records import Channel, Json, Message
from adapters.slack.emulator.world import Workspace


def writable_channel(workspace: Workspace, named: str) -> Channel:
    """The channel of an id or `#name` in which the app may post; raises as Slack refuses."""
    channel = workspace.channels.get(named) or workspace.channels.get(workspace.channel_id(named.removeprefix("#")))
    if channel is None:
        raise ApiError("channel_not_found")
    if channel.archived:
        raise ApiError("is_archived")
    if workspace.bot_user_id not in channel.members and "chat:write.public" not in workspace.scopes:
        raise ApiError("not_in_channel")
    return channel


def check_thread(channel: Channel, thread_ts: str) -> None:
    parent = channel.messages.get(thread_ts)
    if parent is None:
        raise ApiError("thread_not_found")
    if parent.is_reply:
        raise ApiError("cannot_reply_to_message")


def require_scope(workspace: Workspace, scope: str) -> None:
    if scope not in workspace.scopes:
        raise ApiError("missing_scope", needed=scope, provided=",".join(sorted(workspace.scopes)))


def _blocks(arguments: Arguments) -> list[Json] | None:
    blocks = arguments.structure("blocks", "invalid_blocks_format")
    if not blocks:
        return None
    rules.check_blocks(blocks)
    checked: list[Json] = blocks
    return checked


def _attachments(arguments: Arguments) -> list[Json] | None:
    attachments = arguments.structure("attachments", "invalid_attachments")
    if attachments is None:
        return None
    if not isinstance(attachments, list):
        raise ApiError("invalid_attachments")
    if len(attachments) > rules.MAX_ATTACHMENTS:
        raise ApiError("too_many_attachments")
    return attachments


def _metadata(arguments: Arguments) -> Json | None:
    metadata: Any = arguments.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise ApiError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_schema")
    if len(msgspec.json.encode(metadata)) > rules.MAX_METADATA_JSON:
        raise ApiError("metadata_too_large")
    return metadata


async def post_ephemeral(workspace: Workspace, arguments: Arguments) -> Json:
    """Nothing of it is kept in the channel, and no event tells of it. Source: docs.slack.dev, chat.postEphemeral."""
    channel = writable_channel(workspace, arguments.required("channel"))
    user_id = arguments.required("user")
    if user_id not in channel.members:
        raise ApiError("user_not_in_channel")
    blocks, text, thread_ts = _blocks(arguments), arguments.text("text"), arguments.text("thread_ts")
    if not text and not blocks:
        raise ApiError("no_text")
    if thread_ts:
        check_thread(channel, thread_ts)
    shown = Message(channel.channel_id, workspace.clock.next(), workspace.bot_user_id, text, blocks=blocks, thread_ts=thread_ts)
    workspace.whispers.append((user_id, shown))
    return {"message_ts": shown.ts}


async def post_message(workspace: Workspace, arguments: Arguments) -> Json:
    channel = writable_channel(workspace, arguments.required("channel"))
    has_persona = any(key in arguments for key in ("username", "icon_url", "icon_emoji"))
    if has_persona:
        require_scope(workspace, "chat:write.customize")
    blocks, attachments = _blocks(arguments), _attachments(arguments)
    text = arguments.text("text")
    if arguments.text("markdown_text"):
        if text or blocks:
            raise ApiError("markdown_text_conflict")
        text = arguments.text("markdown_text")
        if len(text) > rules.MAX_MARKDOWN:
            raise ApiError("msg_too_long")
        blocks = [{"type": "markdown", "text": text}]
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    thread_ts = arguments.text("thread_ts")
    if thread_ts:
        check_thread(channel, thread_ts)
    message = Message(
        channel.channel_id,
        workspace.clock.next(),
        workspace.bot_user_id,
        text[: rules.MAX_TEXT],
        blocks=blocks,
        attachments=attachments,
        thread_ts=thread_ts,
        broadcast=bool(thread_ts) and arguments.flag("reply_broadcast"),
        by_bot=True,
        username=arguments.text("username"),
        icon_url=arguments.text("icon_url"),
        icon_emoji=arguments.text("icon_emoji"),
        metadata=_metadata(arguments),
        mrkdwn="mrkdwn" not in arguments or arguments.flag("mrkdwn"),
        unfurls="unfurl_links" not in arguments or arguments.flag("unfurl_links"),
    )
    workspace.post(message)
    return {"channel": channel.channel_id, "ts": message.ts, "message": workspace.wire(message)}


async def update(workspace: Workspace, arguments: Arguments) -> Json:
    channel_id = arguments.required("channel")
    message = workspace.message(channel_id, arguments.required("ts"))
    if not message.by_bot:
        raise ApiError("cant_update_message")
    if workspace.channels[channel_id].archived:
        raise ApiError("is_archived")
    text = arguments.text("text")
    blocks, attachments = _blocks(arguments), _attachments(arguments)
    if len(text) > rules.MAX_UPDATE_TEXT:
        raise ApiError("msg_too_long")
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    if blocks and _has_rich_text(message.blocks) and not _has_rich_text(blocks):
        raise ApiError("block_mismatch")
    changes: dict[str, object] = {"text": text, "blocks": blocks}
    if attachments is not None:
        changes["attachments"] = attachments
    if "metadata" in arguments:
        changes["metadata"] = _metadata(arguments)
    # an edit by blocks shows no "(edited)" mark (docs.slack.dev chat.update)
    workspace.change(message, by="" if blocks else workspace.bot_user_id, **changes)
    return {"channel": channel_id, "ts": message.ts, "text": text, "message": workspace.wire(message)}


def _has_rich_text(blocks: list[Json] | None) -> bool:
    return any(block.get("type") == "rich_text" for block in blocks or ())


async def delete(workspace: Workspace, arguments: Arguments) -> Json:
    channel_id = arguments.required("channel")
    message = workspace.message(channel_id, arguments.required("ts"))
    if message.subtype == "tombstone":
        raise ApiError("message_not_found")
    if not message.by_bot:
        raise ApiError("cant_delete_message")
    workspace.remove(message)
    return {"channel": channel_id, "ts": message.ts}


async def get_permalink(workspace: Workspace, arguments: Arguments) -> Json:
    message = workspace.message(arguments.required("channel"), arguments.required("message_ts"))
    link = f"{workspace.base_url()}/archives/{message.channel}/p{message.ts.replace('.', '')}"
    return {"channel": message.channel, "permalink": link}


def _reaction_target(workspace: Workspace, arguments: Arguments) -> tuple[Message, str]:
    name = arguments.required("name")
    if ":" in name.replace("::skin-tone-", "") or not workspace.resolve_emoji(name):
        raise ApiError("invalid_name")
    channel = workspace.channels.get(arguments.required("channel"))
    if channel is None:
        raise ApiError("channel_not_found")
    if channel.archived:
        raise ApiError("is_archived")
    if workspace.bot_user_id not in channel.members:
        raise ApiError("not_in_channel")
    return workspace.message(channel.channel_id, arguments.required("timestamp")), name


async def add_reaction(workspace: Workspace, arguments: Arguments) -> Json:
    message, name = _reaction_target(workspace, arguments)
    if workspace.bot_user_id in message.reactions.get(name, ()):
        raise ApiError("already_reacted")
    workspace.react(message, workspace.bot_user_id, name, remove=False)
    return {}


async def remove_reaction(workspace: Workspace, arguments: Arguments) -> Json:
    message, name = _reaction_target(workspace, arguments)
    if workspace.bot_user_id not in message.reactions.get(name, ()):
        raise ApiError("no_reaction")
    workspace.react(message, workspace.bot_user_id, name, remove=True)
    return {}


async def get_reactions(workspace: Workspace, arguments: Arguments) -> Json:
    message = workspace.message(arguments.required("channel"), arguments.required("timestamp"))
    return {"type": "message", "channel": message.channel, "message": workspace.wire(message)}


async def add_pin(workspace: Workspace, arguments: Arguments) -> Json:
    message = workspace.message(arguments.required("channel"), arguments.required("timestamp"))
    if message.pinned:
        raise ApiError("already_pinned")
    workspace.pin(message, workspace.bot_user_id, pinned=True)
    return {}


async def remove_pin(workspace: Workspace, arguments: Arguments) -> Json:
    message = workspace.message(arguments.required("channel"), arguments.required("timestamp"))
    if not message.pinned:
        raise ApiError("no_pin")
    workspace.pin(message, workspace.bot_user_id, pinned=False)
    return {}


async def list_pins(workspace: Workspace, arguments: Arguments) -> Json:
    channel = workspace.channels.get(arguments.required("channel"))
    if channel is None:
        raise ApiError("channel_not_found")
    pinned = [message for message in channel.messages.values() if message.pinned]
    return {"items": [{"type": "message", "channel": m.channel, "message": workspace.wire(m)} for m in pinned]}


async def conversations_rename(workspace: Workspace, arguments: Arguments) -> Json:
    """Source: docs.slack.dev, conversations.rename."""
    channel, name = workspace.channels.get(arguments.required("channel")), arguments.text("name")
    if channel is None:
        raise ApiError("channel_not_found")
    if not re.fullmatch(r"[\w-]{1,80}", name) or name != name.lower():
        raise ApiError("invalid_name_specials" if name else "invalid_name_required")
    if channel.creator != workspace.bot_user_id:
        raise ApiError("not_authorized")
    if workspace.channel_id(name) not in ("", channel.channel_id):
        raise ApiError("name_taken")
    if name != channel.name:
        workspace.rename_channel(channel, name)
    return {"channel": {"id": channel.channel_id, "name": channel.name}}


async def list_emoji(workspace: Workspace, arguments: Arguments) -> Json:
    return {"emoji": dict(workspace.custom_emoji), "cache_ts": "1700000000.000000"}
