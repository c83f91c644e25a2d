"""What humans do in the emulated Telegram, as their apps let them: post, edit, delete, react, forward, open topics."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.common.emulation.contract import Upload
from adapters.telegram.emulator.composer import compose
from adapters.telegram.emulator.contents import album_groups, guess_kind, media_content
from adapters.telegram.emulator.formatting import store_text, utf16_length
from adapters.telegram.emulator.records import Chat, Json, Message, Person
from adapters.telegram.emulator.rules import TEXT_LENGTH
from adapters.telegram.emulator.world import World

GENERAL_TOPIC = 1


class People:
    """Acting as a person. Ids are the Bot API's own; errors are ValueError or KeyError, since they are the test's mistakes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def say(
        self,
        chat: Chat,
        person: Person,
        markup: str,
        *,
        reply_to: int | None = None,
        thread_id: int | None = None,
        uploads: Sequence[Upload] = (),
    ) -> int:
        """Post text, files, or both; returns the first message's id. A text too long is split as Telegram's apps split it."""
        if thread_id == GENERAL_TOPIC:
            thread_id = None  # apps know it by this number, the wire knows no number for it
        if reply_to is not None and thread_id is None and chat.is_forum and reply_to in chat.messages:
            thread_id = chat.messages[reply_to].thread_id
        if uploads:
            return self._say_files(chat, person, markup, reply_to, thread_id, uploads)
        text, entities = compose(markup)
        first = 0
        for words, marks in _pieces(text, entities, TEXT_LENGTH):
            stored, found = store_text(words, marks, limit=TEXT_LENGTH, known_users={})
            if not stored:
                raise ValueError("Telegram's apps do not send an empty message")
            content: Json = {"text": stored} | ({"entities": found} if found else {})
            message = self._world.post(chat, person, [content], thread_id=thread_id, reply_to=None if first else reply_to)[0]
            first = first or message.message_id
        return first

    def _say_files(
        self, chat: Chat, person: Person, markup: str, reply_to: int | None, thread_id: int | None, uploads: Sequence[Upload]
    ) -> int:
        caption = self._caption(markup)
        contents: list[Json] = []
        kinds: list[str] = []
        for upload in uploads:
            stored = self._world.files.add(upload.name, upload.mime, upload.content)
            kinds.append(upload.kind or guess_kind(stored))
            contents.append(media_content(self._world.files, kinds[-1], stored))
        contents[0] = contents[0] | caption
        first = 0
        for group in album_groups(kinds):
            members = [contents[position] for position in group]
            message = self._world.post(chat, person, members, thread_id=thread_id, reply_to=None if first else reply_to)[0]
            first = first or message.message_id
        return first

    @staticmethod
    def _caption(markup: str) -> Json:
        text, entities = compose(markup)
        stored, found = store_text(text, entities, limit=TEXT_LENGTH, known_users={})
        if not stored:
            return {}
        return {"caption": stored} | ({"caption_entities": found} if found else {})

    def edit(self, message: Message, markup: str) -> None:
        """Change a message's text, or the caption of its album or file."""
        album = message.chat.albums.get(message.group_id, [])
        members = [message.chat.messages[number] for number in album if number in message.chat.messages] or [message]
        captioned = next((member for member in members if "caption" in member.content), message)
        kept = {k: v for k, v in captioned.content.items() if k not in ("text", "entities", "caption", "caption_entities")}
        if kept:
            self._world.change(captioned, kept | self._caption(markup))
            return
        text, entities = store_text(*compose(markup), limit=TEXT_LENGTH, known_users={})
        self._world.change(captioned, {"text": text} | ({"entities": entities} if entities else {}))

    def caption(self, message: Message, markup: str) -> None:
        """Give this very message of an album a caption, another one, or none: people may write below each picture."""
        kept = {k: v for k, v in message.content.items() if k not in ("caption", "caption_entities")}
        self._world.change(message, kept | self._caption(markup))

    def replace_file(self, message: Message, upload: Upload, markup: str | None) -> None:
        """Put another file into a message, or a first one into a message of text. Without `markup` the words stay."""
        stored = self._world.files.add(upload.name, upload.mime, upload.content)
        content = media_content(self._world.files, upload.kind or guess_kind(stored), stored)
        if markup is not None:
            caption = self._caption(markup)
        else:
            words = {
                "text": "caption",
                "entities": "caption_entities",
                "caption": "caption",
                "caption_entities": "caption_entities",
            }
            caption = {words[key]: value for key, value in message.content.items() if key in words}
        self._world.change(message, content | caption)

    def react(self, message: Message, person: Person, emoji: str, *, remove: bool) -> None:
        emoji = emoji.replace("\ufe0f", "")
        current = message.reactions.get(person.user_id, [])
        if remove:
            self._world.react(message, person, [each for each in current if each != emoji])
        elif emoji not in current:
            self._world.react(message, person, [*current, emoji])


def _pieces(text: str, entities: list[Json], limit: int) -> list[tuple[str, list[Json]]]:
    """A long text cut at line breaks or spaces, each piece with the part of the entities that lies in it."""
    pieces: list[tuple[str, list[Json]]] = []
    offset = 0
    while len(text) > limit:
        cut = max(text.rfind("\n", 1, limit), text.rfind(" ", 1, limit))
        cut = cut + 1 if cut > 0 else limit
        pieces.append((text[:cut], _within(entities, offset, utf16_length(text[:cut]))))
        offset += utf16_length(text[:cut])
        text = text[cut:]
    pieces.append((text, _within(entities, offset, utf16_length(text))))
    return pieces


def _within(entities: list[Json], offset: int, length: int) -> list[Json]:
    inside: list[Json] = []
    for entity in entities:
        start = max(entity["offset"] - offset, 0)
        end = min(entity["offset"] + entity["length"] - offset, length)
        if end > start:
            inside.append(entity | {"offset": start, "length": end - start})
    return inside
