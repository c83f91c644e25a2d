"""The stand-in server's state: chats, users, messages, reactions, and their form on the wire. No I/O; used by `server`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

from adapters.common.emulation.contract import EmulatedFile, SeenMessage, SeenReaction
from adapters.common.emulation.options import EmulatorOptions
from adapters.teamspirit.emulator.files import StoredFile
from adapters.teamspirit.emulator.render import render

IDEMPOTENCY_S = 24 * 3600.0
OTHER_DATA = ("location", "contact", "card")
"""What a message may show beside words and files: an object each, or none."""

Json = dict[str, Any]


def now() -> datetime:
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    """RFC 3339 UTC, as all times on the wire."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(slots=True)
class User:
    user_id: str
    name: str
    display_name: str
    avatar_url: str = ""
    is_bot: bool = False
    email: str = ""
    status: str = "online"
    status_text: str = ""

    def wire(self) -> Json:
        return {
            "id": self.user_id,
            "name": self.name,
            "display_name": self.display_name,
            "avatar_url": self.avatar_url or None,
            "is_bot": self.is_bot,
        }


@dataclass(slots=True)
class Message:
    message_id: str
    position: int
    chat_id: str
    user: User
    text: str
    sent_at: datetime
    format: str = "markdown"
    sender_name: str = ""
    sender_avatar_url: str = ""
    reply_to: str = ""
    thread: str = ""
    client_id: str = ""
    files: list[StoredFile] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    """Files given by URL to an incoming webhook: (url, name)."""
    location: Json | None = None
    contact: Json | None = None
    card: Json | None = None
    reactions: dict[str, dict[str, str]] = field(default_factory=dict)
    """emoji -> user id -> display name."""
    edited_at: datetime | None = None
    deleted: bool = False
    poison: Json | None = None
    """Set for an item of a shape nobody knows: what history answers in its place."""

    def wire(self) -> Json:
        return {
            "id": self.message_id,
            "text": self.text,
            "format": self.format,
            "reply_to": self.reply_to or None,
            "thread": self.thread or None,
            "client_id": self.client_id or None,
            "files": [stored.wire() for stored in self.files],
            **{name: data for name in OTHER_DATA if (data := getattr(self, name)) is not None},
            "sent_at": stamp(self.sent_at),
            "edited_at": stamp(self.edited_at) if self.edited_at else None,
        }

    def history_item(self, chat: Chat) -> Json:
        """A message of the history call: the message with its author, chat as in an event."""
        if self.poison is not None:
            return self.poison
        return {**self.wire(), "chat": chat.wire(), "user": self.user.wire()}


@dataclass(slots=True)
class Chat:
    chat_id: str
    name: str
    kind: str = "group"
    without_bot: bool = False
    """The bot was removed: it gets nothing of the chat."""
    messages: list[Message] = field(default_factory=list)
    forgotten: int = 0
    """The number of older messages that are no longer kept: the position of the first of `messages`."""
    by_id: dict[str, Message] = field(default_factory=dict)
    by_client_id: dict[str, Message] = field(default_factory=dict)

    def wire(self) -> Json:
        return {"id": self.chat_id, "name": self.name}

    def listed(self) -> Json:
        return {"id": self.chat_id, "name": self.name, "kind": self.kind}

    def after(self, position: int, limit: int) -> list[Message]:
        """Messages from a position on that were not deleted, oldest first."""
        return list(itertools.islice(self._alive(position), limit))

    def _alive(self, position: int) -> Iterator[Message]:
        for index in range(max(position - self.forgotten, 0), len(self.messages)):
            if not self.messages[index].deleted:
                yield self.messages[index]

    def add(self, message: Message, kept: int) -> None:
        self.messages.append(message)
        self.by_id[message.message_id] = message
        if message.client_id:
            self.by_client_id[message.client_id] = message
        over = len(self.messages) - kept
        if over > kept // 10:  # several at a time: the list is long
            for old in self.messages[:over]:
                del self.by_id[old.message_id]
                self.by_client_id.pop(old.client_id, None)
            del self.messages[:over]
            self.forgotten += over

    def sent_before(self, client_id: str) -> Message | None:
        """The message first sent with this client_id within 24 h."""
        known = self.by_client_id.get(client_id)
        if known is None or (now() - known.sent_at).total_seconds() > IDEMPOTENCY_S:
            return None
        return known


