"""What people do with topics: open, rename, close and delete them. Part of `server`."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.common.emulation.abilities import EmulatedThread
from adapters.telegram.emulator.people import People
from adapters.telegram.emulator.records import Chat, Person
from adapters.telegram.emulator.world import World


class Topics:
    world: World
    people: People

    def _chat(self, chat_id: str) -> Chat:
        return self.world.chats[int(chat_id)]

    def _person(self, name: str) -> Person:
        raise NotImplementedError

    async def start_thread(self, chat_id: str, person: str, name: str, *, message_id: str = "") -> str:
        """A topic. Telegram opens none from a message."""
        return str(self.people.open_topic(self._chat(chat_id), self._person(person), name))

    def threads(self, chat_id: str) -> Sequence[EmulatedThread]:
        chat = self._chat(chat_id)
        return [
            EmulatedThread(thread_id=str(number), name=name, closed=number in chat.closed_topics)
            for number, name in chat.topics.items()
        ]

    async def rename_topic(self, chat_id: str, topic: str, person: str, name: str) -> None:
        self.world.rename_topic(self._chat(chat_id), self._person(person), int(topic), name)

    async def close_topic(self, chat_id: str, topic: str, person: str, *, closed: bool = True) -> None:
        self.world.close_topic(self._chat(chat_id), self._person(person), int(topic), closed=closed)

    async def change_thread(self, chat_id: str, thread_id: str, person: str, *, name: str = "", closed: bool | None = None) -> None:
        if not thread_id.isdecimal() or int(thread_id) not in self._chat(chat_id).topics:
            raise ValueError("the group has no such topic")
        if name:
            await self.rename_topic(chat_id, thread_id, person, name)
        if closed is not None:
            await self.close_topic(chat_id, thread_id, person, closed=closed)

    async def delete_topic(self, chat_id: str, topic: str) -> None:
        self.world.remove_topic(self._chat(chat_id), int(topic))

    async def hide_general(self, chat_id: str, person: str, *, hidden: bool = True) -> None:
        self.world.hide_general(self._chat(chat_id), self._person(person), hidden=hidden)
