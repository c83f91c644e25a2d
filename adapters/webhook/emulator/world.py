"""The emulated Webhook itself: its chats and people, and who is told of what changes there. Knows nothing of HTTP."""

from __future__ import annotations

from adapters.webhook.emulator.records import Chat


class World:
    """TODO: changes come from `people` and from the server's methods, and go to the streams of those who listen."""

    def __init__(self) -> None:
        self.chats: dict[str, Chat] = {}
        self.people: dict[str, str] = {}

    def add_chat(self, name: str) -> Chat:
        return self.chats.setdefault(name, Chat(chat_id=name, name=name))

    def add_person(self, name: str) -> str:
        return self.people.setdefault(name, name)