class State:
    def __init__(self) -> None:
        self.chats: dict[str, Chat] = {}
        self.chat_names: dict[str, str] = {}
        self.users: dict[str, User] = {}
        self.user_names: dict[str, str] = {}
        self._ids = itertools.count(1)
        self.messages_kept = EmulatorOptions().messages_kept
        self.bot = self.new_user("bridge", is_bot=True)

    def next_id(self, letter: str) -> str:
        return f"{letter}{next(self._ids)}"

    def chat(self, id_or_name: str) -> Chat | None:
        return self.chats.get(id_or_name) or self.chats.get(self.chat_names.get(id_or_name, ""))

    def new_chat(self, name: str, kind: str = "group") -> Chat:
        """A chat of a name nobody else has: a second one of the same name gets a number. `kind`: group, or direct, which is one
        person and the bot."""
        unique = name
        for number in itertools.count(2):
            if unique not in self.chat_names:
                break
            unique = f"{name}-{number}"
        chat = Chat(chat_id=self.next_id("c"), name=unique, kind=kind)
        self.chats[chat.chat_id] = chat
        self.chat_names[unique] = chat.chat_id
        return chat

    def rename(self, chat: Chat, name: str) -> None:
        if name in self.chat_names:
            raise ValueError(f"a chat named {name} exists")
        del self.chat_names[chat.name]
        chat.name = name
        self.chat_names[name] = chat.chat_id

    def new_user(self, display_name: str, *, is_bot: bool = False) -> User:
        base = re.sub(r"[^\w.\-]+", "_", display_name.lower()).strip("_.-") or "user"
        name = base
        for number in itertools.count(2):
            if name not in self.user_names:
                break
            name = f"{base}{number}"
        user = User(user_id=self.next_id("u"), name=name, display_name=display_name, is_bot=is_bot)
        self.users[user.user_id] = user
        self.user_names[name] = user.user_id
        return user

    def post(self, chat: Chat, user: User, text: str, **fields: Any) -> Message:
        message = Message(
            message_id=self.next_id("m"),
            position=chat.forgotten + len(chat.messages),
            chat_id=chat.chat_id,
            user=user,
            text=text,
            sent_at=now(),
            **fields,
        )
        chat.add(message, self.messages_kept)
        return message

    def seen(self, message: Message) -> SeenMessage:
        """The message as the server's own client shows it."""
        html, text = render(message.text, self.user_names.__contains__) if message.format == "markdown" else ("", message.text)
        if message.links:
            names = "\n".join(name for _, name in message.links)
            anchors = "\n".join(render(f"[{_label(name)}](<{url}>)", _nobody)[0] for url, name in message.links)
            text, html = _joined(text, names), _joined(html, anchors)
        for lines in _other_data(message):
            text, html = _joined(text, lines), _joined(html, escape(lines))
        parent = self.chats[message.chat_id].by_id.get(message.reply_to)
        return SeenMessage(
            message_id=message.message_id,
            chat_id=message.chat_id,
            author_name=message.sender_name or message.user.display_name,
            author_id=message.user.user_id,
            author_avatar_url=message.sender_avatar_url or message.user.avatar_url,
            is_bot=message.user.is_bot,
            text=text,
            html=html,
            files=_seen_files(message.files),
            reply_to=message.reply_to,
            reply_quote=render(parent.text, _nobody)[1][:200] if parent is not None and not parent.deleted else "",
            thread_id=message.thread,
            reactions=tuple(SeenReaction(emoji=emoji, by=tuple(by.values())) for emoji, by in message.reactions.items()),
            edited=message.edited_at is not None,
            deleted=message.deleted,
            sent_at=message.sent_at,
        )


def _other_data(message: Message) -> Iterator[str]:
    """The displayed lines of a message's place, contact and card."""
    if (location := message.location) is not None:
        named = [location[name] for name in ("title", "address") if location.get(name)]
        yield " ".join(["📍", *named, f"({location['lat']}, {location['lon']})"])
    if (contact := message.contact) is not None:
        yield "\n".join(["👤 " + contact["name"], *(str(value) for name, value in contact.items() if name != "name" and value)])
    if (card := message.card) is not None:
        rows = [f"{row.get('title', '')}: {row.get('value', '')}" for row in card.get("fields") or ()]
        yield "\n".join([*(card[name] for name in ("title", "text", "url") if card.get(name)), *rows])


def _seen_files(files: Sequence[StoredFile]) -> tuple[EmulatedFile, ...]:
    return tuple(stored.seen() for stored in files)


def _nobody(_: str) -> bool:
    return False


def _label(name: str) -> str:
    return re.sub(r"([\\\[\]*_~`<>&!])", r"\\\1", name)


def _joined(first: str, second: str) -> str:
    return f"{first}\n{second}" if first and second else first or second
