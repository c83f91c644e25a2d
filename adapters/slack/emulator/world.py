"""The emulated workspace: its people, channels and messages, and what each change does to them.

Both sides act through it, the app by the Web API (`methods_*.py`) and people by `people`. Every visible change is
shown (`publish`) and reported to the app (`emit`), the app's own included. Rules: docs.slack.dev event and method reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from adapters.common.emulation.contract import SeenMessage
from adapters.common.emulation.options import EmulatorOptions
from adapters.slack.emulator import emoji
from adapters.slack.emulator.errors import ApiError
from adapters.slack.emulator.records import Channel, Json, Message, SlackFile, TimestampClock, User
from adapters.slack.emulator.transcript import seen_message
from adapters.slack.emulator.wire import file_wire, message_wire

ALL_SCOPES = [
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
    "channels:read",
    "groups:read",
    "im:read",
    "mpim:read",
    "chat:write",
    "chat:write.customize",
    "chat:write.public",
    "channels:join",
    "users:read",
    "reactions:read",
    "reactions:write",
    "files:read",
    "files:write",
    "pins:read",
    "pins:write",
    "emoji:read",
    "metadata.message:read",
    "team:read",
    "usergroups:read",
]
"""The scopes that the bridge's manifest requests."""


class Workspace:
    """State and rules. `keep` says how many messages a channel and how many files the workspace remembers."""

    team_id = "T0EMULATED"
    team_name = "Emulated Workspace"
    app_id = "A0BRIDGE001"
    bot_id = "B0BRIDGE001"
    bot_user_id = "U0BRIDGE001"

    def __init__(
        self,
        *,
        publish: Callable[[str, SeenMessage], None],
        emit: Callable[[Json], None],
        base_url: Callable[[], str],
        keep: EmulatorOptions,
    ) -> None:
        self._publish = publish
        self._emit = emit
        self.base_url = base_url
        self.keep = keep
        self._counter = 0
        self.clock = TimestampClock()
        self.bot_token = "xoxb-0000000000-emulated-bot-token"  # noqa: S105 - a fixed token of a stand-in server
        self.app_token = "xapp-1-A0BRIDGE001-emulated-app-token"  # noqa: S105
        self.scopes: set[str] = set(ALL_SCOPES)
        self.channels: dict[str, Channel] = {}
        self.users: dict[str, User] = {}
        self.files: dict[str, SlackFile] = {}
        self.groups: dict[str, str] = {}
        """User groups: handle by id."""
        self.bots: dict[str, str] = {}
        """Other apps: name by bot id."""
        self.custom_emoji: dict[str, str] = {}
        self.whispers: list[tuple[str, Message]] = []
        """Messages that one person saw: the user id, and the message."""
        self.persona_as_bot_message = True
        self.tombstone_parents = True
        bot = User(self.bot_user_id, "messenger_bridge", "Messenger Bridge", "Messenger Bridge", is_bot=True)
        self.users[bot.user_id] = bot
        self._user_ids: dict[str, str] = {}
        self._channel_ids: dict[str, str] = {}

    # -- people and places --------------------------------------------------------------------------------------------------

    def new_id(self, letter: str) -> str:
        self._counter += 1
        return f"{letter}0{self._counter:09X}"

    def add_user(self, display_name: str) -> User:
        known = self._user_ids.get(display_name)
        if known is not None:
            return self.users[known]
        user_id = self.new_id("U")
        user = User(user_id, display_name.lower().replace(" ", "."), display_name, display_name)
        user.avatar_url = f"{self.base_url()}/avatars/{user_id}-72.png"
        self.users[user_id] = user
        self._user_ids[display_name] = user_id
        return user

    def user_id(self, name: str) -> str:
        """The id of a display name or handle; empty if nobody has it."""
        if name in self._user_ids:
            return self._user_ids[name]
        return next((user.user_id for user in self.users.values() if name in (user.name, user.display_name)), "")

    def add_channel(self, name: str) -> Channel:
        channel = Channel(self.new_id("C"), name, self.bot_user_id, keep_messages=self.keep.messages_kept)
        channel.members.add(self.bot_user_id)
        self.channels[channel.channel_id] = channel
        self._channel_ids[name] = channel.channel_id
        return channel

    def channel_id(self, name: str) -> str:
        return self._channel_ids.get(name, "")

    def rename_channel(self, channel: Channel, name: str) -> None:
        del self._channel_ids[channel.name]
        channel.previous_names.append(channel.name)
        channel.name = name
        self._channel_ids[name] = channel.channel_id
        renamed = {"id": channel.channel_id, "name": name, "created": channel.created}
        self.emit({"type": "channel_rename", "channel": renamed})

    def archive_channel(self, channel: Channel, user: str, *, archived: bool) -> None:
        channel.archived = archived
        kind = "channel_archive" if archived else "channel_unarchive"
        self.emit({"type": kind, "channel": channel.channel_id, "user": user})

    def join(self, channel: Channel, user: str) -> None:
        """Join a channel. Slack reports both a `channel_join` message and `member_joined_channel`."""
        if user in channel.members:
            return
        channel.members.add(user)
        joined = {"user": user, "channel": channel.channel_id, "channel_type": "C", "team": self.team_id}
        self.emit({"type": "member_joined_channel", **joined})
        text = f"<@{user}> has joined the channel"
        self.post(Message(channel.channel_id, self.clock.next(), user, text, subtype="channel_join"))

    def leave(self, channel: Channel, user: str) -> None:
        channel.members.discard(user)
        left = {"user": user, "channel": channel.channel_id, "channel_type": "C", "team": self.team_id}
        self.emit({"type": "member_left_channel", **left})

    def display_name(self, any_id: str) -> str:
        if any_id in self.channels:
            return self.channels[any_id].name
        user = self.users.get(any_id)
        return (user.display_name or user.real_name) if user else any_id

    def message(self, channel_id: str, ts: str) -> Message:
        channel = self.channels.get(channel_id)
        if channel is None:
            raise ApiError("channel_not_found")
        message = channel.messages.get(ts)
        if message is None:
            raise ApiError("message_not_found")
        return message

    # -- changes ------------------------------------------------------------------------------------------------------------

    def emit(self, event: Json) -> None:
        """Report an event, unless the app is no member of the channel where it happened."""
        where = event.get("channel") or event.get("item", {}).get("channel")
        channel = self.channels.get(where) if isinstance(where, str) else None
        if channel is None or self.bot_user_id in channel.members or event["type"].startswith("member_"):
            self._emit({**event, "event_ts": event.get("event_ts") or self.clock.next()})

    def post(self, message: Message) -> Message:
        channel = self.channels[message.channel]
        parent = channel.messages.get(message.thread_ts) if message.is_reply else None
        if parent is not None:
            parent.thread_ts = parent.ts
            parent.replies.append(message.ts)
        channel.add(message)
        for file in message.files:
            file.shares.setdefault(message.channel, []).append({"ts": message.ts, "channel_name": channel.name})
        self.show("created", message)
        self._emit_message(message, {**self.wire(message), "event_ts": message.ts})
        return message

    def change(self, message: Message, *, by: str = "", **fields: object) -> None:
        """Set fields of a message and report `message_changed`. `by` is the user of a visible edit; empty leaves no mark."""
        previous = self.wire(message)
        for key, value in fields.items():
            setattr(message, key, value)
        if by:
            # the mark is in whole seconds, other than the `ts` of the change [slack-go #1256, a sample]
            message.edited = {"user": by, "ts": f"{self.clock.next().partition('.')[0]}.000000"}
        if "text" in fields or "blocks" in fields:
            message.changed = True
        self.show("edited", message)
        self._emit_changed(message.channel, self.wire(message), previous)

    def delete_file(self, file: SlackFile) -> None:
        """Delete a file. Every message that shows it is reported as changed, with a tombstone in its place."""
        shares = [(self.channels[channel_id], share["ts"]) for channel_id, found in file.shares.items() for share in found]
        messages = [channel.messages[ts] for channel, ts in shares if ts in channel.messages]
        before = [self.wire(message) for message in messages]
        file.deleted = True
        for message, previous in zip(messages, before, strict=True):
            self.show("edited", message)
            self._emit_changed(message.channel, self.wire(message), previous)
        self.emit({"type": "file_deleted", "file_id": file.file_id})

    def remove(self, message: Message) -> None:
        """Delete a message. A parent with replies stays as a tombstone and is reported as a change (`tombstone_parents`)."""
        channel = self.channels[message.channel]
        previous = self.wire(message)
        self._publish("deleted", seen_message(message, self, deleted=True))
        if message.replies and self.tombstone_parents:
            message.text, message.blocks, message.files = "This message was deleted.", None, []
            message.subtype, message.user = "tombstone", "USLACKBOT"
            self._emit_changed(message.channel, {**self.wire(message), "hidden": True}, previous)
            return
        del channel.messages[message.ts]
        parent = channel.messages.get(message.thread_ts) if message.is_reply else None
        if parent is not None and message.ts in parent.replies:
            parent.replies.remove(message.ts)
        now = self.clock.next()
        deleted = {"deleted_ts": message.ts, "previous_message": previous, "hidden": True, "ts": now, "event_ts": now}
        self._emit_message(message, {"type": "message", "subtype": "message_deleted", "channel": message.channel, **deleted})

    def react(self, message: Message, user: str, name: str, *, remove: bool) -> None:
        users = message.reactions.setdefault(name, [])
        if remove:
            users.remove(user)
            if not users:
                del message.reactions[name]
        else:
            users.append(user)
        self.show("reactions", message)
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        event: Json = {"type": "reaction_removed" if remove else "reaction_added", "user": user, "reaction": name, "item": item}
        if message.user:
            event["item_user"] = message.user
        self.emit(event)

    def pin(self, message: Message, user: str, *, pinned: bool) -> None:
        message.pinned = pinned
        self.show("pins", message)
        item = {"type": "message", "channel": message.channel, "message": self.wire(message), "created": int(time.time())}
        kind = "pin_added" if pinned else "pin_removed"
        self.emit({"type": kind, "user": user, "channel_id": message.channel, "item": item})

    def _emit_changed(self, channel: str, message: Json, previous: Json) -> None:
        now = self.clock.next()
        event = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": channel, "channel_type": "channel"}
        self.emit({**event, "message": message, "previous_message": previous, "ts": now, "event_ts": now})

    def _emit_message(self, message: Message, event: Json) -> None:
        self.emit({**event, "channel": message.channel, "channel_type": "channel"})

    # -- how it looks -------------------------------------------------------------------------------------------------------

    def wire(self, message: Message) -> Json:
        return message_wire(message, self)

    def file(self, file: SlackFile) -> Json:
        return file_wire(file, self)

    def show(self, kind: str, message: Message) -> None:
        self._publish(kind, seen_message(message, self))

    def resolve_emoji(self, name: str) -> bool:
        return emoji.is_known(name) or name in self.custom_emoji
