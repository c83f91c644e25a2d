"""What can happen in the emulated guild: posting, editing, deleting, reacting, pinning, threads, typing.

The one place where the world changes. Both the REST handlers (bots) and the emulator's control methods (people) end here, so every
change reaches the gateway and the record of what people see. Rights and limits are checked by the callers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters.common.emulation.typing_now import TypingNow
from adapters.discord.emulator import gateway as gw
from adapters.discord.emulator.gateway import Gateway
from adapters.discord.emulator.ids import made_at, stamp
from adapters.discord.emulator.records import Author, Bot, Channel, Message, Reaction, Reference, User
from adapters.discord.emulator.rules import THREAD_STARTER, TYPING_S
from adapters.discord.emulator.wire import Json, Payloads
from adapters.discord.emulator.world import World

Recorder = Callable[[str, Message], None]


def author_of(user: User) -> Author:
    return Author(id=user.id, username=user.username, display_name=user.display_name, avatar=user.avatar, is_bot=user.is_bot)


class Operations:
    def __init__(self, world: World, payloads: Payloads, gateway: Gateway, record: Recorder) -> None:
        self._world = world
        self._payloads = payloads
        self._gateway = gateway
        self._record = record
        self.typing = TypingNow(TYPING_S)

    # -- messages -------------------------------------------------------------------------------------------------------------

    def post(self, channel: Channel, *, message_id: int | None = None, **fields: Any) -> Message:
        """A new message; `fields` are those of `Message` apart from channel and time. Only a forum's post has an id beforehand."""
        message_id = message_id or self._world.ids.next()
        message = Message(id=message_id, channel_id=channel.id, sent_at=made_at(message_id), **fields)
        if channel.is_archived:
            self.set_archived(channel, archived=False)
        channel.add(message, self._world.messages_kept)
        self.typing.wrote(str(self._world.home(channel).id), message.author.display_name)
        if message.type != THREAD_STARTER:  # the client shows the message that the thread was started from in its place
            self._record("created", message)
        self._announce("MESSAGE_CREATE", channel, message)
        if message.nonce is not None:
            channel.replace(msgspec.structs.replace(message, nonce=None))
        return message

    def edit(self, channel: Channel, message: Message, **changes: Any) -> Message:
        """An edit by the message's author: gets a new `edited_timestamp`."""
        return self._change(channel, message, "edited", edited_at=datetime.now(UTC), **changes)

    def amend(self, channel: Channel, message: Message, **changes: Any) -> Message:
        """An update that is no edit (embeds resolved, pinned, thread started): `edited_timestamp` stays as it was."""
        return self._change(channel, message, "edited", **changes)

    def _change(self, channel: Channel, message: Message, kind: str, **changes: Any) -> Message:
        changed = msgspec.structs.replace(message, **changes)
        channel.replace(changed)
        self._record(kind, changed)
        self._announce("MESSAGE_UPDATE", channel, changed)
        return changed

    def change_quietly(self, channel: Channel, message: Message, **changes: Any) -> Message:
        """A change that Discord tells by an event of its own."""
        changed = msgspec.structs.replace(message, **changes)
        channel.replace(changed)
        self._record("edited", changed)
        return changed

    def tell_vote(self, name: str, channel: Channel, message: Message, user: User, answer: int) -> None:
        payload = {
            "user_id": str(user.id),
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "guild_id": str(self._world.guild_id),
            "answer_id": answer,
        }
        self._gateway.dispatch(name, payload, intent=gw.GUILD_MESSAGE_POLLS, channel=channel)

    def _announce(self, name: str, channel: Channel, message: Message) -> None:
        payload = self._payloads.message_event(message)
        if channel.is_direct:
            payload = _without_server(payload)
        self._gateway.dispatch_message(name, payload, channel, message.author.id, message.mentions)

    def delete(self, channel: Channel, message: Message) -> None:
        self._record("deleted", channel.remove(message))
        payload = {"id": str(message.id), "channel_id": str(channel.id), "guild_id": str(self._world.guild_id)}
        payload = _without_server(payload) if channel.is_direct else payload
        intent = gw.DIRECT_MESSAGES if channel.is_direct else gw.GUILD_MESSAGES
        self._gateway.dispatch("MESSAGE_DELETE", payload, intent=intent, channel=channel)

    def delete_many(self, channel: Channel, messages: Sequence[Message]) -> None:
        for message in messages:
            self._record("deleted", channel.remove(message))
        payload = {
            "ids": [str(m.id) for m in messages],
            "channel_id": str(channel.id),
            "guild_id": str(self._world.guild_id),
        }
        self._gateway.dispatch("MESSAGE_DELETE_BULK", payload, intent=gw.GUILD_MESSAGES, channel=channel)

    # -- reactions ------------------------------------------------------------------------------------------------------------

    def react(self, channel: Channel, message: Message, user: User, emoji: Reaction) -> None:
        present = {r.key: r for r in message.reactions}
        current = present.get(emoji.key, emoji)
        if user.id in current.user_ids:
            return
        present[emoji.key] = msgspec.structs.replace(current, user_ids=(*current.user_ids, user.id))
        self._set_reactions(channel, message, tuple(present.values()))
        payload = self._reaction_payload(channel, message, user, emoji)
        payload["member"] = self._payloads.member(user)
        payload["message_author_id"] = str(message.author.id)
        self._gateway.dispatch("MESSAGE_REACTION_ADD", payload, intent=gw.GUILD_MESSAGE_REACTIONS, channel=channel)

    def unreact(self, channel: Channel, message: Message, user: User, emoji: Reaction) -> None:
        present = {r.key: r for r in message.reactions}
        current = present.get(emoji.key)
        if current is None or user.id not in current.user_ids:
            return
        left = tuple(u for u in current.user_ids if u != user.id)
        if left:
            present[emoji.key] = msgspec.structs.replace(current, user_ids=left)
        else:
            del present[emoji.key]
        self._set_reactions(channel, message, tuple(present.values()))
        payload = self._reaction_payload(channel, message, user, emoji)
        self._gateway.dispatch("MESSAGE_REACTION_REMOVE", payload, intent=gw.GUILD_MESSAGE_REACTIONS, channel=channel)

    def clear_reactions(self, channel: Channel, message: Message, emoji: Reaction | None = None) -> None:
        kept = () if emoji is None else tuple(r for r in message.reactions if r.key != emoji.key)
        self._set_reactions(channel, message, kept)
        payload: Json = {
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "guild_id": str(self._world.guild_id),
        }
        name = "MESSAGE_REACTION_REMOVE_ALL"
        if emoji is not None:
            name = "MESSAGE_REACTION_REMOVE_EMOJI"
            payload["emoji"] = self._payloads.reaction_emoji(emoji)
        self._gateway.dispatch(name, payload, intent=gw.GUILD_MESSAGE_REACTIONS, channel=channel)

    def _set_reactions(self, channel: Channel, message: Message, reactions: tuple[Reaction, ...]) -> None:
        changed = msgspec.structs.replace(message, reactions=reactions)
        channel.replace(changed)
        self._record("reactions", changed)

    def _reaction_payload(self, channel: Channel, message: Message, user: User, emoji: Reaction) -> Json:
        return {
            "user_id": str(user.id),
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "guild_id": str(self._world.guild_id),
            "emoji": self._payloads.reaction_emoji(emoji),
            "burst": False,
            "type": 0,
        }

    # -- pins, threads, typing ------------------------------------------------------------------------------------------------

    def pin(self, channel: Channel, message: Message, by: User) -> None:
        if message.id in channel.pins:
            return
        channel.pins.append(message.id)
        self.amend(channel, message, pinned_at=datetime.now(UTC))
        self._announce_pins(channel)
        where = Reference(kind=0, channel_id=channel.id, message_id=message.id)
        self.post(channel, author=author_of(by), type=6, reference=where)

    def unpin(self, channel: Channel, message: Message) -> None:
        if message.id in channel.pins:
            channel.pins.remove(message.id)
            self.amend(channel, message, pinned_at=None)
            self._announce_pins(channel)

    def _announce_pins(self, channel: Channel) -> None:
        payload = {
            "guild_id": str(self._world.guild_id),
            "channel_id": str(channel.id),
            "last_pin_timestamp": stamp(datetime.now(UTC)),
        }
        self._gateway.dispatch("CHANNEL_PINS_UPDATE", payload, intent=gw.GUILDS, channel=channel)

    def start_thread(self, parent: Channel, name: str, by: User, starter: Message | None = None) -> Channel:
        """A public thread; from a message it takes that message's id, as on the platform."""
        thread_id = starter.id if starter is not None else self._world.ids.next()
        thread = Channel(id=thread_id, name=name, kind=11, parent_id=parent.id, owner_id=by.id)
        self._world.channels[thread_id] = thread
        payload = {**self._payloads.channel(thread), "newly_created": True}
        self._gateway.dispatch("THREAD_CREATE", payload, intent=gw.GUILDS, channel=thread)
        if starter is not None:
            self.amend(parent, starter, thread_id=thread_id, flags=starter.flags | 32)
            where = Reference(kind=0, channel_id=parent.id, message_id=starter.id)
            self.post(thread, author=author_of(by), type=THREAD_STARTER, reference=where)
        else:
            where = Reference(kind=0, channel_id=thread_id, message_id=thread_id)
            self.post(parent, author=author_of(by), type=18, content=name, reference=where)
        return thread

    def start_post(self, forum: Channel, title: str, by: User, **fields: Any) -> Channel:
        """A forum's post: a thread and its first message, both with one id. Source: API reference, "Start Thread in Forum"."""
        post = Channel(id=self._world.ids.next(), name=title, kind=11, parent_id=forum.id, owner_id=by.id)
        self._world.channels[post.id] = post
        forum.last_message_id = post.id
        payload = {**self._payloads.channel(post), "newly_created": True}
        self._gateway.dispatch("THREAD_CREATE", payload, intent=gw.GUILDS, channel=post)
        self.post(post, message_id=post.id, author=author_of(by), **fields)
        return post

    def set_archived(self, thread: Channel, *, archived: bool, locked: bool | None = None) -> None:
        thread.is_archived = archived
        thread.archived_at = datetime.now(UTC)
        if locked is not None:
            thread.is_locked = locked
        self._gateway.dispatch("THREAD_UPDATE", self._payloads.channel(thread), intent=gw.GUILDS, channel=thread)

    def rename(self, channel: Channel, name: str, by: User | None = None) -> None:
        """Rename a channel or thread. A thread then has a message of type 4 about it."""
        channel.name = name
        event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        self._gateway.dispatch(event, self._payloads.channel(channel), intent=gw.GUILDS, channel=channel)
        if channel.is_thread:
            self.post(channel, author=author_of(by or self._world.owner), type=4, content=name)

    def remove_channel(self, channel: Channel) -> None:
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        payload = self._payloads.channel(channel)
        if channel.is_thread:  # its messages get no event of their own; source: API reference, "Thread Delete"
            payload = {key: payload[key] for key in ("id", "guild_id", "parent_id", "type")}
        for webhook in [w for w in self._world.webhooks.values() if w.channel_id == channel.id]:
            del self._world.webhooks[webhook.id]
        for thread in [c for c in self._world.channels.values() if c.parent_id == channel.id]:
            del self._world.channels[thread.id]
        self._gateway.dispatch(event, payload, intent=gw.GUILDS, channel=channel)
        del self._world.channels[channel.id]

    def type(self, channel: Channel, user: User) -> None:
        self.typing.note(str(self._world.home(channel).id), user.display_name)
        payload = {
            "channel_id": str(channel.id),
            "guild_id": str(self._world.guild_id),
            "user_id": str(user.id),
            "timestamp": int(time.time()),
            "member": self._payloads.member(user),
        }
        self._gateway.dispatch("TYPING_START", payload, intent=gw.GUILD_MESSAGE_TYPING, channel=channel)

    def announce_channel(self, channel: Channel) -> None:
        self._gateway.dispatch("CHANNEL_CREATE", self._payloads.channel(channel), intent=gw.GUILDS, channel=channel)

    def announce_channel_change(self, channel: Channel) -> None:
        self._gateway.dispatch("CHANNEL_UPDATE", self._payloads.channel(channel), intent=gw.GUILDS, channel=None)

    def announce_webhooks(self, channel_id: int) -> None:
        payload = {"guild_id": str(self._world.guild_id), "channel_id": str(channel_id)}
        channel = self._world.channels.get(channel_id)
        self._gateway.dispatch("WEBHOOKS_UPDATE", payload, intent=gw.GUILD_WEBHOOKS, channel=channel)

    def announce_member(self, user: User) -> None:
        payload = {**self._payloads.member(user), "guild_id": str(self._world.guild_id)}
        self._gateway.dispatch("GUILD_MEMBER_ADD", payload, intent=gw.GUILD_MEMBERS)

    def announce_bot(self, bot: Bot) -> None:
        """Report that the bot's member object changed. An update about the bot itself needs no intent (gateway page, "Guild
        Members")."""
        payload = {**self._payloads.member(bot.user), "guild_id": str(self._world.guild_id)}
        self._gateway.dispatch("GUILD_MEMBER_UPDATE", payload, intent=gw.GUILD_MEMBERS, about=bot.user.id)

    def remove_member(self, user: User) -> None:
        payload = {"guild_id": str(self._world.guild_id), "user": self._payloads.user(user)}
        self._gateway.dispatch("GUILD_MEMBER_REMOVE", payload, intent=gw.GUILD_MEMBERS)

    def announce_guild(self) -> None:
        self._gateway.dispatch("GUILD_UPDATE", self._payloads.guild(), intent=gw.GUILDS)

    def announce_role(self, role_id: int) -> None:
        role = next(r for r in self._payloads.roles() if r["id"] == str(role_id))
        payload = {"guild_id": str(self._world.guild_id), "role": role}
        self._gateway.dispatch("GUILD_ROLE_UPDATE", payload, intent=gw.GUILDS)


def _without_server(payload: Json) -> Json:
    """As the gateway tells it of a direct chat: it has no server, and so nobody is a member."""
    told = {key: value for key, value in payload.items() if key not in ("guild_id", "member")}
    if "mentions" in told:
        told["mentions"] = [{key: value for key, value in user.items() if key != "member"} for user in told["mentions"]]
    return told
