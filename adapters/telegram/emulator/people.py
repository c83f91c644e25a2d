"""What humans do in the emulated Telegram, as their apps let them: post, edit, delete, react, forward, open topics."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.common.emulation.contract import Upload
from adapters.telegram.emulator.composer import compose
from adapters.telegram.emulator.contents import album_groups, guess_kind, media_content
from adapters.telegram.emulator.formatting import store_text, utf16_length
from adapters.telegram.emulator.records import Chat, Json, Message, Person
from adapters.telegram.emulator.rules import TEXT_LENGTH, TOPIC_NAME_LENGTH
from adapters.telegram.emulator.wire import user_wire
from adapters.telegram.emulator.world import World

GENERAL_TOPIC = 1
_USER_LINK = re.compile(r"tg://user\?id=(\d{1,18})")


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
        text, entities = self._composed(markup)
        first = 0
        for words, marks in _pieces(text, entities, TEXT_LENGTH):
            stored, found = store_text(words, marks, limit=TEXT_LENGTH, known_users=self._known(marks))
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

    def _caption(self, markup: str) -> Json:
        text, entities = self._composed(markup)
        stored, found = store_text(text, entities, limit=TEXT_LENGTH, known_users=self._known(entities))
        if not stored:
            return {}
        return {"caption": stored} | ({"caption_entities": found} if found else {})

    @staticmethod
    def _composed(markup: str) -> tuple[str, list[Json]]:
        """What was typed. Whom the app offered behind an @ and who has no username becomes a mention by id."""
        text, entities = compose(markup)
        return text, [_mention(entity) or entity for entity in entities]

    def _known(self, entities: Sequence[Json]) -> dict[int, Json]:
        """The people whom these entities mention by id."""
        ids = {entity["user"]["id"] for entity in entities if entity["type"] == "text_mention"}
        return {number: user_wire(self._world.people[number]) for number in ids if number in self._world.people}

    def edit(self, message: Message, markup: str) -> None:
        """Change a message's text, or the caption of its album or file."""
        album = message.chat.albums.get(message.group_id, [])
        members = [message.chat.messages[number] for number in album if number in message.chat.messages] or [message]
        captioned = next((member for member in members if "caption" in member.content), message)
        kept = {k: v for k, v in captioned.content.items() if k not in ("text", "entities", "caption", "caption_entities")}
        if kept:
            self._world.change(captioned, kept | self._caption(markup))
            return
        text, entities = self._composed(markup)
        text, entities = store_text(text, entities, limit=TEXT_LENGTH, known_users=self._known(entities))
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

    def pin(self, message: Message, person: Person, *, remove: bool) -> None:
        """Pin a message with a notice in the chat, or take the pin away. What is done already changes nothing."""
        is_pinned = message.message_id in message.chat.pinned
        if remove and is_pinned:
            self._world.unpin(message)
        elif not remove and not is_pinned:
            self._world.pin(message, person)

    def open_topic(self, chat: Chat, person: Person, name: str) -> int:
        """A new topic of a forum. Raises ValueError for what the apps do not offer. Source: Bot API, createForumTopic."""
        if not chat.is_forum:
            raise ValueError("this group has no topics")
        if not 1 <= len(name) <= TOPIC_NAME_LENGTH:
            raise ValueError(f"a topic's name has 1 to {TOPIC_NAME_LENGTH} characters")
        return self._world.new_topic(chat, person, name)


def mention_of(person: Person) -> str:
    """What the composer takes for a mention: the username, else a link to the user."""
    return f"@{person.username}" if person.username else f"[{person.name}](tg://user?id={person.user_id})"


def _mention(entity: Json) -> Json | None:
    found = _USER_LINK.fullmatch(str(entity.get("url", ""))) if entity["type"] == "text_link" else None
    if found is None:
        return None
    return {"type": "text_mention", "offset": entity["offset"], "length": entity["length"], "user": {"id": int(found[1])}}


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
