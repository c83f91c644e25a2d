"""A message of the emulated workspace as its people see it, for the transcript that tests and sandboxes read. Called by `world`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from adapters.common.emulation.contract import EmulatedFile, SeenMessage, SeenReaction
from adapters.slack.emulator import emoji
from adapters.slack.emulator.records import Message, SlackFile, to_us
from adapters.slack.emulator.render import Shown, show

if TYPE_CHECKING:
    from adapters.slack.emulator.world import Workspace


def seen_message(message: Message, workspace: Workspace, *, deleted: bool = False) -> SeenMessage:
    user = workspace.users.get(message.user)
    shown = show(message.text, message.blocks, workspace.display_name, marks=message.mrkdwn)
    for attachment in message.attachments or ():
        shown += Shown("\n" + str(attachment.get("text") or attachment.get("fallback") or ""))
    return SeenMessage(
        message_id=message.ts,
        chat_id=message.channel,
        author_name=message.username or workspace.display_name(message.user),
        author_id=message.user,
        author_avatar_url=message.icon_url or (user.avatar_url if user else ""),
        is_bot=message.by_bot,
        text=shown.text,
        html=shown.html,
        files=tuple(_seen_file(file) for file in message.files if not file.deleted),
        reply_to=message.thread_ts if message.is_reply else "",
        thread_id=message.thread_ts if message.is_reply else "",
        reactions=_seen_reactions(message.reactions, workspace),
        pinned=message.pinned and not deleted,
        edited=message.changed,
        deleted=deleted,
        system=message.subtype in ("channel_join", "channel_leave", "tombstone"),
        sent_at=datetime.fromtimestamp(to_us(message.ts) / 1e6, UTC),
    )


def _seen_reactions(reactions: dict[str, list[str]], workspace: Workspace) -> tuple[SeenReaction, ...]:
    return tuple(
        SeenReaction(emoji=emoji.character(name) or f":{name}:", by=tuple(workspace.display_name(user) for user in users))
        for name, users in reactions.items()
    )


def _seen_file(file: SlackFile) -> EmulatedFile:
    return EmulatedFile(
        file_id=file.file_id,
        name=file.name,
        mime=file.mime,
        size_bytes=file.size_bytes,
        kind=file.kind,
        sha256=file.blob.sha256 if file.blob else "",
        alt_text=file.alt_text,
    )
