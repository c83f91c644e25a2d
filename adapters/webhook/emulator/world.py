"""The chats of the emulated bot program, and the effects of events on them. Independent of HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from adapters.webhook.emulator.errors import Refused
from adapters.webhook.emulator.records import Chat, Message
from adapters.webhook.emulator.wire import Event

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_NAME = 64

Publish = Callable[[str, Message], None]


class World:
    """`publish` is called for every change, with its kind and the changed message."""

    def __init__(self, publish: Publish) -> None:
        self.chats: dict[str, Chat] = {}
        self.people: dict[str, str] = {}
        self._publish = publish

    def add_chat(self, name: str) -> Chat:
        """Add a chat. Its id is the name in the form of an end's name."""
        end = _NOT_IN_NAMES.sub("-", name)[:_LONGEST_NAME].strip("-._") or "room"
        return self.chats.setdefault(end, Chat(chat_id=end, name=name))

    def add_person(self, name: str) -> str:
        return self.people.setdefault(name, name)

    def add(self, message: Message) -> None:
        self.chats[message.chat_id].messages[message.message_id] = message
        self._publish("created", message)

    def changed(self, kind: str, message: Message) -> None:
        self._publish(kind, message)

    # -- events from the bridge ----------------------------------------------------------------------------------------------

    def apply(self, chat: Chat, event: Event) -> None:
        """Apply an event. Raises Refused if its message does not exist."""
        data, kind = event["data"], event["type"]
        if kind == "message.created":
            self.add(self._created(chat, event))
            return
        message = chat.messages.get(data["message_id"])
        if message is None:
            raise Refused(400, f"{kind}: there is no such message")
        match kind:
            case "message.edited":
                message.text, message.markdown, message.edited = str(data["text"]), str(data.get("markdown", "")), True
                message.data = data
                self._publish("edited", message)
            case "message.deleted":
                message.deleted = True
                self._publish("deleted", message)
            case "message.pinned" | "message.unpinned":
                message.pinned = kind == "message.pinned"
                self._publish("pins", message)
            case _:
                message.reactions = set(data["reactions"])
                self._publish("reactions", message)

    def _created(self, chat: Chat, event: Event) -> Message:
        data = event["data"]
        author, reply = data.get("author") or {}, data.get("reply_to") or {}
        return Message(
            message_id=data["message_id"],
            chat_id=chat.chat_id,
            author=str(author.get("name", "")),
            avatar_url=str(author.get("avatar_url", "")),
            text=str(data["text"]),
            data=data,
            markdown=str(data.get("markdown", "")),
            sent_at=datetime.fromisoformat(data.get("occurred_at", event["timestamp"])).astimezone(UTC),
            is_bot=True,
            reply_to=str(reply.get("message_id", "")),
            quote=str(reply.get("excerpt", "")),
        )
