"""People of the emulated guild, and what Discord's composer lets them do: write, edit, delete, react, pin, start threads.

Called by `server`, which the sandbox and the tests use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.common.emulation.abilities import EmulatedThread, Member
from adapters.common.emulation.contract import Upload
from adapters.discord.emulator import errors, rules
from adapters.discord.emulator.api import Api, guess_mime, parse_person_emoji
from adapters.discord.emulator.files import FileStore, dimensions
from adapters.discord.emulator.operations import Operations, author_of
from adapters.discord.emulator.records import Channel, Message, Permission, Reference, StoredAttachment, User
from adapters.discord.emulator.rest_messages import ALL_MENTIONS
from adapters.discord.emulator.wire import EVERYONE_PERMISSIONS
from adapters.discord.emulator.world import World

PERSON_MAX_CONTENT = 4000
"""What a Nitro subscriber can write."""


class People:
    """Acts as people. `person` returns the person of a name, who exists as soon as somebody acts under it."""

    def __init__(self, world: World, operations: Operations, api: Api, store: FileStore, person: Callable[[str], User]) -> None:
        self._world = world
        self._operations = operations
        self._api = api
        self._store = store
        self._person = person

    def say(
        self,
        chat_id: str,
        person: str,
        text: str,
        *,
        reply_to: str = "",
        thread_id: str = "",
        files: Sequence[Upload] = (),
    ) -> str:
        user = self._person(person)
        channel = self.channel(chat_id, thread_id)
        attachments = tuple(self.attach(f) for f in files)
        rules.check_file_count(len(attachments))
        is_voice = len(files) == 1 and files[0].kind == "voice"
        message = self._operations.post(
            channel,
            author=author_of(user),
            attachments=attachments,
            type=19 if reply_to else 0,
            reference=Reference(kind=0, channel_id=channel.id, message_id=int(reply_to)) if reply_to else None,
            flags=8192 if is_voice else 0,
            **self._written(text),
        )
        return str(message.id)

    def _written(self, text: str) -> dict[str, Any]:
        if len(text) > PERSON_MAX_CONTENT:
            raise errors.too_long("content", PERSON_MAX_CONTENT)
        may_everyone = Permission.MENTION_EVERYONE in EVERYONE_PERMISSIONS
        pinged = rules.pings(text, None, by_default=ALL_MENTIONS, may_everyone=may_everyone)
        return {
            "content": text.strip(),
            "mentions": pinged.users,
            "mention_roles": pinged.roles,
            "mention_everyone": pinged.everyone,
        }

    def attach(self, upload: Upload) -> StoredAttachment:
        """A file that a person's client uploads."""
        file_id = self._world.ids.next()
        stored = self._store.put(file_id, upload.content)
        size = dimensions(stored.head)
        is_voice = upload.kind == "voice"
        return StoredAttachment(
            id=file_id,
            filename="voice-message.ogg" if is_voice else upload.name,
            mime=upload.mime or guess_mime(upload.name),
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            description=upload.alt_text or None,
            is_spoiler=upload.name.startswith("SPOILER_"),
            width=size[0] if size else None,
            height=size[1] if size else None,
            duration_s=1.5 if is_voice else None,
            waveform="AAAA" if is_voice else None,
        )

    def channel(self, chat_id: str, thread_id: str = "") -> Channel:
        """The channel of a chat, or the thread."""
        return self._world.channels[int(thread_id or chat_id)]

    def find(self, chat_id: str, message_id: str) -> tuple[Channel, Message]:
        """A message of this chat or of one of its threads."""
        channel = self.channel(chat_id)
        threads = (c for c in self._world.channels.values() if c.parent_id == channel.id)
        for holder in (channel, *threads):
            if int(message_id) in holder.messages:
                return holder, holder.messages[int(message_id)]
        raise KeyError(f"no message {message_id} in chat {chat_id}")

    def edit(self, chat_id: str, message_id: str, text: str) -> None:
        channel, message = self.find(chat_id, message_id)
        self._operations.edit(channel, message, **self._written(text))

    def remove_file(self, chat_id: str, message_id: str, index: int = 0) -> None:
        """A person takes an attachment out of a message of theirs."""
        channel, message = self.find(chat_id, message_id)
        kept = message.attachments[:index] + message.attachments[index + 1 :]
        self._operations.edit(channel, message, attachments=kept)

    def delete(self, chat_id: str, message_id: str) -> None:
        self._operations.delete(*self.find(chat_id, message_id))

    def delete_many(self, chat_id: str, message_ids: Sequence[str]) -> None:
        """A moderator's purge."""
        found = [self.find(chat_id, i) for i in message_ids]
        self._operations.delete_many(found[0][0], [m for _, m in found])

    def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool = False) -> None:
        channel, message = self.find(chat_id, message_id)
        act = self._operations.unreact if remove else self._operations.react
        act(channel, message, self._person(person), parse_person_emoji(self._api, emoji))

    def clear_reactions(self, chat_id: str, message_id: str, emoji: str = "") -> None:
        """A moderator removes all reactions, or all of one emoji."""
        channel, message = self.find(chat_id, message_id)
        self._operations.clear_reactions(channel, message, parse_person_emoji(self._api, emoji) if emoji else None)

    def type(self, chat_id: str, person: str) -> None:
        self._operations.type(self.channel(chat_id), self._person(person))

    def pin(self, chat_id: str, message_id: str, person: str, *, remove: bool = False) -> None:
        """Pin a message, or take the pin away. What is done already changes nothing."""
        channel, message = self.find(chat_id, message_id)
        if remove:
            self._operations.unpin(channel, message)
        else:
            self._operations.pin(channel, message, self._person(person))

    def threads(self, chat_id: str) -> Sequence[EmulatedThread]:
        """Of a channel or forum."""
        parent = self.channel(chat_id)
        return [
            EmulatedThread(thread_id=str(channel.id), name=channel.name, closed=channel.is_archived or channel.is_locked)
            for channel in self._world.channels.values()
            if channel.parent_id == parent.id
        ]

    def members(self) -> Sequence[Member]:
        """Whom the composer offers behind an @, with what it writes for them."""
        people = [user for user in self._world.users.values() if not user.is_bot]
        return [Member(name=user.display_name, mention=f"<@{user.id}>") for user in people]

    def start_thread(self, chat_id: str, person: str, name: str, *, message_id: str = "") -> str:
        """A public thread, from a message or on its own; returns its id."""
        starter = self.find(chat_id, message_id)[1] if message_id else None
        return str(self._operations.start_thread(self.channel(chat_id), name, self._person(person), starter).id)

    def start_post(self, forum_id: str, person: str, title: str, text: str, *, files: Sequence[Upload] = ()) -> str:
        """A post in a forum; returns its id, which is that of its first message too."""
        attachments = tuple(self.attach(f) for f in files)
        forum, written = self.channel(forum_id), self._written(text)
        return str(self._operations.start_post(forum, title, self._person(person), attachments=attachments, **written).id)

    def rename_thread(self, thread_id: str, person: str, name: str) -> None:
        self._operations.rename(self.channel(thread_id), name, self._person(person))

    def delete_thread(self, thread_id: str) -> None:
        """A moderator deletes a thread or post with everything in it. Its messages get no events of their own."""
        self._operations.remove_channel(self.channel(thread_id))

    def lock_thread(self, thread_id: str, *, locked: bool = True) -> None:
        """A moderator locks a thread, or unlocks it; it is not archived by that."""
        thread = self.channel(thread_id)
        self._operations.set_archived(thread, archived=thread.is_archived, locked=locked)

    def archive_thread(self, thread_id: str, *, locked: bool = False) -> None:
        self._operations.set_archived(self.channel(thread_id), archived=True, locked=locked)

    def forward(self, chat_id: str, message_id: str, person: str, to_chat_id: str) -> str:
        channel, message = self.find(chat_id, message_id)
        snapshot = self._api.payloads.message(message, depth=0)
        kept = ("content", "timestamp", "edited_timestamp", "flags", "type", "mentions", "mention_roles", "attachments", "embeds")
        forwarded = self._operations.post(
            self.channel(to_chat_id),
            author=author_of(self._person(person)),
            reference=Reference(kind=1, channel_id=channel.id, message_id=message.id),
            snapshot={key: snapshot[key] for key in kept},
        )
        return str(forwarded.id)

    def person(self, name: str) -> User:
        return self._person(name)

    def post_raw(self, chat_id: str, person: str, **fields: Any) -> str:
        """Post a message of any shape that a composer cannot make: stickers, polls, system types."""
        return str(self._operations.post(self.channel(chat_id), author=author_of(self._person(person)), **fields).id)

    def resolve_embeds(self, chat_id: str, message_id: str, url: str) -> None:
        """Add the link preview: an update that is no edit."""
        channel, message = self.find(chat_id, message_id)
        self._operations.amend(channel, message, embeds=({"type": "link", "url": url, "title": "Preview"},))
