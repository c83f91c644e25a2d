"""People of the stand-in server, and what its client lets them do: post, edit, delete, react, join, rename. Called by `server`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from adapters.common.emulation.abilities import Member
from adapters.common.emulation.contract import Upload
from adapters.teamspirit.emulator.records import Chat, Json, Message, User
from adapters.teamspirit.emulator.world import World


class People:
    """Acts as people. `person` returns the person of a name, who exists as soon as somebody acts under it."""

    def __init__(self, world: World, person: Callable[[str], User]) -> None:
        self._world = world
        self._person = person

    def join(self, chat_id: str, person: str, *, leave: bool) -> None:
        self._world.emit("member.left" if leave else "member.joined", self._chat(chat_id), self._person(person))

    def rename(self, chat_id: str, person: str, name: str) -> None:
        """Give a chat another name, which no other chat may have."""
        chat = self._chat(chat_id)
        self._world.state.rename(chat, name)
        self._world.emit("chat.renamed", chat, self._person(person))

    def say(
        self,
        chat_id: str,
        person: str,
        text: str,
        *,
        reply_to: str = "",
        thread_id: str = "",
        files: Sequence[Upload] = (),
        other: Mapping[str, Json] | None = None,
    ) -> str:
        """Post text, files, other data (`OTHER_DATA`), or all of it; returns the message's id."""
        chat = self._chat(chat_id)
        if len(text) > self._world.rules.max_text_chars:
            raise ValueError(f"a text may have {self._world.rules.max_text_chars} characters")
        message = self._world.state.post(
            chat,
            self._person(person),
            text,
            reply_to=self._world.existing(chat, reply_to),
            thread=self._world.existing(chat, thread_id),
            files=[self._world.store.keep(upload.name, upload.mime, upload.content) for upload in files],
            **(other or {}),
        )
        self._world.happened("created", chat, message)
        return message.message_id

    def edit(self, chat_id: str, message_id: str, text: str) -> None:
        chat, message = self._found(chat_id, message_id)
        self._world.edited(chat, message, text)

    def remove_file(self, chat_id: str, message_id: str, index: int) -> None:
        """Take a file out of a message."""
        chat, message = self._found(chat_id, message_id)
        message.files = [file for at, file in enumerate(message.files) if at != index]
        self._world.edited(chat, message, message.text)

    def delete(self, chat_id: str, message_id: str) -> None:
        self._world.deleted(*self._found(chat_id, message_id))

    def react(self, chat_id: str, message_id: str, person: str, emoji: str, *, remove: bool) -> None:
        chat, message = self._found(chat_id, message_id)
        self._world.reacted(chat, message, self._person(person), emoji, remove=remove)

    def type(self, chat_id: str, person: str) -> None:
        self._world.types(self._chat(chat_id), self._person(person))

    def members(self) -> Sequence[Member]:
        """Whom the composer offers behind an @."""
        people = [user for user in self._world.state.users.values() if not user.is_bot]
        return [Member(name=user.display_name, mention=f"@{user.name}") for user in people]

    def set_status(self, person: str, status: str, text: str) -> None:
        self._world.set_status(self._person(person), status, text)

    def _chat(self, chat_id: str) -> Chat:
        return self._world.state.chats[chat_id]

    def _found(self, chat_id: str, message_id: str) -> tuple[Chat, Message]:
        chat = self._chat(chat_id)
        return chat, chat.by_id[message_id]
