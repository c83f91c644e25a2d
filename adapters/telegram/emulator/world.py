"""The emulated Telegram itself: changes to chats and messages, the updates that report them, and what people see.

Knows nothing of HTTP. The server's methods act here for bots, `people.People` for humans.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Container, Sequence
from typing import Any

from adapters.common.emulation.contract import SeenMessage
from adapters.common.emulation.options import EmulatorOptions
from adapters.common.emulation.typing_now import TypingNow
from adapters.telegram.emulator.files import FileStore
from adapters.telegram.emulator.records import ADMINISTRATOR, KICKED, LEFT, MEMBER, Chat, Json, Message, Person, StoredFile
from adapters.telegram.emulator.render import seen
from adapters.telegram.emulator.rules import TYPING_S
from adapters.telegram.emulator.updates import UpdateQueue
from adapters.telegram.emulator.wire import chat_wire, member_wire, message_wire, user_wire

Publish = Callable[[str, SeenMessage], None]


class World:
    """State and its changes. `publish(kind, seen message)` is called for each visible change."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self.files = FileStore()
        self.people: dict[int, Person] = {}
        self.custom_emoji: dict[str, str] = {}
        """The emoji that each custom emoji stands for, by id. People react with the id."""
        self.custom_pictures: dict[str, StoredFile] = {}
        """Their pictures, as far as a test gave them any."""
        self.chats: dict[int, Chat] = {}
        self.queues: dict[int, UpdateQueue] = {}
        self._person_ids = itertools.count(500_000_001)
        self._bot_ids = itertools.count(7_000_000_001)
        self._chat_numbers = itertools.count(1_500_000_001)
        self._group_numbers = itertools.count(400_000_001)
        self._album_numbers = itertools.count(13_000_000_000_000_001)
        self.now: Callable[[], float] = time.time
        self.messages_kept = EmulatorOptions().messages_kept
        self.typing = TypingNow(TYPING_S)

    # -- people and places --------------------------------------------------------------------------------------------------

    def new_person(self, name: str) -> Person:
        first, _, last = name.partition(" ")
        person = Person(next(self._person_ids), first, last, self._free_username(name))
        self.people[person.user_id] = person
        return person

    def set_picture(self, person: Person, *sizes: bytes) -> None:
        """The person's profile photo, in these sizes from small to large; none takes it away."""
        person.pictures = [self.files.add("photo.jpg", "image/jpeg", content) for content in sizes]

    def add_custom_emoji(self, emoji_id: str, emoji: str, content: bytes) -> None:
        """One with a still picture."""
        self.custom_emoji[emoji_id] = emoji
        self.custom_pictures[emoji_id] = stored = self.files.add("emoji.webp", "image/webp", content)
        self.files.publish_path(stored, "sticker")

    def new_bot(self, name: str, username: str) -> Person:
        bot = Person(next(self._bot_ids), name, username=username, is_bot=True)
        self.people[bot.user_id] = bot
        self.queues[bot.user_id] = UpdateQueue()
        for chat in self.chats.values():
            chat.bots[bot.user_id] = LEFT
        return bot

    def _free_username(self, name: str) -> str:
        stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        if not re.match(r"[a-z]\w{3,}", stem):
            return ""
        taken = {person.username for person in self.people.values()}
        return next(u for u in (stem, *(f"{stem}{n}" for n in range(2, 10_000))) if u not in taken)

    def new_chat(self, title: str, *, type_: str = "supergroup", forum: bool = False) -> Chat:
        chat_id = -next(self._group_numbers) if type_ == "group" else -(10**12) - next(self._chat_numbers)
        chat = Chat(chat_id, title, type_, is_forum=forum)
        chat.last_message_id = 1 if forum else 0  # 1 is the General topic's
        chat.bots = dict.fromkeys(self.queues, ADMINISTRATOR)
        self.chats[chat_id] = chat
        return chat

    def new_private_chat(self, person: Person) -> Chat:
        """Of one person with each bot; it has the person's own id."""
        chat = self.chats[person.user_id] = Chat(person.user_id, person.first_name, "private", username=person.username)
        chat.bots = dict.fromkeys(self.queues, MEMBER)
        return chat

    def set_bot_status(self, chat: Chat, bot: Person, status: str, by: Person | None = None) -> None:
        """Promote, demote, remove or bring back a bot, which gets `my_chat_member`."""
        before = chat.bots.get(bot.user_id, LEFT)
        chat.bots[bot.user_id] = status
        change: Json = {
            "chat": chat_wire(chat),
            "from": user_wire(by or bot),
            "date": int(self.now()),
            "old_chat_member": member_wire(bot, before),
            "new_chat_member": member_wire(bot, status),
        }
        self.queues[bot.user_id].push("my_chat_member", change)

    # -- telling bots -------------------------------------------------------------------------------------------------------

    def tell(self, kind: str, chat: Chat, payload: Json, *, only_admins: bool = False, besides: int = 0) -> None:
        """Queue an update for every bot that may see it, except `besides`, the bot that caused it."""
        for bot_id, status in chat.bots.items():
            if (
                bot_id == besides
                or status in (KICKED, LEFT)
                or (only_admins and status != ADMINISTRATOR and chat.type != "private")
            ):
                continue
            self.queues[bot_id].push(kind, payload)

    def _tell_message(self, kind: str, message: Message) -> None:
        """A message or its edit: not to its own author, nor to other bots; with privacy mode only what is meant for the bot."""
        sender = message.sender
        if sender is not None and sender.is_bot and not message.service:
            return
        chat = message.chat
        if chat.type == "channel":
            kind = {"message": "channel_post", "edited_message": "edited_channel_post"}[kind]
        payload: Json | None = None
        for bot_id, status in chat.bots.items():
            if status in (KICKED, LEFT) or (status != ADMINISTRATOR and not self._addressed(message, self.people[bot_id])):
                continue
            payload = payload or message_wire(message)
            self.queues[bot_id].push(kind, payload)

    def _addressed(self, message: Message, bot: Person) -> bool:
        if bot.sees_everything or message.chat.type == "private" or message.service or message.text.startswith("/"):
            return True
        replied = message.chat.messages.get(message.reply_to or 0)
        return replied is not None and replied.sender is bot

    # -- messages -----------------------------------------------------------------------------------------------------------

    def post(
        self,
        chat: Chat,
        sender: Person | None,
        contents: Sequence[Json],
        *,
        thread_id: int | None = None,
        reply_to: int | None = None,
        quote: Json | None = None,
        extra: Json | None = None,
        service: bool = False,
    ) -> list[Message]:
        """Post one message, or an album of several; shown once."""
        group_id = str(next(self._album_numbers)) if len(contents) > 1 else ""
        date = int(self.now())
        if chat.type == "channel":  # posts have the channel as their sender
            extra = {"sender_chat": chat_wire(chat)} | (extra or {})
        posted: list[Message] = []
        for content in contents:
            chat.last_message_id += 1
            message = Message(
                chat,
                chat.last_message_id,
                date,
                sender,
                content,
                thread_id=thread_id,
                reply_to=reply_to,
                quote=quote,
                group_id=group_id,
                extra=dict(extra or {}),
                service=service,
            )
            chat.messages[message.message_id] = message
            posted.append(message)
        if sender is not None:
            self.typing.wrote(str(chat.chat_id), sender.name)
        if group_id:
            chat.albums[group_id] = [message.message_id for message in posted]
        for message in posted:
            self._tell_message("message", message)
        self.show("created", posted[0])
        while len(chat.messages) > self.messages_kept:
            oldest = chat.messages.pop(next(iter(chat.messages)))
            chat.albums.pop(oldest.group_id, None)
        return posted

    def change(self, message: Message, content: Json, *, visible: bool = True) -> None:
        """Edit a message. `visible=False`: an edit that changes nothing visible, which bots get all the same (platforms.md 1.2)."""
        message.content = content
        if visible:
            message.edit_date = max(int(self.now()), message.date)
        self._tell_message("edited_message", message)
        if visible:
            self.show("edited", message)

    def remove(self, message: Message) -> None:
        """Delete a message. No bot gets an update: the Bot API has none for ordinary chats (platforms.md 1.2)."""
        message.deleted = True
        self.show("deleted" if self._seen(message).deleted else "edited", message)

    def react(self, message: Message, person: Person, emojis: list[str]) -> None:
        """Set one person's reactions. Bots that are administrators get an update, not of bots' reactions (platforms.md 1.2)."""
        before = message.reactions.get(person.user_id, [])
        if before == emojis:
            return
        if emojis:
            message.reactions[person.user_id] = emojis
        else:
            message.reactions.pop(person.user_id, None)
        if not person.is_bot:
            self.tell(
                "message_reaction",
                message.chat,
                _reaction_change(message, person, before, int(self.now()), self.custom_emoji),
                only_admins=True,
            )
        self.show("reactions", message)

    def service_message(self, chat: Chat, sender: Person, content: Json, *, thread_id: int | None = None) -> Message:
        return self.post(chat, sender, [content], thread_id=thread_id, service=True)[0]

    def pin(self, message: Message, by: Person) -> None:
        if message.message_id in message.chat.pinned:
            message.chat.pinned.remove(message.message_id)
        message.chat.pinned.append(message.message_id)
        self.show("pins", message)
        self.service_message(message.chat, by, {"pinned_message": message_wire(message, with_reply=False)})

    def rename(self, chat: Chat, by: Person, title: str) -> None:
        chat.title = title
        self.service_message(chat, by, {"new_chat_title": title})

    def unpin(self, message: Message) -> None:
        """No bot gets an update of it: the Bot API has none (platforms.md 1.2)."""
        message.chat.pinned.remove(message.message_id)
        self.show("pins", message)

    def new_topic(self, chat: Chat, by: Person, name: str) -> int:
        message = self.service_message(
            chat, by, {"forum_topic_created": {"name": name, "icon_color": 7322096}}, thread_id=chat.last_message_id + 1
        )
        chat.topics[message.message_id] = name
        return message.message_id

    def rename_topic(self, chat: Chat, by: Person, topic: int, name: str) -> None:
        chat.topics[topic] = name
        self.service_message(chat, by, {"forum_topic_edited": {"name": name}}, thread_id=topic)

    def close_topic(self, chat: Chat, by: Person, topic: int, *, closed: bool) -> None:
        (chat.closed_topics.add if closed else chat.closed_topics.discard)(topic)
        field = "forum_topic_closed" if closed else "forum_topic_reopened"
        self.service_message(chat, by, {field: {}}, thread_id=topic)

    def rename_general(self, chat: Chat, by: Person, name: str) -> None:
        chat.general_name = name
        self.service_message(chat, by, {"forum_topic_edited": {"name": name}})

    def close_general(self, chat: Chat, by: Person, *, closed: bool) -> None:
        (chat.closed_topics.add if closed else chat.closed_topics.discard)(1)
        self.service_message(chat, by, {"forum_topic_closed" if closed else "forum_topic_reopened": {}})

    def hide_general(self, chat: Chat, by: Person, *, hidden: bool) -> None:
        self.service_message(chat, by, {"general_forum_topic_hidden" if hidden else "general_forum_topic_unhidden": {}})

    def remove_topic(self, chat: Chat, topic: int) -> None:
        """With all its messages. No bot gets an update of it (platforms.md 1.2)."""
        del chat.topics[topic]
        chat.closed_topics.discard(topic)
        for message in list(chat.messages.values()):
            if message.thread_id == topic and not message.deleted:
                self.remove(message)

    def migrate(self, chat: Chat, by: Person) -> Chat:
        """Turn a basic group into a supergroup: a new id, message ids from the start, the old id refused."""
        new = self.new_chat(chat.title)
        new.bots = dict(chat.bots)
        chat.moved_to = new.chat_id
        self.service_message(chat, by, {"migrate_to_chat_id": new.chat_id})
        self.service_message(new, by, {"migrate_from_chat_id": chat.chat_id})
        return new

    # -- seeing -------------------------------------------------------------------------------------------------------------

    def _seen(self, message: Message) -> SeenMessage:
        return seen(message.chat, message, self.files, self.people)

    def show(self, kind: str, message: Message) -> None:
        self._publish(kind, self._seen(message))


def _reaction_change(message: Message, person: Person, before: list[str], now: int, custom_emoji: Container[str]) -> dict[str, Any]:
    def wire(emoji: str) -> Json:
        if emoji in custom_emoji:
            return {"type": "custom_emoji", "custom_emoji_id": emoji}
        return {"type": "emoji", "emoji": emoji}

    return {
        "chat": chat_wire(message.chat),
        "message_id": message.message_id,
        "user": user_wire(person),
        "date": now,
        "old_reaction": [wire(emoji) for emoji in before],
        "new_reaction": [wire(emoji) for emoji in message.reactions.get(person.user_id, [])],
    }
